//! What happens to alerts whose key is revoked while they wait.

use async_nats::jetstream;
use e2e::{Builder, Stack};
use harness::wait::wait_for;
use sandbox_discord::{Effect, Fault};
use shared::{Alert, ChannelId, alert::Trust, wire};

use crate::scene::{KEY, LONG, body, hand_in, mirrored, signed, slash};

const CLIENT_SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

async fn start() -> Stack {
    Builder::default().discord("SECRETS_KEY", KEY).ingress("SECRETS_KEY", KEY).start().await
}

fn now_ms() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_millis()).expect("before the year 292 million")
}

/// Puts an alert on the bus that came `before_ms` milliseconds ago.
async fn publish(stack: &Stack, channel: u64, title: &str, trust: Trust, before_ms: i64) {
    let alert = Alert {
        title: Some(title.to_owned()),
        issue_id: Some(title.to_owned()),
        trust,
        ..Alert::new("error", "backend-api", ChannelId::new(channel), now_ms() - before_ms)
    };
    let js = jetstream::new(stack.nats.client().await);
    let stored = js.publish(wire::alert_subject(alert.channel), alert.encode().into()).await;
    stored.expect("NATS is up").await.expect("JetStream stores it");
}

async fn until_dead(stack: &Stack, title: &str) -> e2e::Dead {
    wait_for(&format!("{title} is a dead letter"), LONG, || async {
        stack.dead_letters().await.into_iter().find(|dead| dead.title.as_deref() == Some(title))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_alerts_whose_key_is_still_good_are_posted() {
    let stack = start().await;
    let channel = stack.authorized_channel("alerts").await;
    slash(&stack, "sentry channel secure", channel, &[]).await;
    let former = mirrored(&stack, channel).await["tokens"][0]["id"].as_str().expect("an id").to_owned();
    slash(&stack, "sentry channel secure", channel, &[]).await;
    let kept = mirrored(&stack, channel).await;
    let token = kept["tokens"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!((&kept["secured"], kept["tokens"].as_array().map(Vec::len)), (&true.into(), Some(1)));

    publish(&stack, channel, "revoked", Trust::Token(former), 0).await;
    publish(&stack, channel, "unproven", Trust::None, 0).await;
    publish(&stack, channel, "from before", Trust::None, 60_000).await;
    publish(&stack, channel, "with the token", Trust::Token(token), 0).await;
    let shown = stack.until_shown(channel, 2, LONG).await;
    let titles: Vec<&str> = shown.iter().map(|shown| shown.title.as_str()).collect();
    assert_eq!(titles, ["from before", "with the token"]);
    for (title, why) in [("revoked", "was revoked"), ("unproven", "after the channel was secured")] {
        let dead = until_dead(&stack, title).await;
        assert_eq!((dead.reason.as_str(), dead.may_have_been_posted), ("untrusted", false));
        assert!(dead.detail.contains(why), "{dead:?}");
    }

    // In an open channel, alerts without a key can be replayed. A revoked key
    // stays revoked.
    slash(&stack, "sentry channel open", channel, &[]).await;
    stack.command_in(channel, stack.owner, "!sentry replay").await;
    stack.until_shown(channel, 3, LONG).await;
    until_dead(&stack, "revoked").await;
    stack.until_drained(LONG).await;
    assert_eq!(stack.dead_letters().await.len(), 1);
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_whose_key_is_revoked_before_it_is_confirmed_is_not_repeated() {
    let stack = start().await;
    let channel = stack.authorized_channel("alerts").await;
    slash(&stack, "sentry channel secure", channel, &[]).await;
    let key = hand_in(&stack, channel, CLIENT_SECRET).await;
    let failing = Fault::new(Effect::Status(500)).on_channel(channel);
    stack.sandbox.add_fault(failing);
    let webhook = signed(&body("signed"), CLIENT_SECRET);
    wait_for("the ingress knows the key", LONG, || async {
        (stack.send(channel, &webhook).await.status == 200).then_some(())
    })
    .await;
    wait_for("it was sent in vain", LONG, || async {
        let posts = "POST /channels/{channel_id}/messages";
        (stack.sandbox.stats().answers(posts, Some(500)) > 0).then_some(())
    })
    .await;
    slash(&stack, "sentry channel secret", channel, &[("remove", &key)]).await;
    let dead = until_dead(&stack, "signed").await;
    assert_eq!((dead.reason.as_str(), dead.may_have_been_posted), ("untrusted", true));
    stack.sandbox.clear_faults();
    let words = "Its token or client secret was revoked";
    let said = stack.until_status(channel, |said| said.contains(words)).await;
    assert!(said.contains("It may have been posted."), "{said}");
    assert!(said.contains("\nReceived = 1\nPosted = None\nWaiting = None\nDead Letters = 1\n"), "{said}");

    // The key is gone for good, so a replay makes it a dead letter again.
    let reply = stack.command_in(channel, stack.owner, "!sentry replay").await;
    assert_eq!(reply.content(), "Replaying 1 alert");
    stack.until_drained(LONG).await;
    assert_eq!((stack.alerts(channel), stack.dead_letters().await.len()), (0, 1));

    let log = stack.discord.log();
    assert!(log.contains("a client secret was handed in") && !log.contains(CLIENT_SECRET));
    let metrics = reqwest::get(format!("{}/metrics", stack.discord.admin())).await.expect("it answers");
    assert!(!metrics.text().await.expect("text").contains(CLIENT_SECRET));
    stack.assert_clean();
}
