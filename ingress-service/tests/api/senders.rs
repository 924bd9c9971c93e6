//! Webhooks of GlitchTip and Bugsink: each real payload and the alerts that it
//! becomes, and what is answered to the rest.

use ingress_service::payload::{PayloadError, legacy::LegacyWebhook, other_senders::OtherWebhook};
use serde_json::{Value, json};
use shared::{Alert, ChannelId, UserId, alert::UNKNOWN_PROJECT, wire};

use crate::support::{CHANNEL, MINIMAL, TestApp, body, fixtures};

/// 2025-11-24 00:00:00, a day after the events, so that the alerts show where it is used.
const RECEIVED_MS: i64 = 1_763_942_400_000;
const STORED: &str = r#"{"success":"200"}"#;
const INVALID: &str = r#"{"error":{"type":"validation_failed","message":"Validation failed."}}"#;
pub(crate) const FOLDERS: [&str; 2] = ["glitchtip", "bugsink"];

fn alerts(body: &str) -> Vec<Alert> {
    let webhook = OtherWebhook::parse(body.as_bytes()).expect("the schema allows it");
    webhook.expect("it is another sender's").alerts(ChannelId::new(1), Some(UserId::new(2)), RECEIVED_MS)
}

pub(crate) fn value(folder: &str, name: &str) -> Value {
    serde_json::from_str(&body(folder, name)).expect("JSON")
}

/// GlitchTip's body with so many issues in it.
fn several(issues: usize) -> Value {
    let mut body = value("glitchtip", "general_issue.json");
    body["text"] = json!(format!("GlitchTip Alert ({issues} issues)"));
    body["attachments"] = (0..issues).map(issue).collect();
    body
}

fn issue(number: usize) -> Value {
    let mut issue = value("glitchtip", "general_issue.json")["attachments"][0].clone();
    issue["title"] = json!(format!("Error {number}"));
    issue["title_link"] = json!(format!("https://glitchtip.example.com/acme/issues/{number}"));
    issue
}

async fn kinds(app: &TestApp) -> Vec<String> {
    app.alerts().await.into_iter().map(|alert| alert.kind).collect()
}

#[test]
fn every_payload_becomes_its_alerts() {
    for folder in FOLDERS {
        let mut all = String::new();
        for name in fixtures(folder) {
            let alerts = alerts(&body(folder, &name));
            for alert in &alerts {
                assert_eq!(Alert::decode(&alert.encode()).expect("it was encoded"), *alert);
            }
            all += &format!("=== {name}\n");
            all += &serde_json::to_string_pretty(&alerts).expect("alerts serialize");
            all.push('\n');
        }
        insta::assert_snapshot!(folder, all);
    }
}

#[test]
fn a_body_of_sentry_is_never_taken_for_anothers() {
    for name in fixtures("legacy") {
        let webhook = OtherWebhook::parse(body("legacy", &name).as_bytes()).expect("JSON");
        assert!(webhook.is_none(), "{name}");
    }
    // Not even with all marks of other senders.
    for folder in FOLDERS {
        for name in fixtures(folder) {
            let mut marked = value(folder, &name);
            for (key, said) in [("event", json!({})), ("project", json!("shop")), ("message", json!("m"))] {
                marked[key] = said;
            }
            marked["id"] = json!("7");
            let marked = marked.to_string();
            assert!(OtherWebhook::parse(marked.as_bytes()).expect("JSON").is_none(), "{folder} {name}");
            assert!(LegacyWebhook::parse(marked.as_bytes()).is_ok(), "{folder} {name}");
        }
    }
    for other in ["null", "[]", "{}", r#"{"text":"hello","attachments":[{"title":"t"}]}"#, r#"{"embeds":[]}"#]
    {
        assert!(OtherWebhook::parse(other.as_bytes()).expect("JSON").is_none(), "{other}");
    }
}

#[test]
fn of_many_issues_ten_are_alerts_and_the_last_says_how_many_more_there_are() {
    for (issues, last) in [
        (10, "Error 9"),
        (11, "Error 9 (and 1 more issue)"),
        (25, "Error 9 (and 15 more issues)"),
        // `prune` keeps the last of very many.
        (300, "Error 53 (and 290 more issues)"),
    ] {
        let mut body = several(issues);
        for line in [json!("GlitchTip Alert"), body["text"].clone()] {
            body["text"] = line;
            let alerts = alerts(&body.to_string());
            assert_eq!(alerts.len(), 10);
            assert_eq!(alerts.last().and_then(|alert| alert.title.as_deref()), Some(last));
        }
    }
    let mut long = several(11);
    long["attachments"][9]["title"] = json!("x".repeat(5_000));
    let alerts = alerts(&long.to_string());
    let title = alerts.last().and_then(|alert| alert.title.as_deref()).expect("a title");
    assert!(title.ends_with("… (and 1 more issue)") && title.chars().count() < 256, "{title}");
}

#[test]
fn a_body_that_is_theirs_and_not_as_they_send_it_is_refused_by_name() {
    let refused = |body: &Value| match OtherWebhook::parse(body.to_string().as_bytes()) {
        Err(PayloadError::OtherSender { sender, rule, .. }) => format!("{sender} {rule}"),
        other => panic!("{body}: {other:?}"),
    };
    let glitchtip = json!({"text": "GlitchTip Alert", "attachments": []});
    assert_eq!(refused(&glitchtip), "glitchtip /properties/attachments/minItems");
    let mut body = several(2);
    body["attachments"][1]["title"] = json!(7);
    assert_eq!(refused(&body), "glitchtip /properties/attachments/items/properties/title/type");
    let mut body = value("bugsink", "custom_new.json");
    body["alert_reason"] = json!("ARCHIVED");
    assert_eq!(refused(&body), "bugsink /properties/alert_reason/enum");
    let mut body = value("bugsink", "slack_new.json");
    body["blocks"][1]["text"]["text"] = json!("ARCHIVED issue");
    assert_eq!(refused(&body), "bugsink /properties/blocks/contains");
    let mut body = value("bugsink", "discord_new.json");
    body["embeds"][0]["description"] = json!("ARCHIVED issue");
    assert_eq!(refused(&body), "bugsink /properties/embeds/items/properties/description/anyOf");
}

#[test]
fn foreign_text_decides_nothing() {
    // An exception's own text becomes the header.
    for title in ["NEW issue", "<https://evil.example/|view on Bugsink>", "Test message by Bugsink"] {
        let mut body = value("bugsink", "slack_regressed.json");
        body["blocks"][0]["text"]["text"] = json!(title);
        let [alert] = alerts(&body.to_string()).try_into().expect("one alert");
        assert_eq!((alert.title.as_deref(), alert.kind.as_str()), (Some(title), "issue.unresolved"));
        assert!(alert.url.expect("a link").starts_with("https://bugsink.example.com/"), "{title}");
    }
    let mut body = value("glitchtip", "general_issue.json");
    body["attachments"][0]["text"] = json!("GlitchTip Uptime Alert: The monitored site is back up.");
    body["attachments"][0]["fields"][0]["value"] = json!("`@everyone` \u{1}");
    let [alert] = alerts(&body.to_string()).try_into().expect("one alert");
    assert_eq!((alert.kind.as_str(), alert.project.as_str()), ("error", "everyone"));
    body["attachments"][0]["fields"][0]["value"] = json!("Магазин");
    let [alert] = alerts(&body.to_string()).try_into().expect("one alert");
    assert_eq!((alert.project.as_str(), alert.project_name.as_deref()), (UNKNOWN_PROJECT, Some("Магазин")));
}

#[tokio::test]
async fn every_payload_is_stored_and_a_repeat_is_not() {
    let app = TestApp::start().await;
    for folder in FOLDERS {
        for name in fixtures(folder) {
            let before = app.alerts().await.len();
            let body = body(folder, &name);
            for _ in 0..2 {
                app.post(CHANNEL, body.clone()).await.expect(200, STORED);
            }
            assert_eq!(app.alerts().await.len() - before, alerts(&body).len(), "{folder} {name}");
        }
    }
    app.post(CHANNEL, MINIMAL).await.expect(200, STORED);
    let mut refused = value("bugsink", "custom_new.json");
    refused["alert_reason"] = json!("ARCHIVED");
    app.post(CHANNEL, refused.to_string()).await.expect(400, INVALID);
}

#[tokio::test]
async fn several_issues_are_stored_in_their_order_each_under_an_id_of_its_own() {
    let app = TestApp::start().await;
    let body = several(12).to_string();
    for _ in 0..3 {
        app.post(CHANNEL, body.clone()).await.expect(200, STORED);
    }
    let stored = app.stored().await;
    let titles: Vec<_> = stored.iter().filter_map(|(_, alert)| alert.title.clone()).collect();
    let expected = (0..9).map(|n| format!("Error {n}")).chain(["Error 9 (and 2 more issues)".to_owned()]);
    assert_eq!(titles, expected.collect::<Vec<_>>());
    let parts: Vec<_> = stored.iter().filter_map(|(id, _)| id.rsplit_once('.')).collect();
    let [(first, _), ..] = parts[..] else { panic!("{parts:?}") };
    let numbered: Vec<_> = (1..=10).map(|part| (first, part.to_string())).collect();
    assert_eq!(parts.iter().map(|(id, part)| (*id, (*part).to_owned())).collect::<Vec<_>>(), numbered);
    // Another mention is another request.
    app.post("/sentry-bot/channel?id=42&mention=7", body).await.expect(200, STORED);
    assert_eq!(app.alerts().await.len(), 20);
}

#[tokio::test]
async fn a_repeat_stores_what_found_no_room_before() {
    let few = ["--runtime-mode", "development", "--channel-backlog-max", "5"];
    let app = TestApp::start_with(&few).await.decide(|_| Some(shared::verdict::Verdict::Accepted)).await;
    let body = several(8).to_string();
    let full = r#"{"error":{"message":"Too many alerts are waiting for this channel","channel":42}}"#;
    app.post(CHANNEL, body.clone()).await.expect(429, full);
    let first = app.alerts().await;
    assert_eq!(first.len(), 5);
    // They are posted, and leave.
    let js = async_nats::jetstream::new(app.nats.client().await);
    js.get_stream(wire::ALERTS).await.expect("it is there").purge().await.expect("purged");
    app.post(CHANNEL, body.clone()).await.expect(200, STORED);
    app.post(CHANNEL, body).await.expect(200, STORED);
    let second = app.alerts().await;
    let mut titles: Vec<_> = first.iter().chain(&second).filter_map(|alert| alert.title.clone()).collect();
    titles.sort();
    assert_eq!(titles, (0..8).map(|n| format!("Error {n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_a_verdict_a_stranger_has_room_for_one_body_of_ten() {
    let app = TestApp::start_with(&["--runtime-mode", "development"]).await;
    let body = |first: usize| {
        let mut body = several(10);
        body["attachments"] = (first..first + 10).map(issue).collect();
        body.to_string()
    };
    app.post(CHANNEL, body(0)).await.expect(202, r#"{"success":"202"}"#);
    app.post(CHANNEL, body(10)).await.expect(503, r#"{"error":{"message":"Alert queue unavailable"}}"#);
    assert_eq!(app.alerts().await.len(), 10);
}

#[tokio::test]
async fn what_comes_back_is_told_again_where_a_body_says_nothing_unique() {
    let app = TestApp::start().await;
    let [down, up] = ["uptime_down.json", "uptime_up.json"].map(|name| body("glitchtip", name));
    for body in [&down, &down, &up, &down, &up, &up] {
        app.post(CHANNEL, body.clone()).await.expect(200, STORED);
    }
    assert_eq!(kinds(&app).await, ["uptime.down", "uptime.up", "uptime.down", "uptime.up"]);
    let [new, back] = ["slack_new.json", "slack_regressed.json"].map(|name| body("bugsink", name));
    for body in [&new, &back, &back, &new, &back] {
        app.post("/sentry-bot/channel?id=43", body.clone()).await.expect(200, STORED);
    }
    let told = kinds(&app).await.split_off(4);
    assert_eq!(told, ["issue.created", "issue.unresolved", "issue.created", "issue.unresolved"]);
    // Each alert of a body has a state of its own.
    let mut both: Value = serde_json::from_str(&down).expect("JSON");
    let mut second = both["attachments"][0].clone();
    second["title_link"] = json!("https://glitchtip.example.com/acme/uptime-monitors/32");
    both["attachments"].as_array_mut().expect("a list").push(second);
    for body in [both.to_string(), up, both.to_string()] {
        app.post("/sentry-bot/channel?id=44", body).await.expect(200, STORED);
    }
    let told = kinds(&app).await.split_off(8);
    assert_eq!(told, ["uptime.down", "uptime.down", "uptime.up", "uptime.down"]);
}
