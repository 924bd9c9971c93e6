//! Bodies and queries that nobody thought of.

use ingress_service::{payload::legacy::LegacyWebhook, request::query::Query};
use proptest::{
    collection,
    prelude::*,
    sample,
    test_runner::{RngSeed, TestRunner},
};
use serde_json::{Map, Value, json};
use shared::{
    Alert, ChannelId,
    alert::{MAX_RECORD, MAX_TEXT},
};

use crate::support::{Request, TestApp, client, fixture};

const KEYS: [&str; 30] = [
    "id",
    "project",
    "project_slug",
    "project_name",
    "url",
    "message",
    "logger",
    "level",
    "culprit",
    "triggering_rules",
    "event",
    "title",
    "timestamp",
    "tags",
    "metadata",
    "type",
    "value",
    "contexts",
    "feedback",
    "monitor",
    "exception",
    "sentry.interfaces.Exception",
    "values",
    "stacktrace",
    "threads",
    "crashed",
    "frames",
    "lineno",
    "in_app",
    "x",
];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[0-9TZ:.+-]{0,30}".prop_map(Value::from),
        Just(Value::from("<untitled>")),
        (0..3_000_usize).prop_map(|length| Value::from("ж".repeat(length))),
        (0..3_000_usize).prop_map(|length| Value::from("\u{1}\"\u{7f}\r😀".repeat(length))),
    ]
}

/// JSON that is often about what Sentry's is about.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            collection::vec((sample::select(&KEYS[..]), inner), 0..6)
                .prop_map(|pairs| pairs
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect::<Map<_, _>>())
                .prop_map(Value::from),
        ]
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let valid = (value(), value()).prop_map(|(event, rest)| {
        let event = if event.is_object() { event } else { json!({ "title": "t", "exception": event }) };
        let mut body = json!({"project": "p", "message": "m", "event": event});
        if let (Value::Object(body), Value::Object(rest)) = (&mut body, rest) {
            body.extend(rest.into_iter().filter(|(key, _)| key != "event"));
        }
        body.to_string().into_bytes()
    });
    let damaged = (
        sample::select(vec!["11_python_exception.json", "51_timestamp_missing_sentry_9_0.json"]),
        any::<sample::Index>(),
        any::<u8>(),
    )
        .prop_map(|(name, at, byte)| {
            let mut body = fixture(name).into_bytes();
            let at = at.index(body.len());
            body[at] = byte;
            body
        });
    prop_oneof![
        4 => valid,
        2 => value().prop_map(|value| value.to_string().into_bytes()),
        2 => damaged,
        1 => collection::vec(any::<u8>(), 0..200),
        1 => "[\\[\\]{}\",:0-9eE\\\\u]{0,60}".prop_map(String::into_bytes),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let name =
        prop_oneof![4 => Just("id".to_owned()), 2 => Just("mention".to_owned()), 1 => "[a-z%0-9]{0,5}"];
    let value = prop_oneof![3 => "[0-9]{1,21}", 1 => "[0-9a-z%+=]{0,8}", 1 => "[!-~&&[^#\"<>`{}]]{0,8}"];
    let pair = (name, value).prop_map(|(name, value)| format!("{name}={value}"));
    collection::vec(pair, 0..4).prop_map(|pairs| pairs.join("&"))
}

fn texts(alert: &Alert) -> impl Iterator<Item = &String> {
    [&alert.title, &alert.message, &alert.culprit, &alert.logger, &alert.level, &alert.url, &alert.release]
        .into_iter()
        .flatten()
        .chain(&alert.rules)
        .chain([&alert.project])
}

/// Whether the alert keeps the bounds of the bus, and is read as it was written.
pub(crate) fn sound(alert: &Alert) -> Result<(), TestCaseError> {
    prop_assert!(texts(alert).all(|text| text.chars().count() <= MAX_TEXT));
    prop_assert!((0..253_402_300_800_000).contains(&alert.timestamp_ms));
    let hidden = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    prop_assert!(texts(alert).all(|text| !text.contains(hidden)));
    let record = alert.encode();
    prop_assert!(record.len() <= MAX_RECORD);
    let whole = serde_json::to_vec(alert).expect("it serializes").len() <= MAX_RECORD;
    prop_assert!(!whole || Alert::decode(&record).expect("it was encoded") == *alert);
    Ok(())
}

#[test]
fn ten_thousand_bodies_and_queries_make_a_sound_alert_or_an_error() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) };
    let parsed = std::cell::Cell::new(0);
    TestRunner::new(config)
        .run(&(body(), query()), |(body, query)| {
            let channel = Query::parse(&query).ok().and_then(|query| query.channel().ok());
            if let Ok(webhook) = LegacyWebhook::parse(&body) {
                parsed.set(parsed.get() + 1);
                let alert = webhook.alert(channel.unwrap_or(ChannelId::new(1)), None, 5);
                sound(&alert)?;
            }
            Ok(())
        })
        .expect("no counterexample");
    assert!(parsed.get() > 2_000, "only {} bodies were valid", parsed.get());
}

#[tokio::test]
async fn two_thousand_requests_are_answered_without_a_5xx() {
    const SENDERS: u32 = 4;
    let app = TestApp::start().await;
    let port = app.port;
    let senders: Vec<_> = (0..SENDERS)
        .map(|sender| {
            client::run(move || {
                let usual = ProptestConfig::with_cases(2_000 / SENDERS);
                // Each sends something else, also with PROPTEST_RNG_SEED.
                let rng_seed = match usual.rng_seed {
                    RngSeed::Fixed(seed) => RngSeed::Fixed(seed + u64::from(sender)),
                    random => random,
                };
                let config = ProptestConfig { failure_persistence: None, rng_seed, ..usual };
                TestRunner::new(config)
                    .run(&(body(), query()), |(body, query)| {
                        let request = Request::post(&format!("/sentry-bot/channel?{query}"), body).bytes();
                        let mut stream = client::connect(port);
                        let _ = std::io::Write::write_all(&mut stream, &request);
                        let response = client::read(&mut stream).expect("an answer");
                        prop_assert!(
                            (200..500).contains(&response.status),
                            "{} {}",
                            response.status,
                            response.body
                        );
                        Ok(())
                    })
                    .expect("no counterexample");
            })
        })
        .collect();
    futures::future::join_all(senders).await;
}
