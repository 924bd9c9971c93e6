//! Every legacy payload as Discord shows it, from the webhook's bytes on.

mod stack_trace;

use std::{fmt::Write as _, path::Path, time::Duration};

use e2e::Stack;
use harness::workspace_root;
use sandbox_discord::{Config, Limit, Message};
use sentry_sender::{Webhook, body::Exception};
use serde_json::Value;

const LONG: Duration = Duration::from_secs(60);

async fn stack() -> Stack {
    stack_in_style("modern").await
}

async fn stack_in_style(style: &str) -> Stack {
    // One message for each payload: faster than Discord's five in five seconds.
    let sandbox =
        Config::default().clocks(|clocks| clocks.channel = Limit::new(1_000, Duration::from_secs(1)));
    Stack::builder().sandbox(sandbox).discord("ALERT_STYLE", style).start().await
}

/// Sends it and returns the message that arrives.
async fn posted(stack: &Stack, channel: u64, webhook: &Webhook) -> Message {
    let before = stack.shown(channel).len();
    assert_eq!(stack.accepted(channel, webhook).await.body, r#"{"success":"200"}"#);
    let shown = stack.until_shown(channel, before as u64 + 1, LONG).await;
    let id = shown.last().expect("one more is shown").message;
    let messages = stack.sandbox.messages(channel);
    messages.into_iter().find(|message| message.id == id).expect("it is shown")
}

/// A message as text: each embed's colour, title, link, fields and footer.
fn picture(message: &Message) -> String {
    let mut text = String::new();
    for embed in message.embeds() {
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        writeln!(
            text,
            "#{:06X} {} -> {}\n{}",
            embed["color"].as_u64().unwrap_or_default(),
            string(&embed["title"]),
            embed["url"].as_str().unwrap_or("no link"),
            string(&embed["description"])
        )
        .expect("memory");
        for field in embed["fields"].as_array().into_iter().flatten() {
            let (name, value) = (string(&field["name"]), string(&field["value"]));
            // A payload without a time shows the time of receipt.
            let undated = name == "Timestamp (UTC)" && !value.starts_with(DAY);
            let value = if undated { "`(time of receipt)`".to_owned() } else { value };
            writeln!(text, "{name}: {value}").expect("memory");
        }
        if let Some(footer) = embed.pointer("/footer/text") {
            writeln!(text, "-- {}", string(footer)).expect("memory");
        }
    }
    for button in message.json["components"].as_array().into_iter().flatten() {
        writeln!(
            text,
            "[{}]",
            button.pointer("/components/0/url").map(ToString::to_string).unwrap_or_default()
        )
        .expect("memory");
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fixture_is_shown_as_it_should_be() {
    let stack = stack_in_style("classic").await;
    let channel = stack.authorized_channel("alerts").await;
    let folder = workspace_root().join("tests/fixtures/legacy");
    let files = sentry_sender::webhook::json_files(&folder).expect("the fixtures are there");
    assert!(files.len() >= 17, "{files:?}");
    let mut gallery = String::new();
    for file in &files {
        let webhook = Webhook::from_file(file).expect("a fixture is readable");
        let message = posted(&stack, channel, &webhook).await;
        assert!(message.pings.is_empty(), "{} pings {:?}", file.display(), message.pings);
        writeln!(gallery, "=== {}\n{}", name(file), picture(&message)).expect("memory");
    }
    stack.assert_all_posted(LONG).await;
    insta::assert_snapshot!(gallery);
}

/// The day on which the events of the fixtures happened.
const DAY: &str = "`23-11-2025 ";

fn name(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_and_hostile_bodies_arrive_whole_enough() {
    let stack = stack().await;
    let channel = stack.authorized_channel("alerts").await;
    let large = Exception::new("TypeError: undefined is not a function").size(335_000);
    let long = Exception::new("Long").message("The quick brown fox. ".repeat(390)).issue("2");
    let hostile = Exception::new("`` @everyone <@&1> [x](https://evil.example)\u{202E}").issue("3");
    for (exception, expected) in [
        (large, "TypeError: undefined is not a function"),
        (long, "Long"),
        (hostile, r"ˋˋ \@everyone \<\@&1> \[x\](https\://evil.example)"),
    ] {
        let message = posted(&stack, channel, &Webhook::legacy(exception.json())).await;
        assert_eq!(message.embeds()[0]["title"], expected);
        assert!(message.pings.is_empty(), "{:?}", message.pings);
    }
    stack.assert_clean();
}
