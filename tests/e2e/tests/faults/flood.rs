//! A flood of commands in one server does not slow another.

use std::{sync::Arc, time::Duration};

use e2e::{Ledger, Stack, report, worst_but_one};
use futures::future::join_all;
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Channel, Config, Guild, Invocation, Limit, User};
use shared::shutdown::CancellationToken;
use tokio::time::{Instant, sleep, sleep_until};

/// How long Discord waits for a first answer.
const IN_TIME: Duration = Duration::from_secs(3);
const MEMBERS: usize = 50;
/// Commands and alerts in the quiet server, and the time between two: what one
/// channel's limit lets go.
const ROUNDS: usize = 12;
const PACE: Duration = Duration::from_millis(700);

/// A server whose members use commands without end.
struct Noisy {
    /// Where alerts may go, and commands are answered.
    authorized: u64,
    unauthorized: u64,
    members: Vec<u64>,
}

impl Noisy {
    async fn join(stack: &Stack) -> Self {
        let members: Vec<u64> =
            (0..MEMBERS).map(|n| stack.sandbox.add_user(User::new(format!("member-{n}")))).collect();
        let guild =
            members.iter().fold(Guild::new("Noisy", stack.owner), |guild, user| guild.member(*user, &[]));
        let guild = stack.sandbox.add_guild(guild);
        let channel = |name: &str| stack.sandbox.add_channel(guild, Channel::text(name));
        let (authorized, unauthorized) = (channel("authorized"), channel("unauthorized"));
        let reply = stack.command_in(authorized, stack.owner, "!sentry channel authorize").await;
        assert_eq!(reply.content(), format!("<#{authorized}> is now authorized"));
        Self { authorized, unauthorized, members }
    }

    /// Sends 5 commands a second in the channel that is not authorized. In the
    /// other, each member sends two a second, every fourth as a slash command.
    async fn flood(&self, stack: &Stack, stop: &CancellationToken) -> Vec<Invocation> {
        let mut used = Vec::new();
        for (turn, member) in self.members.iter().cycle().enumerate() {
            if stop.is_cancelled() {
                break;
            }
            if turn % 20 == 0 {
                stack.sandbox.say(*member, self.unauthorized, "!sentry h").expect("they may type");
            }
            let words = ["!sentry h", "!sentry status", "!sentry authorize #nothing"];
            match turn % 4 {
                3 => used.push(
                    stack
                        .sandbox
                        .slash(*member, self.authorized, "sentry status", &[])
                        .expect("they may use it"),
                ),
                kind => {
                    stack.sandbox.say(*member, self.authorized, words[kind]).expect("they may type");
                }
            }
            sleep(Duration::from_millis(10)).await;
        }
        used
    }
}

/// How long slash commands and alerts take in the quiet server.
async fn quiet(stack: &Stack, ledger: &Ledger, channel: u64, name: &str) -> (Duration, Duration) {
    let (mut answers, mut alerts) = (Vec::new(), Vec::new());
    for number in 0..ROUNDS {
        let (start, before) = (Instant::now(), stack.alerts(channel));
        let used = stack.sandbox.slash(stack.owner, channel, "sentry help", &[]).expect("registered");
        used.answer().await.expect("answered within three seconds");
        let message = used.message(SOON).await.expect("help");
        assert_eq!(message.embeds().len(), 1, "{}", message.content());
        answers.push(start.elapsed());
        let sent = Instant::now();
        ledger.send(stack, channel, &format!("{name} {number}")).await;
        stack.until_shown(channel, before + 1, SOON).await;
        alerts.push(sent.elapsed());
        sleep_until(start + PACE).await;
    }
    (answers.into_iter().max().unwrap_or_default(), worst_but_one(alerts))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_commands_in_one_server_is_not_felt_in_another() {
    let ledger = Ledger::default();
    // A limit that the replies to a flood wait for, and single alerts do not.
    let config = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(5, Duration::from_secs(2));
    });
    let stack = Arc::new(Stack::builder().sandbox(config).start().await);
    let channel = stack.authorized_channels(1, &ledger).await[0];
    wait_for("the commands are registered", SOON, || async {
        stack.sandbox.slash(stack.owner, channel, "sentry help", &[]).ok()
    })
    .await;
    let noisy = Arc::new(Noisy::join(&stack).await);
    let stop = CancellationToken::new();
    let flood = {
        let (noisy, stack, stop) = (Arc::clone(&noisy), Arc::clone(&stack), stop.clone());
        tokio::spawn(async move { noisy.flood(&stack, &stop).await })
    };
    let (answer, alert) = quiet(&stack, &ledger, channel, "quiet").await;
    stop.cancel();
    let used = flood.await.expect("the flood ends");
    report(&format!("beside a flood of commands: a slash command {answer:?} at worst, an alert {alert:?}"));
    assert!(answer < IN_TIME, "{answer:?}");
    assert!(alert < Duration::from_secs(2), "{alert:?}");

    // A flooding member is told so each time, if only they see it.
    let told = join_all(used.iter().map(|used| used.answer())).await;
    let unanswered = told.iter().filter(|answer| answer.is_none()).count();
    assert_eq!(unanswered, 0, "of {} slash commands", told.len());
    let replies = |channel| {
        stack
            .sandbox
            .messages(channel)
            .into_iter()
            .filter(|message| message.author == stack.sandbox.bot())
            .count()
    };
    assert_eq!(replies(noisy.unauthorized), 1, "it is said once a minute");
    assert!(replies(noisy.authorized) > 1, "some are answered");
    assert!(stack.sandbox.stats().in_flight_max.get(&noisy.authorized) <= Some(&2));
    ledger.settle(&stack, crate::SETTLED).await;
    stack.assert_clean();
}
