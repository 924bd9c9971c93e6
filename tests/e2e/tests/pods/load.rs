//! Alerts and commands without a pause, and the account of them at the end.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use e2e::Stack;
use harness::wait::wait_for;
use sentry_sender::{Webhook, body::Exception};
use shared::shutdown::CancellationToken;
use tokio::{task::JoinHandle, time::sleep};

use crate::scene::Scene;

const CHANNELS: usize = 24;
const LONG: Duration = Duration::from_secs(60);

/// The load, while it goes on.
pub(crate) struct Load {
    stop: CancellationToken,
    alerts: JoinHandle<BTreeMap<u64, Vec<String>>>,
    commands: JoinHandle<Vec<(u64, u64)>>,
}

/// What came of it.
pub(crate) struct Report {
    alerts: usize,
    commands: usize,
    unanswered: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { alerts, commands, unanswered } = self;
        write!(f, "{alerts} alerts shown once each; {commands} commands, of which {unanswered} were lost")
    }
}

impl Load {
    pub(crate) async fn start(scene: &Scene) -> Self {
        let mut channels = Vec::new();
        for number in 0..CHANNELS {
            channels.push(scene.stack.authorized_channel(&format!("alerts-{number}")).await);
        }
        for office in &scene.offices {
            scene
                .stack
                .command_in(*office, scene.stack.owner, &format!("!sentry authorize <#{office}>"))
                .await;
        }
        let stop = CancellationToken::new();
        let alerts = tokio::spawn(send(scene.stack.clone(), channels, stop.clone()));
        let commands = tokio::spawn(type_commands(scene.stack.clone(), scene.offices.clone(), stop.clone()));
        Self { stop, alerts, commands }
    }

    /// Ends it, and checks that everything was shown and answered once.
    pub(crate) async fn stop(self, scene: &Scene) -> Report {
        self.stop.cancel();
        let accepted = self.alerts.await.expect("no panic");
        let typed = self.commands.await.expect("no panic");
        scene.stack.until_drained(LONG).await;
        let mut alerts = 0;
        for (channel, mut sent) in accepted {
            let shown = scene.stack.shown(channel);
            assert!(shown.iter().all(|embed| embed.count == 1), "no two are of one issue");
            let mut titles: Vec<String> = shown.into_iter().map(|embed| embed.title).collect();
            alerts += sent.len();
            assert_eq!(titles, sent, "in the order in which they were accepted");
            titles.sort();
            sent.sort();
            assert_eq!(titles, sent);
        }
        assert_eq!(scene.stack.stored("DEAD_LETTERS").await, 0);
        let last = typed.last().copied().expect("commands were typed");
        wait_for("the last command is answered", LONG, || async {
            (replies(&scene.stack, last) > 0).then_some(())
        })
        .await;
        let answers: Vec<usize> = typed.iter().map(|typed| replies(&scene.stack, *typed)).collect();
        assert!(answers.iter().all(|count| *count <= 1), "a command was answered twice");
        let unanswered = answers.iter().filter(|count| **count == 0).count();
        Report { alerts, commands: typed.len(), unanswered }
    }
}

/// Sends alerts of ever new issues, and returns what was accepted.
async fn send(stack: Arc<Stack>, channels: Vec<u64>, stop: CancellationToken) -> BTreeMap<u64, Vec<String>> {
    let mut accepted: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for (number, channel) in channels.into_iter().cycle().enumerate() {
        if stop.is_cancelled() {
            break;
        }
        let title = format!("alert {number:05}");
        let webhook = Webhook::legacy(Exception::new(&title).issue(number.to_string()).json());
        let reply = stack.send(channel, &webhook).await;
        assert!(matches!(reply.status, 200 | 202), "{}", reply.status);
        accepted.entry(channel).or_default().push(title);
        sleep(Duration::from_millis(25)).await;
    }
    accepted
}

/// Types commands in the guilds of all shards; where, and as which message.
async fn type_commands(stack: Arc<Stack>, offices: Vec<u64>, stop: CancellationToken) -> Vec<(u64, u64)> {
    let mut typed = Vec::new();
    for office in offices.into_iter().cycle() {
        if stop.is_cancelled() {
            break;
        }
        let message = stack.sandbox.say(stack.owner, office, "!sentry h").expect("the owner may type");
        typed.push((office, message));
        sleep(Duration::from_millis(100)).await;
    }
    typed
}

/// How often the bot has replied to what was typed.
fn replies(stack: &Stack, (office, typed): (u64, u64)) -> usize {
    let to = typed.to_string();
    let messages = stack.sandbox.messages(office);
    messages.iter().filter(|message| message.json["message_reference"]["message_id"] == to.as_str()).count()
}
