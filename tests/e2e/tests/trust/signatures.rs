//! Signatures, from the modal for a client secret to the post.

use async_nats::jetstream;
use sentry_sender::{SendError, Sender, Trust, Webhook};
use shared::{Alert, alert, wire};

use crate::scene::{LONG, Scene, body, hand_in, legacy, seconds_ago, signed, slash, with_signature};

const OLD: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const NEW: &str = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
const OTHERS: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn titles(scene: &Scene, channel: u64) -> Vec<(String, u64)> {
    let shown = scene.stack.shown(channel).into_iter();
    let mut titles: Vec<_> = shown.map(|shown| (shown.title, shown.count)).collect();
    titles.sort();
    titles
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_an_integration_of_the_channel_has_signed_gets_in() {
    let scene = Scene::start().await;
    let stack = &scene.stack;
    let strangers = Sender::new(Trust::System).expect("a sender");
    let url = stack.url(1, "");
    let sent = strangers.send(&url, &Webhook::platform("error", "{}")).await;
    assert!(matches!(sent, Err(SendError::Failed(_))), "the certificate is verified: {sent:?}");

    let channel = stack.authorized_channel("alerts").await;
    let other = stack.authorized_channel("other").await;
    scene.secure(channel).await;
    let old = hand_in(stack, channel, OLD).await;
    scene.until(200, channel, "", &signed(&body("signed"), OLD)).await;
    scene.secure(other).await;
    hand_in(stack, other, OTHERS).await;
    scene.until(200, other, "", &signed(&body("others'"), OTHERS)).await;
    // Legacy webhooks have no signature, but one with a signature is trusted
    // too.
    let legacy_body = legacy("legacy").body().to_vec();
    let signature = harness::python::signature(OLD, &legacy_body);
    scene.until(200, channel, "", &legacy("legacy").header("Sentry-Hook-Signature", signature)).await;

    let text = body("refused");
    let right = harness::python::signature(OLD, text.as_bytes());
    let cut = &text[..text.len() - 1];
    scene.refused(channel, "", &with_signature(&text, &right.replace(['0', '1'], "2"))).await;
    scene.refused(channel, "", &with_signature(cut, &right)).await;
    scene.refused(other, "", &with_signature(&text, &right)).await;
    scene.refused(channel, "", &with_signature(&text, &right).timestamp(seconds_ago(660))).await;
    scene.refused(channel, "", &Webhook::platform("event_alert", text.as_str())).await;
    scene.refused(channel, "&token=wrong", &with_signature(&text, &right)).await;
    let broken = with_signature(&text[..text.len() / 2], &right);
    assert_eq!(scene.send(stack.port, channel, "", &broken).await, 415);
    for (channel, words) in [
        (channel, "`signature: matches none of the channel's secrets`"),
        (channel, "`signature: its timestamp is more than 10 minutes off`"),
        (channel, "`token: missing`"),
        (channel, "`token: not this channel's`"),
        (channel, "Its body was missing, cut or not JSON."),
        (other, "`signature: matches none of the channel's secrets`"),
    ] {
        stack.until_status(channel, |said| said.contains(words)).await;
    }

    let new = hand_in(stack, channel, NEW).await;
    assert_ne!(old, new);
    scene.until(200, channel, "", &signed(&body("signed again"), NEW)).await;
    scene.until(200, channel, "", &signed(&body("signed as before"), OLD)).await;
    stack.until_drained(LONG).await;
    slash(stack, "sentry channel secret", channel, &[("remove", &old)]).await;
    scene.until(401, channel, "", &signed(&body("signed as before"), OLD)).await;
    scene.until(200, channel, "", &signed(&body("signed after all"), NEW)).await;

    // A signature must be right in an open channel, too.
    slash(stack, "sentry channel open", channel, &[]).await;
    scene.until(200, channel, "", &legacy("unsigned")).await;
    scene.refused(channel, "", &signed(&body("refused"), OLD)).await;
    stack.until_drained(LONG).await;
    let expected = ["legacy", "signed", "signed after all", "signed again", "signed as before", "unsigned"];
    assert_eq!(titles(&scene, channel), expected.map(|title| (title.to_owned(), 1)));
    assert_eq!(titles(&scene, other), [("others'".to_owned(), 1)]);
    assert_eq!(stack.stored("DEAD_LETTERS").await, 0);
    scene.assert_kept_secret(&[OLD, NEW, OTHERS, &right]);
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_captured_request_is_posted_once_whatever_restarts() {
    let mut scene = Scene::start().await;
    let channel = scene.stack.authorized_channel("alerts").await;
    scene.secure(channel).await;
    let key = hand_in(&scene.stack, channel, OLD).await;
    let captured = signed(&body("captured"), OLD);
    scene.until(200, channel, "", &captured).await;
    scene.stack.until_drained(LONG).await;
    // Each sending has a time, an `Idempotency-Key` and a `Request-ID` of its own.
    for port in scene.ports() {
        assert_eq!(scene.send(port, channel, "", &captured).await, 200);
    }
    let words = "The same request came a second time and was not posted again.";
    scene.stack.until_status(channel, |said| said.contains(words)).await;

    scene.stack.nats.restart().await;
    scene.until(200, channel, "", &captured).await;

    scene.stack.discord.kill();
    scene.discord.kill();
    let alone = signed(&body("nobody there"), OLD);
    assert_eq!(scene.send(scene.ports()[1], channel, "", &alone).await, 202);
    assert_eq!(scene.send(scene.ports()[0], channel, "", &alone).await, 200, "a repeat");
    scene.refused(channel, "", &signed(&body("refused"), NEW)).await;
    let js = jetstream::new(scene.stack.nats.client().await);
    let stream = js.get_stream(wire::ALERTS).await.expect("the stream is there");
    let subject = wire::alert_subject(shared::ChannelId::new(channel));
    let waiting = stream.get_last_raw_message_by_subject(&subject).await.expect("it waits");
    let waiting = Alert::decode(&waiting.payload).expect("an alert");
    assert_eq!(waiting.trust, alert::Trust::Signature(key));

    scene.stack.discord.restart();
    scene.stack.until_shown(channel, 2, LONG).await;
    scene.stack.until_drained(LONG).await;
    let expected = ["captured", "nobody there"].map(|title| (title.to_owned(), 1));
    assert_eq!(titles(&scene, channel), expected);
    scene.stack.until_listening().await;
    let said = scene.stack.until_status(channel, |said| said.contains("matches none")).await;
    assert!(said.contains("\nReceived = 2\nPosted = 2\nWaiting = None\nDead Letters = None\n"), "{said}");
    scene.stack.assert_clean();
}
