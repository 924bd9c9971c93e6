//! Alerts and commands without a pause, and a check of all of them at the end.

use std::{fmt, sync::Arc, time::Duration};

use e2e::{Ledger, Stack};
use harness::wait::{SOON, wait_for};
use sentry_sender::{Webhook, body::Exception};
use shared::shutdown::CancellationToken;
use tokio::{
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use crate::{
    commands::{self, Answers, Typed},
    scene::{LONG, Scene},
};

/// Each sends to channels of its own, so that their order is certain.
const SENDERS: usize = 4;
/// Between two alerts of a sender.
const PACE: Duration = Duration::from_millis(200);

/// The load, while it goes on.
pub(crate) struct Load {
    stop: CancellationToken,
    ledger: Arc<Ledger>,
    alerts: JoinSet<()>,
    commands: JoinHandle<Vec<Typed>>,
}

/// What came of it.
pub(crate) struct Report {
    alerts: u64,
    answers: Answers,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} alerts shown once each and in order; {}", self.alerts, self.answers)
    }
}

impl Load {
    /// Begins it, in this many channels and in an office on each shard.
    pub(crate) async fn start(scene: &Scene, channels: usize) -> Self {
        let (ledger, stop) = (Arc::new(Ledger::default()), CancellationToken::new());
        let mut shares = vec![Vec::new(); SENDERS];
        for number in 0..channels {
            let channel = scene.stack.authorized_channel(&format!("alerts-{number}")).await;
            shares[number % SENDERS].push(channel);
        }
        for office in &scene.offices {
            let authorize = format!("!sentry authorize <#{office}>");
            scene.stack.command_in(*office, scene.stack.owner, &authorize).await;
        }
        let mut alerts = JoinSet::new();
        for channels in shares {
            let (stack, ports) = (Arc::clone(&scene.stack), scene.ingress_urls());
            alerts.spawn(send_on(stack, ports, channels, Arc::clone(&ledger), stop.clone()));
        }
        let (stack, offices, ending) = (Arc::clone(&scene.stack), scene.offices.clone(), stop.clone());
        let commands = tokio::spawn(async move { commands::type_on(&stack, &offices, &ending).await });
        Self { stop, ledger, alerts, commands }
    }

    /// Ends it, and checks that every alert was shown once, in order, and every
    /// command answered once.
    pub(crate) async fn stop(self, scene: &Scene) -> Report {
        self.stop.cancel();
        self.alerts.join_all().await;
        let typed = self.commands.await.expect("no panic");
        self.ledger.settle(&scene.stack, LONG).await;
        assert_eq!(scene.stack.stored("DEAD_LETTERS").await, 0, "everything could be posted");
        Report { alerts: self.ledger.accepted(), answers: commands::check(scene, &typed).await }
    }
}

/// Sends alerts of ever new issues, through one ingress after the other.
async fn send_on(
    stack: Arc<Stack>,
    ingress: Vec<String>,
    channels: Vec<u64>,
    ledger: Arc<Ledger>,
    stop: CancellationToken,
) {
    // An ingress accepts alerts without a verdict if it has once seen their
    // channel authorized.
    for (place, url) in ingress.iter().enumerate() {
        for &channel in &channels {
            wait_for("a verdict", SOON, || async {
                (send(&stack, &ledger, url, channel, &format!("the first {place}")).await == 200)
                    .then_some(())
            })
            .await;
        }
    }
    for (number, (channel, url)) in channels.iter().cycle().zip(ingress.iter().cycle()).enumerate() {
        if stop.is_cancelled() {
            break;
        }
        let status = send(&stack, &ledger, url, *channel, &format!("alert {number:05}")).await;
        // 503: a busy machine's NATS was too slow, and Sentry was told so.
        assert!(matches!(status, 200 | 202 | 503), "{status}");
        sleep(PACE).await;
    }
}

/// Sends an alert of an issue of its own, and returns the answer's status.
async fn send(stack: &Stack, ledger: &Ledger, url: &str, channel: u64, title: &str) -> u16 {
    let webhook = Webhook::legacy(Exception::new(title).issue(title).json());
    let status = stack.send_to(&format!("{url}{channel}"), &webhook).await.status;
    ledger.note(channel, title, matches!(status, 200 | 202));
    status
}
