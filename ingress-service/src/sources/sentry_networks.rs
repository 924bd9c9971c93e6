//! What the word `sentry` in `ALLOWED_SOURCES` stands for: the built-in list and
//! the copy of the published one, which discord-service keeps in NATS.

use std::{collections::BTreeSet, net::IpAddr, sync::Mutex, sync::PoisonError, time::Duration};

use arc_swap::ArcSwap;
use async_nats::{
    Client,
    connection::State,
    jetstream::{self, stream::LastRawMessageErrorKind},
};
use ipnet::IpNet;
use shared::{
    sources::{Ranges, built_in},
    wire,
};
use tokio::time::sleep;

/// How often the copy is read. A reading names the bucket and not a consumer of
/// it, so a bucket that was remade is read like any other.
const READ_EVERY: Duration = Duration::from_secs(2);

/// Sentry's networks as they are known now.
#[derive(Debug)]
pub(super) struct Sentry {
    networks: ArcSwap<Vec<IpNet>>,
    /// The last copy that could be used: it outlives its bucket.
    copy: Mutex<Option<Ranges>>,
}

impl Default for Sentry {
    fn default() -> Self {
        let sentry = Self { networks: ArcSwap::default(), copy: Mutex::default() };
        sentry.refresh(0);
        sentry
    }
}

impl Sentry {
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        super::contains(&self.networks.load(), address)
    }

    /// Reads the copy again and again. While NATS is away, what was known holds.
    pub(super) async fn follow(&self, nats: &Client) {
        let js = jetstream::new(nats.clone());
        let mut read = Vec::new();
        loop {
            if nats.connection_state() == State::Connected {
                match current(&js).await {
                    Ok(Some(record)) if record != read => {
                        self.take(&record);
                        read = record;
                    }
                    Ok(_) => {}
                    Err(error) => tracing::debug!("cannot read the copy of Sentry's addresses: {error:#}"),
                }
            }
            // What vanished a month ago goes by itself.
            self.refresh(chrono::Utc::now().timestamp_millis());
            sleep(READ_EVERY).await;
        }
    }

    fn take(&self, record: &[u8]) {
        match Ranges::decode(record) {
            Ok(copy) => *self.copy.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy),
            Err(error) => {
                tracing::warn!(%error, "refused the copy of Sentry's addresses; the last good one holds");
            }
        }
    }

    /// Puts together what holds at this time, in milliseconds since 1970.
    fn refresh(&self, now_ms: i64) {
        let copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let copied = copy.iter().flat_map(|copy| copy.networks(now_ms));
        let networks: BTreeSet<_> = built_in().chain(copied).collect();
        if !networks.iter().eq(self.networks.load().iter()) {
            tracing::info!(networks = networks.len(), "these networks of Sentry may send");
            self.networks.store(std::sync::Arc::new(networks.into_iter().collect()));
        }
        metrics::gauge!("sentry_bot_ingress_sentry_networks").set(self.networks.load().len() as f64);
    }
}

/// The copy as the bucket's leader has it.
async fn current(js: &jetstream::Context) -> anyhow::Result<Option<Vec<u8>>> {
    let bucket = js.get_stream_no_info(wire::SOURCES_STREAM).await?;
    match bucket.get_last_raw_message_by_subject(&wire::sources_subject()).await {
        Ok(message) => Ok(Some(message.payload.to_vec())),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

    fn copy(networks: &[&str], before: Option<&Ranges>, day: i64) -> Ranges {
        let networks = networks.iter().map(|text| text.parse().expect("a network")).collect();
        Ranges::renewed(before, networks, day * DAY_MS)
    }

    #[test]
    fn sentrys_networks_are_the_built_in_the_published_and_those_that_vanished_lately() {
        let sentry = Sentry::default();
        let contains = |address: &str| sentry.contains(address.parse().expect("an address"));
        let regions =
            ["35.184.238.160", "34.141.31.19", "34.125.65.3", "8.228.7.8", "35.222.255.47", "34.71.103.17"];
        assert!(regions.iter().all(|address| contains(address)), "all regions are built in");
        assert!(!contains("203.0.113.7") && !contains("35.184.238.161"));

        let first = copy(&["203.0.113.0/24", "198.51.100.7/32"], None, 0);
        let second = copy(&["203.0.113.0/24"], Some(&first), 1);
        sentry.take(&second.encode());
        sentry.refresh(2 * DAY_MS);
        assert!(contains("203.0.113.7") && contains("198.51.100.7") && !contains("198.51.100.8"));
        assert!(regions.iter().all(|address| contains(address)), "what is built in never vanishes");

        for bad in [&b"garbage"[..], b"", br#"{"v":1,"read_ms":1,"networks":["0.0.0.0/0"]}"#] {
            sentry.take(bad);
            sentry.refresh(2 * DAY_MS);
            assert!(contains("203.0.113.7") && !contains("192.0.2.1"), "the last good copy holds");
        }
        sentry.refresh(31 * DAY_MS);
        assert!(contains("203.0.113.7") && !contains("198.51.100.7"), "it vanished a month ago");
    }
}
