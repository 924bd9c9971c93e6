//! Dead letters against a real NATS.

use clap::Parser as _;
use harness::nats::NatsServer;
use shared::{
    Alert, RoleId,
    alert::{Ping, Routing},
    wire,
};

use super::*;
use crate::{
    dead_letters::{Cause, DeadLetterReason, LetterStream},
    direct_get::{self, BatchRequest, StoredMessage},
};

#[tokio::test]
async fn the_letter_of_an_alert_that_a_rule_sent_is_the_targets_names_its_home_and_goes_back_with_it() {
    let nats = NatsServer::start().await;
    let js = jetstream::new(nats.client().await);
    let settings = Settings::parse_from(["discord-service"]);
    bus::ensure(&js, &settings.common.nats, bus::Role::Discord).await.expect("the streams are made");
    let dead_letters = DeadLetters::new(js.clone());
    let (home, target) = (ChannelId::new(4), ChannelId::new(5));
    let ping = Some(Ping::Role(RoleId::new(6)));
    let routing = Routing { home: Some(home), ping, ..Routing::default() };
    let alert = Alert { routing, ..Alert::new("error", "backend", target, 1) };
    let subject = wire::alert_subject(target);
    js.publish(subject.clone(), alert.encode().into()).await.expect("sent").await.expect("stored");
    let queued = || async {
        let alerts =
            BatchRequest { stream: wire::ALERTS, subject: &subject, from: 1, most: direct_get::BATCH };
        let batch = direct_get::read(&js, alerts).await;
        batch.expect("the queue is there").messages
    };

    let waiting: Vec<StoredMessage> = queued().await;
    let cause = Cause::new(DeadLetterReason::Unreachable, "closed");
    let letters: &dyn LetterStream = &dead_letters;
    letters.bury(target, waiting, &cause).await.expect("it is stored");
    let mut listed = Vec::new();
    list(&dead_letters, Some(target), &mut listed).await.expect("it is listed");
    let listed = String::from_utf8(listed).expect("text");
    assert!(listed.contains("\t5\tunreachable\tbackend\t\tclosed (a rule of 4 sent it)"), "{listed}");
    list(&dead_letters, Some(home), &mut Vec::new()).await.expect("there is none");

    // One goes back by itself when the channel is open again, one by a replay.
    let page = letters.unreachable(target, 1).await.expect("it is kept");
    let (sequence, letter) = page.first().expect("one");
    let back = letter.as_ref().and_then(|letter| letter.alert.as_ref()).expect("an alert");
    letters.put_back(*sequence, back).await.expect("it is back");
    letters.bury(target, queued().await, &cause).await.expect("it is stored");
    dead_letters.replay(Some(target)).await.expect("it is replayed");
    let routings: Vec<_> =
        queued().await.iter().filter_map(|stored| Some(stored.alert().ok()?.routing)).collect();
    assert!(routings.len() > 2 && routings.iter().all(|routing| *routing == alert.routing), "{routings:?}");
}
