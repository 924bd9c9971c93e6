//! The backup of docs/OPERATIONS.md: JetStream's files, copied while the server
//! is stopped, bring everything back.

use std::{path::Path, process::Command, time::Duration};

use e2e::Stack;
use harness::wait::wait_for;
use sandbox_discord::{Effect, Fault};
use sentry_sender::{Webhook, body::Exception};

const LONG: Duration = Duration::from_secs(30);

fn webhook(title: &str) -> Webhook {
    Webhook::legacy(Exception::new(title).issue(title).json())
}

/// Sends an alert. It may be stored with a verdict or without.
async fn send(stack: &Stack, channel: u64, title: &str) {
    let status = stack.send(channel, &webhook(title)).await.status;
    assert!(matches!(status, 200 | 202), "{status}");
}

/// Copies JetStream's files over those that are there.
fn copy(from: &Path, to: &Path) {
    let to = to.join("jetstream");
    if to.exists() {
        std::fs::remove_dir_all(&to).expect("removed");
    }
    let copied = Command::new("cp").arg("-a").arg(from.join("jetstream")).arg(&to).status();
    assert!(copied.is_ok_and(|status| status.success()), "not copied");
}

#[tokio::test(flavor = "multi_thread")]
async fn jetstreams_files_bring_back_what_was_authorized_what_waits_and_the_dead_letters_once() {
    let mut stack = Stack::start().await;
    let (channel, closed) =
        (stack.authorized_channel("alerts").await, stack.authorized_channel("closed").await);
    send(&stack, channel, "posted before").await;
    stack.until_shown(channel, 1, LONG).await;
    stack.sandbox.add_fault(Fault::new(Effect::MissingAccess).on_channel(closed));
    send(&stack, closed, "dead").await;
    wait_for("a dead letter", LONG, || async { (stack.stored("DEAD_LETTERS").await == 1).then_some(()) })
        .await;
    stack.sandbox.clear_faults();
    stack.until_drained(LONG).await;
    stack.discord.kill();
    for title in ["waits", "waits too"] {
        send(&stack, channel, title).await;
    }

    stack.ingress.kill();
    stack.nats.kill();
    let backup = tempfile::tempdir().expect("a directory");
    copy(stack.nats.files(), backup.path());
    std::fs::remove_dir_all(stack.nats.files().join("jetstream")).expect("destroyed");
    copy(backup.path(), stack.nats.files());

    stack.nats.restart().await;
    stack.ingress.restart();
    stack.discord.restart();
    stack.ingress.ready().await;
    stack.discord.ready().await;
    stack.until_shown(channel, 3, LONG).await;
    stack.until_drained(LONG).await;
    // The bot looks whether it may post again, so it may have come back by
    // itself.
    let reply = stack.command_in(closed, stack.owner, "!sentry replay").await;
    let replayed = ["Replaying ", "There is nothing to replay"];
    assert!(replayed.iter().any(|text| reply.content().starts_with(text)), "{}", reply.content());
    stack.until_shown(closed, 1, LONG).await;
    send(&stack, channel, "comes after").await;
    stack.until_shown(channel, 4, LONG).await;
    stack.until_drained(LONG).await;
    let titles: Vec<_> = stack.shown(channel).into_iter().map(|shown| (shown.title, shown.count)).collect();
    let expected = ["posted before", "waits", "waits too", "comes after"];
    assert_eq!(titles, expected.map(|title| (title.to_owned(), 1)));
    assert_eq!(stack.alerts(closed), 1);
    stack.assert_clean();
}
