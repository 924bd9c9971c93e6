//! `channel secure`: a token is in force once the one who asked has it, not before.

use std::time::Duration;

use harness::wait::{SOON, wait_for};
use sandbox_discord::{Effect, Fault, Invocation, Message};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    slash::{EDIT, shown, text},
    stage::Stage,
    trust::{OPEN, SECURE, mirrored, without_key},
};

const PENDING: &str = "Making a new token";

fn token_in(reply: &str) -> &str {
    let (_, rest) = reply.split_once("&token=").expect("a token");
    rest.split_once('`').expect("in a code span").0
}

fn sha256(reply: &str) -> Value {
    hex::encode(Sha256::digest(token_in(reply))).into()
}

fn secure(stage: &Stage) -> Invocation {
    let id = stage.alerts.to_string();
    let used = stage.sandbox.slash(stage.moderator, stage.office, SECURE, &[("channel", &id)]);
    used.expect("Discord lets them")
}

/// What is shown while the token is not in force.
async fn pending(invocation: &Invocation) -> Message {
    let message = invocation.message(SOON).await.expect("a message");
    assert!(message.content().starts_with(PENDING), "{}", message.content());
    assert!(message.content().contains("not in force yet"), "{}", message.content());
    assert!(message.content().contains("use this command again"), "{}", message.content());
    message
}

/// Waits until Discord has been asked to show an answer so many times more.
async fn until_tried(stage: &Stage, before: u64, times: u64) {
    wait_for("it was tried", Duration::from_secs(30), || async {
        (stage.sandbox.stats().answers(EDIT, None) >= before + times).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_secured_channel_has_one_token_that_is_shown_once_and_kept_as_a_hash() {
    let connected = without_key(&["--public-url", "https://bot.example.com:8443/"]).await;
    let stage = &connected.stage;
    let id = stage.alerts.to_string();
    let channel = [("channel", id.as_str())];
    let reply = text(stage, stage.moderator, stage.office, SECURE, &channel).await;
    assert!(reply.starts_with(&format!("<#{id}> is now secured")), "{reply}");
    assert!(reply.contains("not authorized yet"), "{reply}");
    let url = format!("`https://bot.example.com:8443/sentry-bot/channel?id={id}&token=");
    assert!(reply.contains(&url), "{reply}");
    let token = token_in(&reply);
    assert_eq!(token.len(), 43, "32 bytes in base64 without padding");
    let kept = mirrored(stage, stage.alerts).await;
    assert_eq!(kept["secured"], true);
    assert_eq!(kept["tokens"][0]["sha256"], hex::encode(Sha256::digest(token)));
    assert!(!kept.to_string().contains(token));

    stage.authorize(stage.alerts).await;
    let again = text(stage, stage.moderator, stage.office, SECURE, &channel).await;
    assert!(!again.contains("not authorized yet"), "{again}");
    assert_ne!(token_in(&again), token);
    let replaced = mirrored(stage, stage.alerts).await;
    assert_eq!(replaced["tokens"].as_array().map(Vec::len), Some(1), "the former one is not valid any more");
    assert_eq!(replaced["tokens"][0]["sha256"], hex::encode(Sha256::digest(token_in(&again))));
    assert_eq!(replaced["secured_ms"], kept["secured_ms"]);

    let opened = text(stage, stage.moderator, stage.office, OPEN, &channel).await;
    assert_eq!(opened, format!("<#{id}> takes all alerts again. URLs with its token go on working."));
    let kept = mirrored(stage, stage.alerts).await;
    assert_eq!((&kept["secured"], &kept["tokens"]), (&json!(false), &replaced["tokens"]));
    let again = text(stage, stage.moderator, stage.office, OPEN, &channel).await;
    assert_eq!(again, format!("<#{id}> is not secured"));
}

#[tokio::test]
async fn a_token_that_nobody_was_shown_changes_nothing() {
    let connected = without_key(&[]).await;
    let stage = &connected.stage;
    // Discord refuses for good, or fails until all tries are used up.
    for (effect, tries) in [(Effect::Refuse(404, 10_015), 1), (Effect::Status(500), 4)] {
        let (before, tried) =
            (mirrored(stage, stage.alerts).await, stage.sandbox.stats().answers(EDIT, None));
        stage.sandbox.add_fault(Fault::new(effect).on_endpoint(EDIT));
        let asked = secure(stage);
        until_tried(stage, tried, tries).await;
        stage.sandbox.clear_faults();
        // The pod goes on to other commands, and what is kept is what was.
        text(stage, stage.moderator, stage.office, "sentry help", &[]).await;
        assert_eq!(mirrored(stage, stage.alerts).await, before);
        assert!(asked.message(Duration::ZERO).await.is_none(), "the client still waits");
        // Next time there is a former token.
        shown(&secure(stage)).await;
    }
}

#[tokio::test]
async fn a_token_is_not_in_force_while_its_delivery_is_not_confirmed() {
    let connected = without_key(&[]).await;
    let stage = &connected.stage;
    let first = shown(&secure(stage)).await;
    let kept = mirrored(stage, stage.alerts).await;
    assert_eq!(kept["tokens"][0]["sha256"], sha256(first.content()));

    // Discord shows it and is silent about that for a while.
    let silence = Effect::Silence(Duration::from_secs(2));
    stage.sandbox.add_fault(Fault::new(silence).after().on_endpoint(EDIT).times(1));
    let asked = secure(stage);
    pending(&asked).await;
    assert_eq!(mirrored(stage, stage.alerts).await, kept, "the former token still is");
    let second = shown(&asked).await;
    assert!(second.content().starts_with(&format!("<#{}> is now secured", stage.alerts)));
    assert_eq!(mirrored(stage, stage.alerts).await["tokens"][0]["sha256"], sha256(second.content()));
}

#[tokio::test]
async fn whoever_has_a_token_that_may_not_be_in_force_is_told_to_ask_again() {
    let connected = without_key(&[]).await;
    let stage = &connected.stage;
    // The token is shown, and then the store is away.
    let silence = Effect::Silence(Duration::from_secs(2));
    stage.sandbox.add_fault(Fault::new(silence.clone()).after().on_endpoint(EDIT).times(1));
    let asked = secure(stage);
    let token = token_in(pending(&asked).await.content()).to_owned();
    stage.nats.pause();
    let told = shown(&asked).await;
    stage.nats.unpause();
    assert!(
        told.content().starts_with("The store is unavailable, so it is not certain"),
        "{}",
        told.content()
    );
    assert!(told.content().contains("Use this command again"), "{}", told.content());
    assert_eq!(token_in(told.content()), token, "it may be in force, so it stays");

    // It is in force, and that cannot be shown: the first words stay.
    let tried = stage.sandbox.stats().answers(EDIT, None);
    stage.sandbox.add_fault(Fault::new(silence).after().on_endpoint(EDIT).times(1));
    let asked = secure(stage);
    let before = pending(&asked).await;
    stage.sandbox.add_fault(Fault::new(Effect::Refuse(404, 10_015)).on_endpoint(EDIT));
    until_tried(stage, tried, 2).await;
    let kept = mirrored(stage, stage.alerts).await;
    assert_eq!((&kept["secured"], &kept["tokens"][0]["sha256"]), (&json!(true), &sha256(before.content())));
    let after = asked.message(Duration::ZERO).await.expect("it stays");
    assert_eq!(after.content(), before.content());
}

#[tokio::test]
async fn a_secured_channel_is_authorized_without_a_url_that_it_would_refuse() {
    let connected = without_key(&["--public-url", "https://bot.example.com/"]).await;
    let stage = &connected.stage;
    let id = stage.alerts.to_string();
    let channel = [("channel", id.as_str())];
    let authorize = || text(stage, stage.moderator, stage.office, "sentry channel authorize", &channel);
    shown(&secure(stage)).await;
    for state in ["now", "already"] {
        let reply = authorize().await;
        assert!(reply.starts_with(&format!("<#{id}> is {state} authorized\n")), "{reply}");
        assert!(!reply.contains("https://") && reply.contains("/sentry channel secure"), "{reply}");
    }
    text(stage, stage.moderator, stage.office, OPEN, &channel).await;
    let reply = authorize().await;
    assert!(reply.contains(&format!("https://bot.example.com/sentry-bot/channel?id={id}`")), "{reply}");
}
