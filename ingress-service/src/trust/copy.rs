//! What every channel trusts, as discord-service mirrors it into NATS. The
//! ingress reads all of it once, then follows the changes.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, ensure};
use async_nats::{
    Client,
    connection::State,
    jetstream::{
        self,
        kv::{Entry, Operation},
        stream,
    },
};
use futures::StreamExt as _;
use shared::{ChannelId, admin::Readiness, text::chain, trust::SecretsKeys, wire};
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::channel_keys::ChannelKeys;
use crate::deadlines::POLL_CONNECTION_EVERY;

/// The readiness check that fails until the mirror was read.
const CHECK: &str = "trust";
const RETRY: Duration = Duration::from_secs(1);
/// Failures before the log mentions them. At a first start the bucket does not
/// exist yet.
const SAID_AFTER: u32 = 10;
/// How often to check that the bucket is still the watched one, and that no
/// change was missed.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// What is known about a channel.
pub(super) enum KeyLookup {
    /// Nothing was ever read.
    Unread,
    /// This build cannot read the channel's record.
    Unreadable,
    Keys(Arc<ChannelKeys>),
}

/// The channels that demand something or have keys. `None` where the record
/// cannot be read.
type Channels = HashMap<ChannelId, Option<Arc<ChannelKeys>>>;

/// The ingress's copy of the bucket [`wire::TRUST`].
#[derive(Debug)]
pub(crate) struct TrustCopy {
    /// `None` until it was read for the first time.
    channels: RwLock<Option<Channels>>,
    others: Arc<ChannelKeys>,
    secrets_keys: Option<SecretsKeys>,
    readiness: Readiness,
    /// How often following the bucket has failed since the last reading.
    failures: AtomicU32,
    /// Whether the log says that client secrets cannot be opened.
    said_sealed: AtomicBool,
}

/// The progress of a watch.
struct Reading {
    /// The records so far. `None` once all were read.
    fresh: Option<Channels>,
    /// The last sequence of the bucket that the watch has shown.
    heard: u64,
    /// The value of `heard` at the last check, if the bucket had more by then.
    behind: Option<u64>,
}

impl TrustCopy {
    pub(crate) fn new(secrets_keys: Option<SecretsKeys>, readiness: Readiness) -> Self {
        readiness.set_unready(CHECK, "not read yet");
        Self {
            channels: RwLock::default(),
            others: Arc::default(),
            secrets_keys,
            readiness,
            failures: AtomicU32::default(),
            said_sealed: AtomicBool::default(),
        }
    }

    /// What is known about the channel now.
    pub(super) fn known(&self, channel: ChannelId) -> KeyLookup {
        let channels = self.channels.read().unwrap_or_else(PoisonError::into_inner);
        match channels.as_ref().map(|channels| channels.get(&channel)) {
            None => KeyLookup::Unread,
            Some(None) => KeyLookup::Keys(Arc::clone(&self.others)),
            Some(Some(None)) => KeyLookup::Unreadable,
            Some(Some(Some(keys))) => KeyLookup::Keys(Arc::clone(keys)),
        }
    }

    /// Whether it was ever read.
    pub(crate) fn is_read(&self) -> bool {
        self.channels.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether this is a token of the channel.
    pub(crate) fn has_token(&self, channel: ChannelId, token: &str) -> bool {
        matches!(self.known(channel), KeyLookup::Keys(keys) if keys.token(token).is_some())
    }

    /// Reads the bucket and follows it for ever. While NATS is away, the last
    /// state stays valid.
    pub(crate) async fn follow(&self, nats: &Client) {
        let js = jetstream::new(nats.clone());
        let connected = || nats.connection_state() == State::Connected;
        loop {
            if connected()
                && let Err(error) = self.watch(&js).await
                && connected()
                && self.failures.fetch_add(1, Ordering::Relaxed) == SAID_AFTER
            {
                tracing::warn!("cannot follow what the channels trust; trying again: {}", chain(&error));
            }
            // Requests wait for the first reading, so this tries again soon.
            sleep(if connected() { RETRY } else { POLL_CONNECTION_EVERY }).await;
        }
    }

    /// Reads the whole bucket, then follows it until the watch is no longer
    /// reliable.
    async fn watch(&self, js: &jetstream::Context) -> anyhow::Result<Infallible> {
        let bucket = js.get_key_value(wire::TRUST).await.context("cannot find the bucket")?;
        let made = bucket.stream.cached_info().created;
        let mut changes = bucket.watch_with_history(">").await.context("cannot watch the bucket")?;
        // Records are never removed. What a new bucket lacks was lost with the old one, and
        // such a channel must stay secured until discord-service mirrors it again.
        let known = self.channels.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut reading = Reading { fresh: Some(known.unwrap_or_default()), heard: 0, behind: None };
        let mut check = interval(CHECK_EVERY);
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                change = changes.next() => {
                    let entry = change.context("the watch ended")?.context("the watch broke")?;
                    self.take(&mut reading, &entry);
                }
                _ = check.tick() => {
                    let stream = js.get_stream(&bucket.stream_name).await.context("cannot look at the bucket")?;
                    let stream = stream.cached_info();
                    ensure!(stream.created == made, "the bucket was deleted and made again");
                    self.compare(&mut reading, &stream.state)?;
                }
            }
        }
    }

    fn take(&self, reading: &mut Reading, entry: &Entry) {
        reading.heard = entry.revision;
        if let Ok(channel) = entry.key.parse() {
            let keys = match entry.operation {
                Operation::Put => self.read(channel, &entry.value),
                Operation::Delete | Operation::Purge => Some(Arc::clone(&self.others)),
            };
            let mut channels = self.channels.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(channels) = reading.fresh.as_mut().or(channels.as_mut()) {
                if keys.as_ref().is_some_and(|keys| keys.is_trivial()) {
                    channels.remove(&channel);
                } else {
                    channels.insert(channel, keys);
                }
            }
        }
        if entry.seen_current {
            self.finish(reading);
        }
    }

    /// Compares what the watch has shown with what the bucket holds. A consumer
    /// that was moved or made again may miss a change. The consumer of an empty
    /// bucket says nothing at all.
    fn compare(&self, reading: &mut Reading, bucket: &stream::State) -> anyhow::Result<()> {
        if bucket.messages == 0 || bucket.last_sequence <= reading.heard {
            reading.heard = bucket.last_sequence;
            self.finish(reading);
        }
        let behind = (bucket.last_sequence > reading.heard).then_some(reading.heard);
        ensure!(behind.is_none() || behind != reading.behind, "the watch missed a change");
        reading.behind = behind;
        Ok(())
    }

    /// Everything was read. From now on the records are valid, and each change
    /// applies to them.
    fn finish(&self, reading: &mut Reading) {
        let Some(fresh) = reading.fresh.take() else { return };
        tracing::debug!(channels = fresh.len(), "read what the channels trust");
        *self.channels.write().unwrap_or_else(PoisonError::into_inner) = Some(fresh);
        self.readiness.set_ready(CHECK);
        // The records stay valid from now on, even without NATS.
        self.readiness.take_traffic();
        self.failures.store(0, Ordering::Relaxed);
    }

    /// The channel's keys as its record says; `None` where it cannot be read.
    fn read(&self, channel: ChannelId, record: &[u8]) -> Option<Arc<ChannelKeys>> {
        match ChannelKeys::read(channel, record, self.secrets_keys.as_ref()) {
            Ok(keys) => {
                if keys.has_sealed_secrets() && !self.said_sealed.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        %channel,
                        "client secrets of this channel, and perhaps of others, cannot be opened, so their \
                         signatures are refused: set SECRETS_KEY to what discord-service has"
                    );
                }
                Some(Arc::new(keys))
            }
            Err(error) => {
                // The bucket is read again after every outage.
                if !matches!(self.known(channel), KeyLookup::Unreadable) {
                    tracing::error!(%channel, %error, "cannot read what the channel trusts; refusing its webhooks");
                }
                None
            }
        }
    }
}
