//! A channel that is authorized or revoked on one pod is so on all of them.

use std::time::{Duration, Instant};

use async_nats::Client;
use e2e::{publish, report, worst_but_one};
use harness::{
    nats::NatsServer,
    wait::{SOON, wait_for},
};
use shared::{
    ChannelId,
    verdict::{Verdict, VerdictRequest},
    wire,
};

use crate::{builder, more_discord, until_shared};

/// How many verdicts to ask for in a row, from any pod. One of three pods is
/// left out once in ten million times.
const ASKED: usize = 40;
/// So many channels that several pods have lanes for them.
const CHANNELS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_changes_counts_on_all_pods_within_a_second() {
    let stack = builder().start().await;
    let pods = more_discord(&stack, 2).await;
    until_shared(&[&stack.discord, &pods[0], &pods[1]], 1).await;
    let nats = stack.nats.client().await;
    let channels: Vec<u64> = (0..CHANNELS).map(|number| stack.channel(&format!("alerts-{number}"))).collect();
    let mut took = Vec::new();
    for &channel in &channels {
        // Every pod remembers that it is not authorized.
        assert_eq!(agreed(&nats, channel).await, Some(Verdict::ChannelNotAuthorized));
        stack.command(stack.owner, &format!("!sentry authorize <#{channel}>")).await;
        took.push(until_agreed(&nats, channel, &Verdict::Accepted).await);
    }
    for &channel in &channels {
        publish(&stack, channel, ["while authorized".to_owned()]).await;
        stack.until_shown(channel, 1, SOON).await;
        stack.command(stack.owner, &format!("!sentry revoke <#{channel}>")).await;
        took.push(until_agreed(&nats, channel, &Verdict::ChannelNotAuthorized).await);
        publish(&stack, channel, ["after it was revoked".to_owned()]).await;
    }
    let dead = wait_for("the alerts of revoked channels are dead letters", SOON, || async {
        let dead = stack.dead_letters().await;
        (dead.len() == CHANNELS).then_some(dead)
    })
    .await;
    assert!(dead.iter().all(|letter| letter.reason == "revoked"), "{dead:?}");
    assert!(channels.iter().all(|channel| stack.alerts(*channel) == 1));
    let slowest = worst_but_one(took);
    report(&format!(
        "all of 3 pods had said the same {slowest:.1?} after the reply to a command, but for one"
    ));
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    stack.assert_clean();
}

/// How long a pod relies on its memory.
const A_MINUTE: Duration = Duration::from_secs(60);
/// The time between two looks meanwhile.
const PACE: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_changes_counts_on_all_pods_within_a_minute_when_nobody_is_told() {
    let files = tempfile::tempdir().expect("a directory");
    let configuration = files.path().join("nats.conf");
    std::fs::write(&configuration, in_which_no_change_is_announced()).expect("written");
    let nats = NatsServer::start_with(&["-c", configuration.to_str().expect("a path in UTF-8")]).await;
    let builder = builder().nats(nats).discord("NATS_USER", "mute").discord("NATS_PASSWORD", "mute");
    let stack = builder.start().await;
    let channel = stack.authorized_channel("alerts").await;
    let pods = more_discord(&stack, 1).await;
    until_shared(&[&stack.discord, &pods[0]], 1).await;
    let nats = stack.nats.client().await;
    until_agreed(&nats, channel, &Verdict::Accepted).await;

    stack.command(stack.owner, &format!("!sentry revoke <#{channel}>")).await;
    let revoked = Instant::now();
    assert_eq!(agreed(&nats, channel).await, None, "one pod was not told");
    wait_for("both pods know it", A_MINUTE + SOON, || async {
        tokio::time::sleep(PACE).await;
        (agreed(&nats, channel).await == Some(Verdict::ChannelNotAuthorized)).then_some(())
    })
    .await;
    let took = revoked.elapsed();
    report(&format!("without a broadcast, both of 2 pods had said the same {took:.1?} after the reply"));
    assert!(took < A_MINUTE + PACE * 2, "{took:?}");
    stack.assert_clean();
}

/// A configuration in which the user `mute` may do anything but announce a
/// change of the store. A client without a name may do anything.
fn in_which_no_change_is_announced() -> String {
    format!(
        "accounts {{ BOT {{ jetstream: enabled, users: [\n\
         {{ user: all, password: all }}\n\
         {{ user: mute, password: mute, permissions: {{ publish: {{ deny: {:?} }} }} }}\n\
         ] }} }}\n\
         no_auth_user: all\n",
        wire::STORE_CHANGED
    )
}

/// Waits until all pods say so. Returns how long that took, questions included.
async fn until_agreed(nats: &Client, channel: u64, verdict: &Verdict) -> Duration {
    let start = Instant::now();
    wait_for("all pods agree", SOON, || async {
        (agreed(nats, channel).await.as_ref() == Some(verdict)).then_some(())
    })
    .await;
    start.elapsed()
}

/// The verdict of all pods, if they agree.
async fn agreed(nats: &Client, channel: u64) -> Option<Verdict> {
    let channel = ChannelId::new(channel);
    let question = VerdictRequest { channel, mention: None, project: "backend-api".to_owned() };
    let question = serde_json::to_vec(&question).expect("it encodes");
    let mut said = None;
    for _ in 0..ASKED {
        let answer = nats.request(wire::VERDICT, question.clone().into()).await.expect("a pod answers");
        let verdict: Verdict = serde_json::from_slice(&answer.payload).expect("a verdict");
        if *said.get_or_insert_with(|| verdict.clone()) != verdict {
            return None;
        }
    }
    said
}
