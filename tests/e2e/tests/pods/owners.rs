//! The owners, read without the code under test from what the pods write to
//! NATS.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_nats::jetstream;
use futures::StreamExt as _;
use harness::{service::Service, wait::wait_for};
use tokio::task::JoinHandle;

/// The pods' table, as it was written last.
#[derive(Debug)]
pub(crate) struct Owners {
    last: Arc<Mutex<(BTreeMap<String, String>, Instant)>>,
    following: JoinHandle<()>,
}

impl Owners {
    pub(crate) async fn follow(nats: async_nats::Client) -> Self {
        let mut written = nats.subscribe("$KV.leases.owners").await.expect("NATS is there");
        let bucket = jetstream::new(nats).get_key_value("leases").await.expect("the pods made it");
        let now = bucket.get("owners").await.expect("NATS answers").expect("a pod has written it");
        let last = Arc::new(Mutex::new((owners(&now), Instant::now())));
        let following = tokio::spawn({
            let last = Arc::clone(&last);
            async move {
                while let Some(message) = written.next().await {
                    *last.lock().expect("no panic while held") = (owners(&message.payload), Instant::now());
                }
            }
        });
        Self { last, following }
    }

    /// Waits until this many things have an owner and the pods `gone` have
    /// none. Returns since when.
    pub(crate) async fn without(&self, gone: &[String], things: usize, limit: Duration) -> Instant {
        wait_for("everything has another owner", limit, || async {
            let (owners, since) = &*self.last.lock().expect("no panic while held");
            let all = owners.len() == things && !owners.values().any(|owner| gone.contains(owner));
            all.then_some(*since)
        })
        .await
    }
}

impl Drop for Owners {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn owners(table: &[u8]) -> BTreeMap<String, String> {
    let table: serde_json::Value = serde_json::from_slice(table).expect("the table is JSON");
    serde_json::from_value(table["owners"].clone()).expect("names by things")
}

/// The id of a pod in the leases, from its log.
pub(crate) fn id(pod: &Service) -> String {
    let log = pod.log();
    let joined =
        log.lines().rfind(|line| line.contains("has joined the others")).expect("the pod has joined");
    let entry: serde_json::Value = serde_json::from_str(joined).expect("the log is JSON");
    let found = [&entry["pod.id"], &entry["fields"]["pod.id"]].into_iter().find_map(|id| id.as_str());
    found.expect("it says under which id").to_owned()
}
