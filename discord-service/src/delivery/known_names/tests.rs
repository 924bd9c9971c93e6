//! Against a real NATS.

use async_nats::jetstream;
use clap::Parser as _;
use harness::{nats::NatsServer, wait::wait_for};
use shared::{bus, wire};

use super::*;
use crate::settings::Settings;

const CHANNEL: ChannelId = ChannelId::new(7);
const LONG: Duration = Duration::from_secs(20);

fn alert(project: &str, environment: Option<&str>) -> Alert {
    Alert { environment: environment.map(str::to_owned), ..Alert::new("error", project, CHANNEL, 0) }
}

async fn bucket(nats: &NatsServer) -> Bucket {
    let js = jetstream::new(nats.client().await);
    let settings = Settings::parse_from(["discord-service"]);
    bus::ensure(&js, &settings.common.nats, bus::Role::Discord).await.expect("the bucket is made");
    Bucket::new(&js, wire::LANES)
}

async fn until_known(book: &NameBook, projects: &[&str], environments: &[&str]) {
    wait_for("the names are written", LONG, || async {
        let known = book.of(CHANNEL).await;
        (known.projects == projects && known.environments == environments).then_some(())
    })
    .await;
}

/// How many writes the bucket has had.
async fn writes(nats: &NatsServer) -> u64 {
    let js = jetstream::new(nats.client().await);
    let stream = js.get_stream(wire::bucket_stream(wire::LANES)).await.expect("the bucket is there");
    stream.cached_info().state.last_sequence
}

#[tokio::test]
async fn every_pod_adds_what_it_sees_and_only_news_is_written() {
    let nats = NatsServer::start().await;
    let bucket = bucket(&nats).await;
    let before = writes(&nats).await;
    let book = NameBook::new(bucket.clone());
    assert_eq!(book.of(CHANNEL).await, KnownNames::default());
    book.note(CHANNEL, &alert("backend", Some("production")));
    until_known(&book, &["backend"], &["production"]).await;

    // Another pod knows nothing yet. What it writes last shows that the rest was no news.
    let other = NameBook::new(bucket.clone());
    other.note(CHANNEL, &alert("backend", None));
    other.note(CHANNEL, &alert(UNKNOWN_PROJECT, Some(&"e".repeat(MAX_NAME + 1))));
    for _ in 0..1_000 {
        book.note(CHANNEL, &alert("backend", Some("production")));
        book.note(ChannelId::new(8), &alert("elsewhere", None));
    }
    other.note(CHANNEL, &alert("frontend", Some("staging")));
    until_known(&book, &["frontend", "backend"], &["staging", "production"]).await;
    wait_for("the other channel's names are written", LONG, || async {
        (book.of(ChannelId::new(8)).await.projects == ["elsewhere"]).then_some(())
    })
    .await;
    assert_eq!(writes(&nats).await - before, 3, "of two channels and one more pod");
}

#[tokio::test]
async fn what_nats_did_not_take_is_written_when_it_is_back() {
    let mut nats = NatsServer::start().await;
    let book = NameBook::new(bucket(&nats).await);
    nats.kill();
    book.note(CHANNEL, &alert("backend", None));
    nats.restart().await;
    until_known(&book, &["backend"], &[]).await;
}

#[test]
fn the_newest_names_push_out_the_oldest() {
    let mut known = KnownNames::default();
    for number in 0..=MOST {
        assert!(known.add(&alert(&format!("p{number}"), Some("production"))));
    }
    assert_eq!((known.projects.len(), known.projects[0].as_str()), (MOST, "p25"));
    assert!(!known.projects.contains(&"p0".to_owned()));
    assert!(!known.add(&alert("p25", None)) && known.add(&alert("p0", None)));
    assert_eq!(known.environments, ["production"]);
}
