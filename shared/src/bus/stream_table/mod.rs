//! All streams and buckets: how each is kept, and which service makes it.
//! Buckets are written as streams by NATS's rules for buckets. Only so can the
//! table say who answers reads, what a full bucket drops, and whether keys
//! expire.

#[cfg(test)]
mod tests;

use async_nats::jetstream::stream::{Config, DiscardPolicy, Republish, StorageType};

use super::{
    Role,
    retention::{
        ALERTS_FOR, DEAD_LETTERS_FOR, DUPLICATE_WINDOW, LEASES_FOR, MESSAGES_FOR, MESSAGES_MAX_BYTES,
        REFUSALS_EACH, REFUSALS_FOR, REFUSALS_MAX_BYTES, ROUTED_FOR, ROUTED_MAX_BYTES, SEEN_FOR,
        SEEN_MAX_BYTES, STACK_TRACES_FOR, STACK_TRACES_MAX_BYTES,
    },
};
use crate::{settings::NatsSettings, wire};

/// The version of the streams' configuration, kept in their metadata. An older
/// build leaves the streams of a newer one alone.
pub(super) const SCHEMA: u32 = 2;
/// The key of that version in the metadata.
pub(super) const SCHEMA_KEY: &str = "sentry-bot-schema";

/// Who makes a stream that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maker {
    /// Whichever service comes first.
    Both,
    /// discord-service.
    Discord,
    /// discord-service, where NATS is its store.
    Store,
}

/// One stream of the table.
#[derive(Debug, Clone)]
pub(super) struct StreamSpec {
    pub(super) config: Config,
    pub(super) maker: Maker,
    /// Whether alerts can be neither stored nor posted without it.
    pub(super) needed: bool,
    /// The setting that limits its bytes.
    pub(super) setting: Option<&'static str>,
}

impl StreamSpec {
    /// Whether this service makes it.
    pub(super) fn is_made_by(&self, role: Role) -> bool {
        match self.maker {
            Maker::Both => true,
            Maker::Discord => role != Role::Ingress,
            Maker::Store => role == Role::DiscordWithStore,
        }
    }
}

/// The table.
pub(super) fn table(settings: &NatsSettings) -> Vec<StreamSpec> {
    let entry = |maker, config| StreamSpec { config, maker, needed: true, setting: None };
    vec![
        StreamSpec { setting: Some("ALERTS_MAX_BYTES"), ..entry(Maker::Both, alerts(settings)) },
        StreamSpec { setting: Some("DEAD_LETTERS_MAX_BYTES"), ..entry(Maker::Both, dead_letters(settings)) },
        entry(Maker::Both, seen(settings)),
        entry(Maker::Both, refusals(settings)),
        // Any replica may say which channels were ever authorized, even while
        // there is no leader.
        entry(Maker::Both, Config { allow_direct: true, ..bucket(wire::CHANNELS, settings) }),
        // Without it the last known addresses stay valid.
        StreamSpec { needed: false, ..entry(Maker::Both, bucket(wire::SOURCES, settings)) },
        entry(Maker::Both, bucket(wire::TRUST, settings)),
        entry(Maker::Both, bucket(wire::LANES, settings)),
        entry(Maker::Both, messages(settings)),
        // Without it a button has nothing to show.
        StreamSpec { needed: false, ..entry(Maker::Discord, stack_traces(settings)) },
        entry(Maker::Discord, routed(settings)),
        entry(Maker::Discord, leases(settings)),
        entry(Maker::Store, bucket(wire::CHANNEL_LIST, settings)),
        entry(Maker::Store, bucket(wire::USER_PROJECTS, settings)),
        entry(Maker::Store, bucket(wire::CHANNEL_TRUST, settings)),
        entry(Maker::Store, bucket(wire::CHANNEL_RULES, settings)),
    ]
}

fn base(name: &str, subjects: &str, settings: &NatsSettings) -> Config {
    Config {
        name: name.to_owned(),
        subjects: vec![subjects.to_owned()],
        storage: StorageType::File,
        num_replicas: settings.nats_replicas,
        duplicate_window: DUPLICATE_WINDOW,
        max_bytes: -1,
        max_messages_per_subject: -1,
        metadata: [(SCHEMA_KEY.to_owned(), SCHEMA.to_string())].into(),
        ..Config::default()
    }
}

/// A bucket with one value for each key, read from its leader alone.
fn bucket(name: &str, settings: &NatsSettings) -> Config {
    Config {
        discard: DiscardPolicy::New,
        max_messages_per_subject: 1,
        allow_rollup: true,
        deny_delete: true,
        ..base(&wire::bucket_stream(name), &format!("$KV.{name}.>"), settings)
    }
}

fn alerts(settings: &NatsSettings) -> Config {
    Config {
        discard: DiscardPolicy::New,
        discard_new_per_subject: true,
        max_messages_per_subject: settings.channel_backlog_max,
        max_bytes: settings.alerts_max_bytes,
        max_age: ALERTS_FOR,
        allow_direct: true,
        // The alerts' own subjects will not do for a wake-up. With a subscriber
        // there, a publisher would not notice that the stream is gone. And the
        // wake-up would come before the alert can be read.
        republish: Some(Republish {
            source: wire::ALERTS_SUBJECTS.to_owned(),
            destination: wire::STORED_DESTINATION.to_owned(),
            headers_only: true,
        }),
        ..base(wire::ALERTS, wire::ALERTS_SUBJECTS, settings)
    }
}

fn dead_letters(settings: &NatsSettings) -> Config {
    Config {
        discard: DiscardPolicy::Old,
        max_bytes: settings.dead_letters_max_bytes,
        max_age: DEAD_LETTERS_FOR,
        allow_direct: true,
        ..base(wire::DEAD_LETTERS, wire::DEAD_LETTERS_SUBJECTS, settings)
    }
}

fn seen(settings: &NatsSettings) -> Config {
    Config {
        discard: DiscardPolicy::Old,
        max_bytes: SEEN_MAX_BYTES,
        max_age: SEEN_FOR,
        // For older builds and an older `accounts.conf`, which read it this
        // way.
        allow_direct: true,
        allow_message_ttl: true,
        ..bucket(wire::SEEN, settings)
    }
}

/// When it is full, it drops the oldest notes and takes new ones. So strangers
/// cannot stop the notes of others.
fn refusals(settings: &NatsSettings) -> Config {
    Config {
        discard: DiscardPolicy::Old,
        max_bytes: REFUSALS_MAX_BYTES,
        max_messages_per_subject: REFUSALS_EACH,
        max_age: REFUSALS_FOR,
        allow_direct: true,
        ..bucket(wire::REFUSALS, settings)
    }
}

fn messages(settings: &NatsSettings) -> Config {
    Config {
        discard: DiscardPolicy::Old,
        max_bytes: MESSAGES_MAX_BYTES,
        max_age: MESSAGES_FOR,
        ..bucket(wire::MESSAGES, settings)
    }
}

fn stack_traces(settings: &NatsSettings) -> Config {
    Config {
        discard: DiscardPolicy::Old,
        max_bytes: STACK_TRACES_MAX_BYTES,
        max_age: STACK_TRACES_FOR,
        ..bucket(wire::STACK_TRACES, settings)
    }
}

fn routed(settings: &NatsSettings) -> Config {
    Config {
        discard: DiscardPolicy::Old,
        max_bytes: ROUTED_MAX_BYTES,
        max_age: ROUTED_FOR,
        ..bucket(wire::ROUTED, settings)
    }
}

fn leases(settings: &NatsSettings) -> Config {
    Config { max_age: LEASES_FOR, allow_message_ttl: true, ..bucket(wire::LEASES, settings) }
}
