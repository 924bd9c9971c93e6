//! Keeps the streams and buckets as the table says while the process runs. It
//! looks at the start, after each reconnect and once a second, and reports to
//! readiness what is wrong.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_nats::{Client, connection::State, jetstream};
use futures::future::join_all;

use super::{
    Role,
    apply_stream::{Applied, apply},
    missing_rights::MissingRights,
    stream_table::{Maker, StreamSpec, table},
};
use crate::{admin::Readiness, settings::NatsSettings, text::chain, wire};

/// The readiness check that fails while a needed stream is missing or full.
const CHECK: &str = "streams";
/// How often to look at all of them.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How long NATS may take to answer about one stream.
const PATIENCE: Duration = Duration::from_secs(2);
/// The shortest time between two updates of one stream. An update may be
/// refused.
const UPDATE_AGAIN: Duration = Duration::from_secs(60);
/// A stream with less room than this takes no alert.
const ROOM: u64 = 8 << 10;

/// The streams of this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Streams(Arc<StreamsInner>);

#[derive(Debug)]
struct StreamsInner {
    client: Client,
    js: jetstream::Context,
    settings: NatsSettings,
    role: Role,
    readiness: Readiness,
    lacks: MissingRights,
    known: Mutex<BTreeMap<String, StreamHistory>>,
    /// When the last look began. Locked during a look.
    looked: tokio::sync::Mutex<Option<Instant>>,
}

/// What is known about one stream.
#[derive(Debug, Default)]
struct StreamHistory {
    /// When it was created. Another time means another stream in its place.
    created: Option<i128>,
    last_update: Option<Instant>,
    older: Option<String>,
}

impl Streams {
    /// Uses this connection. Readiness fails until the streams are there.
    pub fn new(
        (client, lacks): (Client, MissingRights),
        settings: NatsSettings,
        role: Role,
        readiness: Readiness,
    ) -> Self {
        readiness.set_unready(CHECK, "not made yet");
        let mut js = jetstream::new(client.clone());
        js.set_timeout(PATIENCE);
        Self(Arc::new(StreamsInner {
            client,
            js,
            settings,
            role,
            readiness,
            lacks,
            known: Mutex::default(),
            looked: tokio::sync::Mutex::default(),
        }))
    }

    /// Keeps them for ever.
    pub async fn keep(&self) {
        let mut said = None;
        loop {
            if self.0.client.connection_state() == State::Connected {
                let trouble = self.round().await;
                if trouble.is_some() && trouble != said {
                    tracing::warn!("streams: {}", trouble.as_deref().unwrap_or_default());
                }
                said = trouble;
            }
            tokio::time::sleep(CHECK_EVERY).await;
        }
    }

    /// Applies the table, because something is missing. When many ask at once,
    /// one of them does it.
    ///
    /// # Errors
    /// Names the stream that cannot be used, and why.
    pub async fn apply(&self) -> anyhow::Result<()> {
        let asked = Instant::now();
        let mut looked = self.0.looked.lock().await;
        if looked.is_some_and(|looked| looked > asked) {
            return Ok(());
        }
        *looked = Some(Instant::now());
        self.round().await.map_or(Ok(()), |trouble| Err(anyhow::anyhow!(trouble)))
    }

    /// Looks at all streams once. Returns what is wrong.
    async fn round(&self) -> Option<String> {
        let entries: Vec<StreamSpec> =
            table(&self.0.settings).into_iter().filter(|entry| entry.is_made_by(self.0.role)).collect();
        let looks = entries.iter().map(|entry| async move {
            let update = self.0.role != Role::Ingress && self.may_update(&entry.config.name);
            let looked = self.look(entry, update).await;
            looked.map(|applied| (entry, applied, update)).map_err(|error| (entry, error))
        });
        let looks = join_all(looks).await;
        let memory = wire::bucket_stream(wire::CHANNELS);
        let has_memory = looks
            .iter()
            .flatten()
            .any(|(entry, applied, _)| entry.config.name == memory && applied.info.state.messages > 0);
        let (mut trouble, mut worse) = (Vec::new(), Vec::new());
        for look in looks {
            match look {
                Ok((entry, applied, updated)) => {
                    trouble.extend(self.note(entry, applied, updated, has_memory))
                }
                Err((entry, error)) if entry.needed => trouble.push(chain(&error)),
                Err((_, error)) => worse.push(chain(&error)),
            }
        }
        worse.extend(self.known().values().filter_map(|known| known.older.clone()));
        if trouble.is_empty() {
            let words =
                if worse.is_empty() { "ok".to_owned() } else { format!("works, but {}", worse.join("; ")) };
            self.0.readiness.set_ready_saying(CHECK, words);
            return None;
        }
        let trouble = trouble.join("; ");
        self.0.readiness.set_unready(CHECK, &*trouble);
        Some(trouble)
    }

    /// Creates or updates one stream, unless NATS refuses even to look at it.
    async fn look(&self, entry: &StreamSpec, update: bool) -> anyhow::Result<Applied> {
        let right = format!("$JS.API.STREAM.INFO.{}", entry.config.name);
        tokio::select! {
            biased;
            () = self.0.lacks.refuses(&right) => {
                anyhow::bail!("{}: the user at NATS lacks the right to publish to {right}", entry.config.name)
            }
            applied = apply(&self.0.js, entry, update) => applied,
        }
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, StreamHistory>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_update(&self, name: &str) -> bool {
        let known = self.known();
        known.get(name).and_then(|known| known.last_update).is_none_or(|at| at.elapsed() >= UPDATE_AGAIN)
    }

    /// Notes the state of a stream. Returns what is wrong with it, if anything.
    fn note(&self, entry: &StreamSpec, applied: Applied, updated: bool, has_memory: bool) -> Option<String> {
        let name = &entry.config.name;
        let mut all = self.known();
        let known = all.entry(name.clone()).or_default();
        let created = applied.info.created.unix_timestamp_nanos();
        let is_another = known.created.is_some_and(|known| known != created);
        // The bucket of known channels exists and the store did not, so NATS
        // has lost the store.
        let store_is_gone = entry.maker == Maker::Store && applied.made && has_memory;
        if is_another || store_is_gone {
            say_lost(entry);
        }
        known.created = Some(created);
        if updated {
            if applied.older.is_some() && applied.older != known.older {
                tracing::warn!("{}", applied.older.as_deref().unwrap_or_default());
            }
            known.last_update = applied.updated.then(Instant::now);
            known.older = applied.older;
        }
        let (config, state) = (&applied.info.config, &applied.info.state);
        let full = u64::try_from(config.max_bytes).is_ok_and(|most| state.bytes + ROOM > most);
        (full && name == wire::ALERTS && self.0.role == Role::Ingress).then(|| {
            format!(
                "{name}: it is full ({} bytes): raise ALERTS_MAX_BYTES, or see why alerts are not posted",
                state.bytes
            )
        })
    }
}

fn say_lost(entry: &StreamSpec) {
    let stream = entry.config.name.clone();
    metrics::counter!("sentry_bot_streams_lost_total", "stream" => stream.clone()).increment(1);
    if entry.maker == Maker::Store {
        tracing::error!(
            stream,
            "NATS has lost a bucket of the store, and it was made again, empty: restore a backup, or authorize, \
             register, secure and add rules again"
        );
    } else {
        tracing::warn!(stream, "NATS has lost the stream, and it was made again, empty");
    }
}

/// Applies the table once, for this role.
///
/// # Errors
/// Names the first one that cannot be used. Call again later.
pub async fn ensure(js: &jetstream::Context, settings: &NatsSettings, role: Role) -> anyhow::Result<()> {
    for entry in table(settings).iter().filter(|entry| entry.is_made_by(role)) {
        apply(js, entry, role != Role::Ingress).await?;
    }
    Ok(())
}

/// Makes the buckets of the store, where they are missing.
///
/// # Errors
/// Names the first one that cannot be used. Call again later.
pub async fn ensure_store(js: &jetstream::Context, settings: &NatsSettings) -> anyhow::Result<()> {
    let made = table(settings).into_iter().filter(|entry| entry.maker == Maker::Store);
    for looked in join_all(made.map(|entry| async move { apply(js, &entry, true).await })).await {
        looked?;
    }
    Ok(())
}
