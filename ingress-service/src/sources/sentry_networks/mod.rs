//! What the word `sentry` in `ALLOWED_SOURCES` means: the built-in list, and
//! the copy of the published list that discord-service keeps in NATS.

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use async_nats::{Client, connection::State, jetstream};
use ipnet::IpNet;
use shared::{
    kv,
    sentry_ip_ranges::{Ranges, built_in},
    wire,
};
use tokio::time::sleep;

/// How often the copy is read. A read needs no consumer, so it also works after
/// the bucket was deleted and made again.
const READ_EVERY: Duration = Duration::from_secs(2);

/// Sentry's networks as they are known now.
#[derive(Debug)]
pub(super) struct SentryNetworks {
    networks: ArcSwap<Vec<IpNet>>,
    /// The last copy that could be used. It stays if the bucket is lost.
    copy: Mutex<Option<Ranges>>,
}

impl Default for SentryNetworks {
    fn default() -> Self {
        let sentry = Self { networks: ArcSwap::default(), copy: Mutex::default() };
        sentry.refresh(0);
        sentry
    }
}

impl SentryNetworks {
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.networks.load().iter().any(|network| network.contains(&address))
    }

    /// Reads the copy again and again. While NATS is away, the last copy stays
    /// valid.
    pub(super) async fn follow(&self, nats: &Client) {
        let js = jetstream::new(nats.clone());
        let mut read = None;
        loop {
            if nats.connection_state() == State::Connected {
                match kv::last_at_leader(&js, wire::SOURCES, &wire::sources_subject()).await {
                    Ok(Some(record)) if read.as_ref() != Some(&record.payload) => {
                        self.take(&record.payload);
                        read = Some(record.payload);
                    }
                    Ok(_) => {}
                    Err(error) => {
                        tracing::debug!(%error, "cannot read the copy of Sentry's addresses")
                    }
                }
            }
            // Networks that vanished from the list a month ago are dropped
            // here.
            self.refresh(chrono::Utc::now().timestamp_millis());
            sleep(READ_EVERY).await;
        }
    }

    fn take(&self, record: &[u8]) {
        match Ranges::decode(record) {
            Ok(copy) => *self.copy.lock().unwrap_or_else(PoisonError::into_inner) = Some(copy),
            Err(error) => {
                tracing::warn!(%error, "cannot use the copy of Sentry's addresses; keeping the last good one");
            }
        }
    }

    /// Combines the networks that are valid at this time, in milliseconds since
    /// 1970.
    fn refresh(&self, now_ms: i64) {
        let copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let copied = copy.iter().flat_map(|copy| copy.networks(now_ms));
        let networks: BTreeSet<_> = built_in().chain(copied).collect();
        if !networks.iter().eq(self.networks.load().iter()) {
            tracing::info!(networks = networks.len(), "these networks of Sentry may send");
            self.networks.store(Arc::new(networks.into_iter().collect()));
        }
        metrics::gauge!("sentry_bot_ingress_sentry_networks").set(self.networks.load().len() as f64);
    }
}
