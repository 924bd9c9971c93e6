//! The store in NATS JetStream's key-value buckets.
//!
//! - `channel-list` holds a key `<channel>.<guild>` for each authorized
//!   channel. The key is the whole fact (`notes.rs` says what its value notes),
//!   so a process killed at any moment leaves it either there or not. The
//!   guilds of a channel, asked for with every alert, are the keys under one
//!   prefix, found without looking at other channels'. The channels of a guild,
//!   asked for by a command, cost the server a look through its index of keys
//!   (2 ms at 20,000).
//! - `user-projects`: see `projects.rs`.
//! - `channel-trust` and `channel-rules`: see `channel_document.rs`.
//!
//! Reads go to the stream's leader. A direct read may be answered by a replica
//! that lags, and a stale answer read after a broadcast would be cached for long.

mod channel_document;
mod notes;
mod projects;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{bail, ensure};
use async_nats::{Client, connection::State, jetstream};
use async_trait::async_trait;
use serde_json::{Map, Value};
use shared::{
    ChannelId, GuildId, RuntimeMode, UserId, bus, settings::NatsSettings, trust::ChannelTrust, wire,
};

use super::{ApiKeys, ProjectSlug, Registration, Store, StoreError, WriteOutcome, call::timed, owner_of};
use crate::{kv::Bucket, rules::ChannelRules};

/// The store in NATS. Its buckets are made when they are first needed.
pub struct NatsStore {
    client: Client,
    js: jetstream::Context,
    settings: NatsSettings,
    channels: Bucket,
    projects: Bucket,
    trust: Bucket,
    rules: Bucket,
    /// Whether the buckets are there, as far as is known.
    made: AtomicBool,
}

impl NatsStore {
    /// The store that this client reaches, which need not be connected yet.
    pub fn new(client: Client, settings: NatsSettings) -> Self {
        let js = jetstream::new(client.clone());
        let bucket = |name| Bucket::new(&js, name);
        let (channels, projects) = (bucket(wire::CHANNEL_LIST), bucket(wire::USER_PROJECTS));
        let (trust, rules) = (bucket(wire::CHANNEL_TRUST), bucket(wire::CHANNEL_RULES));
        Self { client, js, settings, channels, projects, trust, rules, made: AtomicBool::new(false) }
    }

    /// Makes sure that the buckets are there.
    async fn prepare(&self) -> anyhow::Result<()> {
        // What is sent while the connection is away would wait for it.
        ensure!(self.client.connection_state() == State::Connected, "not connected to NATS");
        if !self.made.load(Ordering::Relaxed) {
            bus::ensure_store(&self.js, &self.settings).await?;
            self.made.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn timed<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = anyhow::Result<T>> + Send,
    ) -> Result<T, StoreError> {
        let work = async {
            self.prepare().await?;
            work.await
        };
        let result = timed("nats", operation, work).await;
        if result.is_err() {
            // The server may have come back without its files: look again next time.
            self.made.store(false, Ordering::Relaxed);
        }
        result
    }

    async fn kept_trust(&self, channel: ChannelId) -> anyhow::Result<(Option<ChannelTrust>, u64)> {
        channel_document::read(&self.trust, channel).await
    }

    async fn kept_rules(&self, channel: ChannelId) -> anyhow::Result<(ChannelRules, u64)> {
        let (kept, revision) = channel_document::read(&self.rules, channel).await?;
        Ok((kept.unwrap_or_default(), revision))
    }

    /// Notes that the channel has rules, unless somebody has removed the last one
    /// meanwhile. Then the note would say that they are lost.
    async fn note_rules(&self, channel: ChannelId) -> anyhow::Result<()> {
        notes::change(&self.channels, channel, |note| note.rules = true).await?;
        let (kept, revision) = self.kept_rules(channel).await?;
        if revision > 0 && kept.rules.is_empty() {
            notes::change(&self.channels, channel, |note| note.rules = false).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Store for NatsStore {
    async fn guilds_listing(&self, channel: ChannelId) -> Result<Vec<GuildId>, StoreError> {
        self.timed("guilds_listing", async {
            let keys = self.channels.keys(&format!("{channel}.*")).await?;
            Ok(keys.iter().filter_map(|key| key.split_once('.')?.1.parse().ok()).collect())
        })
        .await
    }

    async fn channels(&self, guild: GuildId) -> Result<Vec<ChannelId>, StoreError> {
        self.timed("channels", async {
            let keys = self.channels.keys(&format!("*.{guild}")).await?;
            let mut channels: Vec<ChannelId> =
                keys.iter().filter_map(|key| key.split_once('.')?.0.parse().ok()).collect();
            channels.sort_unstable();
            Ok(channels)
        })
        .await
    }

    async fn authorize(&self, guild: GuildId, channel: ChannelId) -> Result<WriteOutcome, StoreError> {
        self.timed("authorize", async {
            let secured_ms = self.kept_trust(channel).await?.0.as_ref().and_then(notes::since);
            let has_rules = !self.kept_rules(channel).await?.0.rules.is_empty();
            let note = notes::Note::new(secured_ms, has_rules).encode()?;
            let added = self.channels.replace(&format!("{channel}.{guild}"), note, 0).await?;
            Ok(if added { WriteOutcome::Changed } else { WriteOutcome::Unchanged })
        })
        .await
    }

    async fn revoke(&self, guild: GuildId, channel: ChannelId) -> Result<WriteOutcome, StoreError> {
        self.timed("revoke", async {
            // It is purged from the stream, not deleted as a key. So no marker
            // stays that would still be listed, and the answer says whether it
            // was there.
            let removed = self.channels.remove(&format!("{channel}.{guild}")).await?;
            Ok(if removed { WriteOutcome::Changed } else { WriteOutcome::Unchanged })
        })
        .await
    }

    async fn projects(&self, guild: GuildId) -> Result<BTreeMap<UserId, String>, StoreError> {
        self.timed("projects", projects::read(&self.projects, guild)).await
    }

    async fn register(
        &self,
        guild: GuildId,
        user: UserId,
        slug: &ProjectSlug,
    ) -> Result<Registration, StoreError> {
        let claim = |rows: &mut Map<String, Value>| match owner_of(slug, user, &projects::readable(rows)) {
            Some(owner) => (Registration::Taken(owner), WriteOutcome::Unchanged),
            None => {
                rows.insert(user.to_string(), slug.as_ref().into());
                (Registration::Registered, WriteOutcome::Changed)
            }
        };
        self.timed("register", projects::edit(&self.projects, guild, claim)).await
    }

    async fn unregister(&self, guild: GuildId, user: UserId) -> Result<Option<String>, StoreError> {
        let release = |rows: &mut Map<String, Value>| match projects::readable(rows).remove(&user) {
            Some(slug) => {
                rows.remove(&user.to_string());
                (Some(slug), WriteOutcome::Changed)
            }
            None => (None, WriteOutcome::Unchanged),
        };
        self.timed("unregister", projects::edit(&self.projects, guild, release)).await
    }

    async fn trust(&self, channel: ChannelId) -> Result<Option<ChannelTrust>, StoreError> {
        self.timed("trust", async {
            let kept = self.kept_trust(channel).await?.0;
            let secured = kept.as_ref().is_some_and(|kept| kept.secured);
            if !secured && notes::secured_since(&self.channels, channel).await?.is_some() {
                bail!(
                    "what channel {channel} trusts is lost, and it was secured: secure it again, open it, or \
                     restore a backup"
                );
            }
            Ok(kept)
        })
        .await
    }

    async fn trust_now(&self, channel: ChannelId) -> Result<Option<ChannelTrust>, StoreError> {
        self.timed("trust_now", async {
            let kept = self.kept_trust(channel).await?.0;
            // Rows of an older build have no note.
            if let Some(since) = kept.as_ref().and_then(notes::since) {
                notes::change(&self.channels, channel, |note| note.secured_ms = Some(since)).await?;
            }
            Ok(kept)
        })
        .await
    }

    async fn secured_since(&self, channel: ChannelId) -> Result<Option<i64>, StoreError> {
        self.timed("secured_since", notes::secured_since(&self.channels, channel)).await
    }

    async fn note_open(&self, channel: ChannelId) -> Result<(), StoreError> {
        self.timed("note_open", notes::change(&self.channels, channel, |note| note.secured_ms = None)).await
    }

    async fn replace_trust(
        &self,
        channel: ChannelId,
        former: Option<&ChannelTrust>,
        latest: &ChannelTrust,
    ) -> Result<bool, StoreError> {
        self.timed("replace_trust", async {
            let (found, revision) = self.kept_trust(channel).await?;
            if found.as_ref() != former {
                return Ok(false);
            }
            // The note first: a channel is never secured without one.
            if latest.secured || former.is_some_and(|former| former.secured) {
                let since = notes::since(latest);
                notes::change(&self.channels, channel, |note| note.secured_ms = since).await?;
            }
            channel_document::write(&self.trust, channel, latest, revision).await
        })
        .await
    }

    async fn channels_with_trust(&self) -> Result<Vec<ChannelId>, StoreError> {
        self.timed("channels_with_trust", async {
            let keys = self.trust.keys("*").await?;
            Ok(keys.iter().filter_map(|key| key.parse().ok()).collect())
        })
        .await
    }

    async fn rules(&self, channel: ChannelId) -> Result<Arc<ChannelRules>, StoreError> {
        self.timed("rules", async {
            let kept = self.kept_rules(channel).await?.0;
            if kept.rules.is_empty() && notes::has_rules(&self.channels, channel).await? {
                bail!("the rules of channel {channel} are lost: add a rule again, or restore a backup");
            }
            Ok(Arc::new(kept))
        })
        .await
    }

    async fn rules_now(&self, channel: ChannelId) -> Result<Arc<ChannelRules>, StoreError> {
        self.timed("rules_now", async {
            let kept = self.kept_rules(channel).await?.0;
            // A pod may have died before it noted them. Another may have noted that there
            // are none, and then come second.
            if !kept.rules.is_empty() {
                self.note_rules(channel).await?;
            }
            Ok(Arc::new(kept))
        })
        .await
    }

    async fn replace_rules(
        &self,
        channel: ChannelId,
        former: &ChannelRules,
        latest: &ChannelRules,
    ) -> Result<bool, StoreError> {
        self.timed("replace_rules", async {
            let (found, revision) = self.kept_rules(channel).await?;
            if found != *former {
                return Ok(false);
            }
            // A note without rules would stop the channel. So it follows the first rule,
            // and goes before the last one does. A mute says nothing about rules that
            // were lost.
            let (had_rules, has_rules) = (!former.rules.is_empty(), !latest.rules.is_empty());
            if had_rules && !has_rules {
                notes::change(&self.channels, channel, |note| note.rules = false).await?;
            }
            let written = channel_document::write(&self.rules, channel, latest, revision).await?;
            if written && has_rules && !had_rules {
                self.note_rules(channel).await?;
            }
            Ok(written)
        })
        .await
    }

    async fn api_keys(&self, _: RuntimeMode) -> Result<ApiKeys, StoreError> {
        Ok(ApiKeys::default())
    }
}
