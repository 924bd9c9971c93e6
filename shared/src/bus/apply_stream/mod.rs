//! Creates or updates one stream, as the table says.

#[cfg(test)]
mod tests;

use anyhow::Context as _;
use async_nats::jetstream::{
    self, ErrorCode,
    context::{CreateStreamError, CreateStreamErrorKind, GetStreamError, GetStreamErrorKind},
    stream::{Config, Info},
};

use super::{
    retention::BUCKET_MAX_BYTES,
    stream_table::{SCHEMA, SCHEMA_KEY, StreamSpec},
};

/// JetStream's codes for more replicas than it has servers.
const NO_PEERS: [u64; 2] = [10005, 10074];

/// The state of a stream that exists now.
#[derive(Debug)]
pub(super) struct Applied {
    pub(super) info: Info,
    /// It was missing, and this call made it.
    pub(super) made: bool,
    /// An update was sent. NATS may have changed the stream in another way.
    pub(super) updated: bool,
    /// Why it is not as the table says.
    pub(super) older: Option<String>,
}

/// Makes the stream if it is missing. Brings it up to date if `update` is set.
///
/// # Errors
/// When it cannot be made, or NATS does not say whether it is there.
pub(super) async fn apply(
    js: &jetstream::Context,
    entry: &StreamSpec,
    update: bool,
) -> anyhow::Result<Applied> {
    let name = &entry.config.name;
    let found = match js.get_stream(name).await {
        Ok(stream) => stream.cached_info().clone(),
        Err(error) if is_missing(&error) => {
            let info = make(js, entry).await?;
            return Ok(Applied { info, made: true, updated: false, older: None });
        }
        Err(error) => {
            return Err(error).with_context(|| format!("{name}: NATS does not say whether it is there"));
        }
    };
    let latest = latest(&found.config, &entry.config);
    if !update || latest == found.config {
        return Ok(Applied { info: found, made: false, updated: false, older: None });
    }
    tracing::info!(stream = name, "updating the stream to the settings");
    match js.update_stream(&latest).await {
        Ok(info) => Ok(Applied { info, made: false, updated: true, older: None }),
        Err(error) => {
            let why = explain(&error, entry);
            let older = Some(format!("{name}: cannot be updated: {why}"));
            Ok(Applied { info: found, made: false, updated: true, older })
        }
    }
}

async fn make(js: &jetstream::Context, entry: &StreamSpec) -> anyhow::Result<Info> {
    // A stream that is made again begins with higher sequences than the former
    // one had. So no remembered sequence ever means another message.
    let first = chrono::Utc::now().timestamp_millis().try_into().ok();
    let mut config = Config { first_sequence: first, ..entry.config.clone() };
    loop {
        let error = match js.create_stream(&config).await {
            Ok(made) => return Ok(made.cached_info().clone()),
            Err(error) => error,
        };
        match code(&error) {
            // Another pod came first, with another first sequence.
            Some(ErrorCode::STREAM_NAME_EXIST) => {
                return Ok(js.get_stream(&config.name).await?.cached_info().clone());
            }
            Some(ErrorCode::STREAM_MAX_BYTES_REQUIRED) if config.max_bytes < 0 => {
                config.max_bytes = BUCKET_MAX_BYTES;
            }
            _ => anyhow::bail!("{}: cannot be made: {}", config.name, explain(&error, entry)),
        }
    }
}

/// The configuration in NATS with the table's values in it. What only a newer
/// build knows stays.
fn latest(found: &Config, wanted: &Config) -> Config {
    let made_by = found.metadata.get(SCHEMA_KEY).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
    if made_by > SCHEMA {
        return found.clone();
    }
    let mut latest = Config {
        subjects: wanted.subjects.clone(),
        discard: wanted.discard,
        discard_new_per_subject: wanted.discard_new_per_subject,
        max_messages_per_subject: wanted.max_messages_per_subject,
        // If the table has no limit, the one from its creation stays.
        max_bytes: if wanted.max_bytes > 0 { wanted.max_bytes } else { found.max_bytes },
        max_age: wanted.max_age,
        duplicate_window: wanted.duplicate_window,
        num_replicas: wanted.num_replicas,
        republish: wanted.republish.clone(),
        allow_direct: wanted.allow_direct,
        // NATS cannot switch it off again.
        allow_message_ttl: found.allow_message_ttl || wanted.allow_message_ttl,
        ..found.clone()
    };
    latest.metadata.extend(wanted.metadata.clone());
    latest
}

fn is_missing(error: &GetStreamError) -> bool {
    matches!(error.kind(), GetStreamErrorKind::JetStream(answer) if answer.error_code() == ErrorCode::STREAM_NOT_FOUND)
}

fn code(error: &CreateStreamError) -> Option<ErrorCode> {
    match error.kind() {
        CreateStreamErrorKind::JetStream(answer) => Some(answer.error_code()),
        _ => None,
    }
}

/// Why a stream cannot be made or updated, and what to do about it.
fn explain(error: &CreateStreamError, entry: &StreamSpec) -> String {
    let Some(code) = code(error) else { return error.to_string() };
    let replicas = entry.config.num_replicas;
    let need = match (entry.setting, u64::try_from(entry.config.max_bytes)) {
        (Some(setting), Ok(bytes)) => {
            format!(
                "it needs {} on each of {replicas} servers, as {setting} says: lower {setting}, or raise",
                mib(bytes)
            )
        }
        (None, Ok(bytes)) => format!("it needs {} on each of {replicas} servers: raise", mib(bytes)),
        _ => "raise".to_owned(),
    };
    match code {
        ErrorCode::STORAGE_RESOURCES_EXCEEDED
        | ErrorCode::INSUFFICIENT_RESOURCES
        | ErrorCode::ACCOUNT_RESOURCES_EXCEEDED
        | ErrorCode::MEMORY_RESOURCES_EXCEEDED
        | ErrorCode::STREAM_LIMITS => {
            format!(
                "NATS has too little storage for it ({error}): {need} NATS's max_file_store or the account's limit"
            )
        }
        ErrorCode::MAXIMUM_STREAMS_LIMIT => {
            format!("the account may have no more streams ({error}): raise its limit of streams")
        }
        other if NO_PEERS.contains(&other.0) => {
            format!(
                "NATS has too few servers for {replicas} replicas ({error}): start them, or lower NATS_REPLICAS"
            )
        }
        _ => error.to_string(),
    }
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}
