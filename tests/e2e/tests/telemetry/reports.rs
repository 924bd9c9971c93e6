//! The operator's own Sentry, played by a receiver of its envelopes.

use e2e::Stack;
use harness::{
    sentry::SentryReceiver,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Effect, Fault};
use sentry_sender::{Webhook, body::Exception};
use serde_json::{Value, json};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// Every body has it, and no report may have it.
const PERSONAL: &str = "jane.doe@example.com";

async fn start(receiver: &SentryReceiver) -> Stack {
    let dsn = receiver.dsn();
    let stack = Stack::builder().ingress("SENTRY_DSN", &dsn).ingress("SENTRY_TRACES_SAMPLE_RATE", 1);
    stack.discord("SENTRY_DSN", &dsn).discord("SENTRY_TRACES_SAMPLE_RATE", 1).start().await
}

fn legacy(title: &str) -> Webhook {
    Webhook::legacy(Exception::new(title).message(PERSONAL).json())
}

fn about_the_bot(title: &str) -> Webhook {
    of_release(title, "sentry-bot@0.1.0")
}

fn of_release(title: &str, release: &str) -> Webhook {
    let mut body: Value = serde_json::from_slice(&Exception::new(title).json()).expect("JSON");
    body["event"]["release"] = json!(release);
    Webhook::legacy(body.to_string().into_bytes())
}

async fn wait_for_event(receiver: &SentryReceiver, message: &str) -> Value {
    wait_for(&format!("a report of {message:?}"), SOON, || async {
        let is_it = |event: &Value| event["message"].as_str().is_some_and(|text| text.contains(message));
        receiver.items("event").into_iter().find(is_it)
    })
    .await
}

fn transactions(receiver: &SentryReceiver, name: &str) -> Vec<Value> {
    let mut found = receiver.items("transaction");
    found.retain(|transaction| transaction["transaction"] == name);
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_goes_from_sentrys_request_to_the_post() {
    let receiver = SentryReceiver::start();
    let stack = start(&receiver).await;
    let channel = stack.authorized_channel("alerts").await;
    let traced = legacy("Error: traced").header("sentry-trace", format!("{TRACE}-b7ad6b7169203331-0"));
    stack.accepted(channel, &traced).await;
    stack.until_shown(channel, 1, SOON).await;
    let [request, post] = ["POST /sentry-bot/channel", "post an alert"];
    let (request, post) = wait_for("both parts of the trace", SOON, || async {
        Some((transactions(&receiver, request).pop()?, transactions(&receiver, post).pop()?))
    })
    .await;
    let trace = |part: &Value| part["contexts"]["trace"].clone();
    assert_eq!(trace(&request)["trace_id"], TRACE);
    assert_eq!(trace(&request)["parent_span_id"], "b7ad6b7169203331");
    assert_eq!(trace(&post)["trace_id"], TRACE);
    assert_eq!(trace(&post)["parent_span_id"], trace(&request)["span_id"]);
    assert_eq!(
        [&request["tags"]["service"], &post["tags"]["service"]],
        ["ingress-service", "discord-service"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_requests_and_dead_letters_are_reported_seldom_and_without_personal_data() {
    let receiver = SentryReceiver::start();
    let stack = start(&receiver).await;
    let channel = stack.authorized_channel("alerts").await;
    let stranger = stack.channel("stranger");
    for number in 0..20 {
        let url = stack.url(stranger, &format!("&mention={PERSONAL}"));
        assert_eq!(stack.send_to(&url, &legacy(&format!("Error: {number}"))).await.status, 400);
        assert_eq!(stack.send(stranger, &legacy(&format!("Error: {number}"))).await.status, 401);
    }
    let refusal = wait_for_event(&receiver, "Webhook refused: unauthorized_channel").await;
    assert_eq!(refusal["extra"]["source"], "127.0.0.1");

    stack.sandbox.add_fault(Fault::new(Effect::MissingAccess).on_channel(channel));
    stack.accepted(channel, &legacy("Error: forbidden")).await;
    let dead = wait_for_event(&receiver, "Alerts became dead letters: unreachable").await;
    assert_eq!(dead["tags"]["service"], "discord-service");

    let events = receiver.items("event");
    assert!(events.len() <= 3 * 4, "a storm fills the operator's Sentry: {} events", events.len());
    let text = json!(events).to_string() + &json!(receiver.items("transaction")).to_string();
    assert!(!text.contains(PERSONAL), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_to_deliver_the_bots_own_alert_raises_no_further_event() {
    let receiver = SentryReceiver::start();
    let stack = start(&receiver).await;
    let channel = stack.authorized_channel("alerts").await;
    stack.sandbox.add_fault(Fault::new(Effect::MissingAccess).on_channel(channel));
    stack.accepted(channel, &about_the_bot("Error: posts fail")).await;
    let stranger = stack.channel("stranger");
    assert_eq!(stack.send(stranger, &about_the_bot("Error: refused")).await.status, 401);
    wait_for("the alert is dead", SOON, || async { (!stack.dead_letters().await.is_empty()).then_some(()) })
        .await;
    // An earlier report would have arrived before this one.
    let other = stack.authorized_channel("other").await;
    stack.sandbox.add_fault(Fault::new(Effect::MissingAccess).on_channel(other));
    stack.accepted(other, &legacy("Error: not about the bot")).await;
    let dead = wait_for_event(&receiver, "Alerts became dead letters").await;
    assert_eq!(dead["extra"]["channel"], other.to_string());
    assert_eq!(receiver.items("event").len(), 1, "{:#}", json!(receiver.items("event")));

    // A release that only begins like the bot's is somebody else's.
    let foreign = of_release("Error: of a fork", "sentry-bot@0.1.0-fork");
    assert_eq!(stack.send(stranger, &foreign).await.status, 401);
    wait_for_event(&receiver, "Webhook refused: unauthorized_channel").await;
}
