//! Connecting to NATS, and the streams that must exist there.

mod connection;

use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream::{self, kv, stream};

pub use self::connection::{check, connect};
use crate::{settings::NatsSettings, wire};

/// The version of the streams' shape that this build makes, kept in their
/// metadata: an older build leaves a newer one's streams alone.
const SCHEMA: u32 = 1;
const SCHEMA_KEY: &str = "sentry-bot-schema";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long it is remembered which message shows an issue, after its last change.
const MESSAGES_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How much may be remembered of messages; the oldest are forgotten first.
const MESSAGES_MAX_BYTES: i64 = 256 << 20;
/// How long JetStream recognises a repeated `Nats-Msg-Id`.
pub const DUPLICATE_WINDOW: Duration = Duration::from_secs(10 * 60);
/// How long a signed request is remembered.
pub const SEEN_FOR: Duration = Duration::from_secs(7 * DAY.as_secs());
/// The most that is remembered of signed requests, about a million of them:
/// nats-server keeps an index of all in memory. The oldest go first.
const SEEN_MAX_BYTES: i64 = 256 << 20;
/// Most bytes of refusals: enough for tens of thousands of channels.
const REFUSALS_MAX_BYTES: i64 = 32 << 20;
/// Refusals of one kind that are kept of a channel.
const REFUSALS_EACH: i64 = 5;

/// Which service asks: only discord-service changes what exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Creates what is missing.
    Ingress,
    /// Creates what is missing and brings what exists up to date.
    Discord,
}

/// Makes sure that the streams and the common buckets exist as the settings
/// want them. Does nothing to what a newer build made.
///
/// # Errors
/// When NATS is away or refuses; call again later.
pub async fn ensure(js: &jetstream::Context, settings: &NatsSettings, role: Role) -> anyhow::Result<()> {
    for config in [alerts(settings), dead_letters(settings), seen(settings), refusals(settings)] {
        let name = config.name.clone();
        ensure_stream(js, config, role).await.with_context(|| format!("stream {name}"))?;
    }
    for bucket in [wire::LANES, wire::CHANNELS, wire::TRUST, wire::SOURCES] {
        let config = kv::Config { bucket: bucket.to_owned(), history: 1, ..Default::default() };
        let bucket = ensure_bucket(js, config, settings).await?;
        if role == Role::Discord {
            replicate(js, &bucket, settings).await?;
        }
    }
    ensure_messages(js, settings).await.with_context(|| format!("bucket {}", wire::MESSAGES))
}

/// The bucket [`wire::MESSAGES`]. Unlike other buckets it forgets the oldest when
/// it is full, which a bucket's own configuration cannot say.
async fn ensure_messages(js: &jetstream::Context, settings: &NatsSettings) -> anyhow::Result<()> {
    let name = format!("KV_{}", wire::MESSAGES);
    match js.get_stream(&name).await {
        Err(error) if is_missing(&error) => {}
        found => return Ok(found.map(|_| ())?),
    }
    js.create_stream(stream::Config {
        discard: stream::DiscardPolicy::Old,
        max_messages_per_subject: 1,
        max_bytes: MESSAGES_MAX_BYTES,
        max_age: MESSAGES_MAX_AGE,
        allow_rollup: true,
        deny_delete: true,
        // An edit builds on the last one: only the leader surely knows it.
        allow_direct: false,
        ..base(&name, &format!("$KV.{}.>", wire::MESSAGES), settings)
    })
    .await?;
    Ok(())
}

/// The bucket, made when it is missing.
///
/// # Errors
/// When NATS is away or refuses.
pub async fn ensure_bucket(
    js: &jetstream::Context,
    mut config: kv::Config,
    settings: &NatsSettings,
) -> anyhow::Result<kv::Store> {
    let name = config.bucket.clone();
    if let Ok(store) = js.get_key_value(&name).await {
        return Ok(store);
    }
    config.num_replicas = settings.nats_replicas;
    js.create_key_value(config).await.with_context(|| format!("bucket {name}"))
}

/// Gives the bucket as many replicas as the settings want: it may have been made
/// when they wanted fewer. Only for discord-service.
///
/// # Errors
/// When NATS is away or refuses.
pub async fn replicate(
    js: &jetstream::Context,
    bucket: &kv::Store,
    settings: &NatsSettings,
) -> anyhow::Result<()> {
    let config = &bucket.stream.cached_info().config;
    if config.num_replicas == settings.nats_replicas {
        return Ok(());
    }
    tracing::info!(bucket = %bucket.name, replicas = settings.nats_replicas, "updating the bucket to the settings");
    let config = stream::Config { num_replicas: settings.nats_replicas, ..config.clone() };
    js.update_stream(config).await.with_context(|| format!("bucket {}", bucket.name))?;
    Ok(())
}

async fn ensure_stream(js: &jetstream::Context, config: stream::Config, role: Role) -> anyhow::Result<()> {
    let existing = match js.get_stream(&config.name).await {
        Ok(existing) => existing.cached_info().config.clone(),
        Err(error) if is_missing(&error) => {
            js.create_stream(config).await?;
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let made_by = existing.metadata.get(SCHEMA_KEY).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    let differs = existing.max_bytes != config.max_bytes
        || existing.max_messages_per_subject != config.max_messages_per_subject
        || existing.num_replicas != config.num_replicas
        || existing.subjects != config.subjects
        || existing.max_age != config.max_age
        || existing.duplicate_window != config.duplicate_window
        || existing.allow_direct != config.allow_direct
        || existing.allow_message_ttl != config.allow_message_ttl
        || made_by < SCHEMA;
    if role == Role::Discord && made_by <= SCHEMA && differs {
        tracing::info!(stream = %config.name, "updating the stream to the settings");
        js.update_stream(config).await?;
    }
    Ok(())
}

fn is_missing(error: &jetstream::context::GetStreamError) -> bool {
    use jetstream::{ErrorCode, context::GetStreamErrorKind};
    matches!(error.kind(), GetStreamErrorKind::JetStream(answer) if answer.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn base(name: &str, subjects: &str, settings: &NatsSettings) -> stream::Config {
    stream::Config {
        name: name.to_owned(),
        subjects: vec![subjects.to_owned()],
        storage: stream::StorageType::File,
        num_replicas: settings.nats_replicas,
        duplicate_window: DUPLICATE_WINDOW,
        allow_direct: true,
        metadata: [(SCHEMA_KEY.to_owned(), SCHEMA.to_string())].into(),
        ..Default::default()
    }
}

fn alerts(settings: &NatsSettings) -> stream::Config {
    stream::Config {
        discard: stream::DiscardPolicy::New,
        discard_new_per_subject: true,
        max_messages_per_subject: settings.channel_backlog_max,
        max_bytes: settings.alerts_max_bytes,
        max_age: 7 * DAY,
        ..base(wire::ALERTS, wire::ALERTS_SUBJECTS, settings)
    }
}

fn dead_letters(settings: &NatsSettings) -> stream::Config {
    stream::Config {
        discard: stream::DiscardPolicy::Old,
        max_bytes: settings.dead_letters_max_bytes,
        // As JetStream reads "no limit" back.
        max_messages_per_subject: -1,
        max_age: 14 * DAY,
        ..base(wire::DEAD_LETTERS, wire::DEAD_LETTERS_SUBJECTS, settings)
    }
}

/// A KV bucket, made as a stream: only so may each key have a life of its own
/// without the markers that a bucket leaves where a key's life has ended.
fn seen(settings: &NatsSettings) -> stream::Config {
    stream::Config {
        discard: stream::DiscardPolicy::Old,
        max_bytes: SEEN_MAX_BYTES,
        max_messages_per_subject: 1,
        max_age: SEEN_FOR,
        allow_message_ttl: true,
        allow_rollup: true,
        deny_delete: true,
        ..base(wire::SEEN_STREAM, wire::SEEN_SUBJECTS, settings)
    }
}

/// A KV bucket, but for one thing: a full one drops the oldest instead of
/// refusing what is new, so that strangers cannot end the diagnosis of others.
fn refusals(settings: &NatsSettings) -> stream::Config {
    stream::Config {
        discard: stream::DiscardPolicy::Old,
        max_bytes: REFUSALS_MAX_BYTES,
        max_messages_per_subject: REFUSALS_EACH,
        max_age: 7 * DAY,
        allow_rollup: true,
        deny_delete: true,
        ..base(wire::REFUSALS_STREAM, wire::REFUSALS_SUBJECTS, settings)
    }
}
