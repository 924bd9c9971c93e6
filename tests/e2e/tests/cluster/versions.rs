//! Records of older and newer builds, as a rolling update leaves them in NATS.

use async_nats::{
    HeaderMap,
    header::NATS_MESSAGE_ID,
    jetstream::{self, Context},
};
use e2e::{Stack, publish};
use harness::wait::{SOON, wait_for};
use serde_json::{Value, json};
use shared::{ChannelId, wire};

use crate::builder;

async fn put(js: &Context, subject: String, record: &[u8]) {
    let mut headers = HeaderMap::new();
    headers.insert(NATS_MESSAGE_ID, format!("{subject}-{}", record.len()));
    let stored = js.publish_with_headers(subject, headers, record.to_vec().into()).await.expect("sent");
    stored.await.expect("stored");
}

async fn lane_record(js: &Context, channel: u64, record: &Value) {
    let lanes = js.get_key_value(wire::LANES).await.expect("the bucket exists");
    lanes.put(channel.to_string(), record.to_string().into()).await.expect("written");
}

async fn last_alert(stack: &Stack) -> u64 {
    let js = jetstream::new(stack.nats.client().await);
    js.get_stream(wire::ALERTS).await.expect("the stream").cached_info().state.last_sequence
}

fn alert(channel: u64, title: &str) -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let now = u64::try_from(now.as_millis()).expect("soon");
    json!({
        "v": 1, "channel": channel, "kind": "error", "project": "backend-api", "title": title,
        "timestamp_ms": now, "received_ms": now,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_of_other_builds_are_shown_or_are_dead_letters_that_say_why() {
    let stack = builder().start().await;
    let js = jetstream::new(stack.nats.client().await);
    let channel = stack.authorized_channel("alerts").await;
    let subject = || wire::alert_subject(ChannelId::new(channel));
    put(&js, subject(), alert(channel, "of an older build").to_string().as_bytes()).await;
    let mut newer = alert(channel, "of a newer build");
    newer["mood"] = json!({ "calm": true });
    newer["details"] = json!({ "actor": "Jane", "weather": ["rain"] });
    newer["trust"] = json!({ "by": "none" });
    put(&js, subject(), newer.to_string().as_bytes()).await;
    let mut unknown = alert(channel, "of a version that this build does not know");
    unknown["v"] = 99.into();
    put(&js, subject(), unknown.to_string().as_bytes()).await;
    put(&js, subject(), b"\xff\x00 no alert at all").await;

    stack.until_drained(SOON).await;
    let titles: Vec<String> = stack.shown(channel).into_iter().map(|shown| shown.title).collect();
    assert_eq!(titles, ["of an older build", "of a newer build"]);
    let dead = stack.dead_letters().await;
    assert_eq!(dead.len(), 2, "{dead:?}");
    assert!(dead.iter().all(|letter| letter.reason == "unreadable" && !letter.may_have_been_posted));
    assert_eq!(dead[0].detail, "alert of unknown version 99");
    assert!(dead[1].detail.starts_with("not an alert: "), "{}", dead[1].detail);
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_build_had_in_flight_is_neither_lost_nor_posted_twice() {
    let mut stack = builder().start().await;
    let js = jetstream::new(stack.nats.client().await);
    let posted = stack.authorized_channel("posted").await;
    let sending = stack.authorized_channel("sending").await;
    stack.discord.kill();
    let mut sequences = Vec::new();
    for channel in [posted, sending] {
        publish(&stack, channel, ["first", "second", "later", "removed"].map(str::to_owned)).await;
        let last = last_alert(&stack).await;
        // The removal was under way, and had removed one alert that came after
        // another.
        let alerts = js.get_stream(wire::ALERTS).await.expect("the stream");
        assert!(alerts.delete_message(last).await.expect("removed"));
        sequences.push(last - 3);
    }
    let record =
        |state: &str, first| json!({ "v": 2, "state": state, "runs": [[first, 2], [2, 1]], "form": "new" });
    lane_record(&js, posted, &record("posted", sequences[0])).await;
    lane_record(&js, sending, &record("sending", sequences[1])).await;
    stack.discord.restart();
    stack.until_drained(SOON * 2).await;
    for channel in [posted, sending] {
        let titles: Vec<String> = stack.shown(channel).into_iter().map(|shown| shown.title).collect();
        assert_eq!(titles, ["later"]);
    }
    let dead = stack.dead_letters().await;
    let titles: Vec<_> = dead.iter().map(|letter| letter.title.as_deref()).collect();
    assert_eq!(titles, [Some("first"), Some("second")]);
    let told = dead.iter().all(|letter| letter.may_have_been_posted && letter.channel == sending.to_string());
    assert!(told, "{dead:?}");
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_made_anew_loses_no_alert_to_what_was_in_flight_before() {
    let mut stack = builder().start().await;
    let js = jetstream::new(stack.nats.client().await);
    let channel = stack.authorized_channel("alerts").await;
    publish(&stack, channel, ["before".to_owned()]).await;
    stack.until_shown(channel, 1, SOON).await;
    stack.until_drained(SOON).await;
    stack.discord.kill();
    let mut stream = js.get_stream(wire::ALERTS).await.expect("the stream");
    let config = stream.info().await.expect("NATS answers").config.clone();
    js.delete_stream(wire::ALERTS).await.expect("deleted");
    js.create_stream(config).await.expect("made again");
    // It has the sequence of an alert that was posted, as the lane's record
    // says.
    publish(&stack, channel, ["after".to_owned()]).await;
    stack.discord.restart();
    let shown = stack.until_shown(channel, 2, SOON).await;
    assert_eq!(shown[1].title, "after");
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_and_a_dead_letter_of_a_newer_build_are_understood() {
    let mut stack = builder().start().await;
    let js = jetstream::new(stack.nats.client().await);
    let channel = stack.authorized_channel("alerts").await;
    let letter = json!({
        "v": 2, "reason": "expired", "detail": "it waited too long", "died_ms": 1, "mood": "calm",
        "alert": alert(channel, "dead under a newer build"),
    });
    put(&js, wire::dead_letter_subject("expired", ChannelId::new(channel)), letter.to_string().as_bytes())
        .await;
    let reply = stack.command_in(channel, stack.owner, "!sentry replay").await;
    assert_eq!(reply.content().lines().next(), Some("Replaying 1 alert"));
    stack.until_shown(channel, 1, SOON).await;

    // A channel that a newer build wrote down in its own way still counts as
    // once authorized. An alert after it was revoked becomes a dead letter and
    // is not dropped.
    stack.command(stack.owner, &format!("!sentry revoke <#{channel}>")).await;
    let channels = js.get_key_value(wire::CHANNELS).await.expect("the bucket exists");
    channels.put(channel.to_string(), r#"{"guild":"1"}"#.into()).await.expect("written");
    stack.discord.restart();
    stack.discord.ready().await;
    publish(&stack, channel, ["after it was revoked".to_owned()]).await;
    let dead = wait_for("a dead letter", SOON, || async { stack.dead_letters().await.pop() }).await;
    assert_eq!(dead.reason, "revoked");
    stack.assert_clean();
}
