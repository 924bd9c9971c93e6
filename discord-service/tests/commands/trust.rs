//! `channel secure`, `channel open` and `channel secret`, as slash commands.

use async_nats::jetstream;
use sandbox_discord::{Invocation, Target, permissions};
use serde_json::{Value, json};
use shared::wire;

use crate::{
    gateway::Connected,
    slash::{REFUSAL, register, shown, text},
    stage::{Stage, config},
};

pub(crate) const SECURE: &str = "sentry channel secure";
pub(crate) const OPEN: &str = "sentry channel open";
const SECRET: &str = "sentry channel secret";
const CLIENT_SECRET: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A bot with a key to seal secrets, and these flags.
async fn connected(flags: &[&str]) -> Connected {
    let file = format!("{}/secrets-key-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&file, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").expect("a file");
    let flags = [flags, &["--secrets-key-file", &file]].concat();
    without_key(&flags).await
}

pub(crate) async fn without_key(flags: &[&str]) -> Connected {
    let stage = Stage::set_in(config(), flags).await;
    let commands = stage.commands.clone();
    let connected = Connected::with(stage, commands).await;
    register(&connected.stage).await;
    connected
}

/// What the mirror says about the channel. Null before the first entry.
pub(crate) async fn mirrored(stage: &Stage, channel: u64) -> Value {
    let js = jetstream::new(stage.nats.client().await);
    let bucket = js.get_key_value(wire::TRUST).await.expect("the bucket is there");
    let entry = bucket.get(channel.to_string()).await.expect("NATS is up");
    entry.map_or(Value::Null, |entry| serde_json::from_slice(&entry).expect("JSON"))
}

/// Opens the modal for the channel and fills it in.
async fn hand_in(stage: &Stage, user: u64, channel: u64, secret: &str) -> Invocation {
    let modal = modal(stage, user, channel).await;
    stage.sandbox.submit_modal(&modal, &[("client-secret", secret)]).expect("the modal has this input")
}

async fn modal(stage: &Stage, user: u64, channel: u64) -> Invocation {
    let options = [("channel", channel.to_string())];
    let options = options.each_ref().map(|(name, value)| (*name, value.as_str()));
    let asked = stage.sandbox.slash(user, stage.office, SECRET, &options).expect("Discord lets them");
    let answer = asked.answer().await.expect("answered within three seconds");
    assert_eq!((answer.kind, &answer.data["custom_id"]), (9, &json!(format!("secret:{channel}"))));
    let label = &answer.data["components"][0];
    assert_eq!((&label["type"], &label["component"]["type"]), (&json!(18), &json!(4)), "{label}");
    assert_eq!(label["component"].get("label"), None, "{label}");
    asked
}

async fn handed_in(stage: &Stage, secret: &str) -> String {
    let handed = hand_in(stage, stage.moderator, stage.alerts, secret).await;
    shown(&handed).await.content().to_owned()
}

#[tokio::test]
async fn client_secrets_are_handed_in_listed_and_removed() {
    let connected = connected(&[]).await;
    let stage = &connected.stage;
    let reply = handed_in(stage, &format!(" {CLIENT_SECRET} ")).await;
    let kept = mirrored(stage, stage.alerts).await;
    let id = kept["secrets"][0]["id"].as_str().expect("an id").to_owned();
    assert!(reply.starts_with(&format!("Stored the client secret for <#{}>", stage.alerts)), "{reply}");
    assert!(reply.ends_with(&format!("`{id}`")), "{reply}");
    assert!(!kept.to_string().contains(CLIENT_SECRET) && !reply.contains(CLIENT_SECRET));

    let reply = handed_in(stage, CLIENT_SECRET).await;
    assert!(reply.contains("has this client secret already"), "{reply}");
    assert!(handed_in(stage, "two words that are none").await.contains("is no client secret"));
    for number in 1..5 {
        handed_in(stage, &format!("{number}{CLIENT_SECRET}")).await;
    }
    let alerts = stage.alerts.to_string();
    let full = text(stage, stage.moderator, stage.office, SECRET, &[("channel", &alerts)]).await;
    assert!(full.contains("has 5 client secrets already"), "{full}");

    let offered = |user: u64| {
        let typed = [("channel", alerts.as_str()), ("remove", "")];
        let asked = stage.sandbox.autocomplete(user, stage.office, SECRET, &typed, "remove");
        async move { asked.expect("Discord asks").answer().await.expect("answered").data["choices"].clone() }
    };
    assert_eq!(offered(stage.member).await, json!([]), "strangers learn nothing");
    let choices = offered(stage.moderator).await;
    assert_eq!((choices.as_array().map(Vec::len), &choices[0]["value"]), (Some(5), &json!(id)));

    let options = [("channel", alerts.as_str()), ("remove", id.as_str())];
    let removed = text(stage, stage.moderator, stage.office, SECRET, &options).await;
    assert!(removed.starts_with(&format!("Removed the client secret `{id}` of <#{alerts}>")), "{removed}");
    let left = mirrored(stage, stage.alerts).await["secrets"].to_string();
    assert!(!left.contains(&id), "{left}");
    let again = text(stage, stage.moderator, stage.office, SECRET, &options).await;
    assert!(again.starts_with(&format!("<#{alerts}> has no client secret `{id}`")), "{again}");
}

#[tokio::test]
async fn manage_messages_is_needed_here_and_in_the_channel_and_again_when_the_secret_is_handed_in() {
    let connected = connected(&[]).await;
    let stage = &connected.stage;
    let alerts = stage.alerts.to_string();
    let channel = [("channel", alerts.as_str())];
    for command in [SECURE, OPEN, SECRET] {
        assert_eq!(text(stage, stage.member, stage.office, command, &channel).await, REFUSAL, "{command}");
    }
    let open = modal(stage, stage.moderator, stage.alerts).await;
    let moderator = Target::Member(stage.moderator);
    stage.sandbox.set_overwrite(stage.alerts, moderator, 0, permissions::MANAGE_MESSAGES);
    for command in [SECURE, OPEN, SECRET] {
        assert_eq!(text(stage, stage.moderator, stage.office, command, &channel).await, REFUSAL, "{command}");
    }
    let late = stage.sandbox.submit_modal(&open, &[("client-secret", CLIENT_SECRET)]).expect("it is open");
    assert_eq!(shown(&late).await.content(), REFUSAL);
    assert_eq!(mirrored(stage, stage.alerts).await, Value::Null);
}

#[tokio::test]
async fn without_a_key_secrets_are_not_taken_and_it_says_what_to_set() {
    let connected = without_key(&[]).await;
    let stage = &connected.stage;
    let alerts = stage.alerts.to_string();
    let reply = text(stage, stage.moderator, stage.office, SECRET, &[("channel", &alerts)]).await;
    assert!(reply.contains("`SECRETS_KEY`") && reply.contains("openssl rand"), "{reply}");
    let reply = text(stage, stage.moderator, stage.office, SECURE, &[("channel", &alerts)]).await;
    assert!(reply.contains("`&token="), "a token needs none: {reply}");
}

#[tokio::test]
async fn while_the_store_hangs_nothing_is_changed_and_it_is_said() {
    let connected = connected(&[]).await;
    let stage = &connected.stage;
    let open = modal(stage, stage.moderator, stage.alerts).await;
    stage.nats.pause();
    let away = "The store is unavailable. Please try again in a minute.";
    let late = stage.sandbox.submit_modal(&open, &[("client-secret", CLIENT_SECRET)]).expect("it is open");
    let alerts = stage.alerts.to_string();
    let secure = stage.sandbox.slash(stage.moderator, stage.office, SECURE, &[("channel", &alerts)]);
    assert_eq!(shown(&late).await.content(), away);
    assert_eq!(shown(&secure.expect("Discord lets them")).await.content(), away);
    stage.nats.unpause();
}
