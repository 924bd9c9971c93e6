//! Messages that no build of ours writes.

use async_nats::jetstream;
use e2e::Ledger;
use harness::wait::{SOON, wait_for};
use shared::{ChannelId, wire};

use crate::{SETTLED, builder};

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_a_dead_letter_and_the_next_alert_is_shown() {
    let ledger = Ledger::default();
    let stack = builder().start().await;
    let channels = stack.authorized_channels(2, &ledger).await;
    stack.until_drained(SETTLED).await;
    let subject = wire::alert_subject(ChannelId::new(channels[0]));
    let other = wire::partition(ChannelId::new(channels[1]));
    let poison: [(&str, &[u8]); 8] = [
        (&subject, b"\xff\x00garbage"),
        (&subject, b""),
        (&subject, br#"{"v":99}"#),
        (&subject, br#"{"v":1,"channel":18446744073709551616}"#),
        (&subject, br#"{"v":1,"channel":1,"kind":"error","project":"a","timestamp_ms":0,"received_ms":0}"#),
        ("alerts.63.not-a-channel", b"{}"),
        ("alerts.7.18446744073709551616", b"{}"),
        (&format!("alerts.{}.{}", (other + 1) % 64, channels[1]), b"in a foreign partition"),
    ];
    let js = jetstream::new(stack.nats.client().await);
    for (subject, payload) in poison {
        let stored = js.publish(subject.to_owned(), payload.to_vec().into()).await.expect("NATS is up");
        stored.await.expect("JetStream stores it");
    }
    let before = stack.alerts(channels[0]);
    assert!(matches!(ledger.send(&stack, channels[0], "next").await, Some(200 | 202)));
    stack.until_shown(channels[0], before + 1, SOON).await;
    let dead = wait_for("all poison is dead", SOON, || async {
        let dead = stack.dead_letters().await;
        (dead.len() >= poison.len()).then_some(dead)
    })
    .await;
    assert_eq!(dead.len(), poison.len(), "{dead:#?}");
    assert!(dead.iter().all(|letter| letter.reason == "unreadable" && letter.title.is_none()), "{dead:#?}");
    let details: Vec<&str> = dead.iter().map(|letter| letter.detail.as_str()).collect();
    for words in ["not an alert", "unknown version 99", "for another channel", "no channel has the subject"] {
        assert!(details.iter().any(|detail| detail.contains(words)), "{words}: {details:#?}");
    }
    stack.until_drained(SETTLED).await;
    stack.assert_clean();
}
