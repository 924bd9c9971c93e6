//! The world behind a lane's ports.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use async_nats::{HeaderMap, header::NATS_MESSAGE_ID};
use async_trait::async_trait;
use bytes::Bytes;
use shared::{Alert, ChannelId, GuildId, UserId, trust::ChannelTrust, wire};
use tokio::time::sleep;

use super::world::{FakeWorld, Name, Waiting, Write};
use crate::{
    authority::{AskAgain, ChannelStanding, Entitlement},
    closure::Access,
    dead_letters::{DeadLetter, LetterStream},
    delivery::ports::{
        AccessApi, AlertStream, AuthorityApi, Copy, KeyValue, NameKeeper, StackTraceKeeper, SubjectState,
    },
    direct_get::{Batch, StoredMessage},
    kv::Entry,
    rules::ChannelRules,
    stack_trace::StackTrace,
};

pub(super) const GUILD: GuildId = GuildId::new(9);

fn stored(sequence: u64, Waiting { id, payload, .. }: &Waiting) -> StoredMessage {
    let mut headers = HeaderMap::new();
    if let Some(id) = id {
        headers.insert(NATS_MESSAGE_ID, id.as_str());
    }
    StoredMessage::new(sequence, &headers, payload.clone())
}

#[async_trait]
impl AlertStream for FakeWorld {
    async fn back_after(&self, wait: Duration) {
        sleep(wait).await;
    }

    async fn state(&self, subject: &str) -> anyhow::Result<SubjectState> {
        self.alive().await;
        let messages = self.lock().on(subject, 0).count();
        Ok(SubjectState { stream: "the only one".to_owned(), messages })
    }

    async fn read(&self, subject: &str, from: u64, most: usize) -> anyhow::Result<Batch> {
        self.alive().await;
        let world = self.lock();
        let waiting = || world.on(subject, from);
        let messages = waiting().take(most).map(|(s, waiting)| stored(s, waiting)).collect();
        Ok(Batch { messages, more: waiting().nth(most).is_some() })
    }

    async fn get(&self, sequences: Vec<u64>) -> anyhow::Result<Vec<StoredMessage>> {
        self.alive().await;
        let world = self.lock();
        Ok(sequences.iter().filter_map(|s| Some(stored(*s, world.stream.get(s)?))).collect())
    }

    async fn still_waits(&self, sequence: u64) -> anyhow::Result<bool> {
        self.alive().await;
        Ok(self.lock().stream.contains_key(&sequence))
    }

    async fn first(&self, subject: &str, from: u64) -> anyhow::Result<Option<StoredMessage>> {
        self.alive().await;
        *self.lock().asked.entry(subject.to_owned()).or_default() += 1;
        Ok(self.lock().on(subject, from).next().map(|(sequence, waiting)| stored(sequence, waiting)))
    }

    async fn purge(&self, subject: &str, below: u64) -> anyhow::Result<()> {
        self.write(Write::Plain, |world| {
            world.stream.retain(|sequence, waiting| waiting.subject != subject || *sequence >= below);
            Ok(())
        })
        .await
    }

    async fn delete(&self, sequence: u64) -> anyhow::Result<()> {
        self.write(Write::Plain, |world| {
            world.stream.remove(&sequence);
            Ok(())
        })
        .await
    }

    async fn publish(&self, copies: Vec<Copy>) -> anyhow::Result<Vec<bool>> {
        let mut stored = Vec::new();
        for copy in copies {
            stored.push(self.write(Write::Plain, |world| Ok(world.publish(&copy))).await?);
        }
        Ok(stored)
    }
}

impl StackTraceKeeper for FakeWorld {
    fn keep(&self, _: ChannelId, message: u64, _: &StackTrace) {
        self.lock().stack_traces.insert(message);
    }
}

impl NameKeeper for FakeWorld {
    fn note(&self, _: ChannelId, _: &Alert) {}
}

/// One of the buckets.
pub(super) struct Kv(pub(super) Arc<FakeWorld>, pub(super) Name);

#[async_trait]
impl KeyValue for Kv {
    async fn entry(&self, key: &str) -> anyhow::Result<Entry> {
        self.0.alive().await;
        let found = self.0.lock().buckets.get(&(self.1, key.to_owned())).cloned();
        Ok(found.map(|(revision, value)| Entry { revision, value }).unwrap_or_default())
    }

    async fn get(&self, key: &str) -> anyhow::Result<Option<Bytes>> {
        Ok(self.entry(key).await?.value)
    }

    async fn update(&self, key: &str, value: Bytes, revision: u64) -> anyhow::Result<u64> {
        self.0
            .write(Write::Beside, |world| {
                let stood = world.buckets.get(&(self.1, key.to_owned())).map_or(0, |(stood, _)| *stood);
                ensure!(stood == revision, "another wrote {key} since");
                world.revision += 1;
                world.buckets.insert((self.1, key.to_owned()), (world.revision, Some(value)));
                Ok(world.revision)
            })
            .await
    }

    async fn put(&self, key: &str, value: Bytes) -> anyhow::Result<()> {
        if self.1 == Name::Messages && key.contains(".issue.") {
            self.0.lock().check_mark(key);
        }
        self.0
            .write(Write::Plain, |world| {
                world.revision += 1;
                world.buckets.insert((self.1, key.to_owned()), (world.revision, Some(value)));
                Ok(())
            })
            .await
    }

    async fn purge(&self, key: &str) -> anyhow::Result<()> {
        self.0
            .write(Write::Plain, |world| {
                world.revision += 1;
                world.buckets.insert((self.1, key.to_owned()), (world.revision, None));
                Ok(())
            })
            .await
    }

    async fn purge_revision(&self, key: &str, _: u64) -> anyhow::Result<()> {
        self.purge(key).await
    }
}

#[async_trait]
impl LetterStream for FakeWorld {
    async fn store(&self, subject: &str, id: &str, letter: Bytes) -> anyhow::Result<()> {
        self.write(Write::Plain, |world| {
            if world.letter_ids.insert(id.to_owned()) {
                world.last_letter += 1;
                world.letters.insert(world.last_letter, (subject.to_owned(), letter));
            }
            Ok(())
        })
        .await
    }

    async fn unreachable(
        &self,
        channel: ChannelId,
        from: u64,
    ) -> anyhow::Result<Vec<(u64, Option<DeadLetter>)>> {
        self.alive().await;
        let world = self.lock();
        let wanted = wire::dead_letter_subject("unreachable", channel);
        let found = world.letters.range(from..).filter(|(_, (subject, _))| *subject == wanted);
        Ok(found.map(|(sequence, (_, letter))| (*sequence, serde_json::from_slice(letter).ok())).collect())
    }

    async fn last(&self) -> anyhow::Result<u64> {
        self.alive().await;
        Ok(self.lock().last_letter)
    }

    async fn put_back(&self, sequence: u64, alert: &Alert) -> anyhow::Result<()> {
        self.write(Write::Plain, |world| {
            if world.alert_ids.insert(sequence) {
                world.store(alert.channel, None, alert.encode().into());
            }
            Ok(())
        })
        .await?;
        self.write(Write::Plain, |world| {
            world.letters.remove(&sequence);
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl AccessApi for FakeWorld {
    async fn of(&self, _: GuildId, _: ChannelId) -> anyhow::Result<Access> {
        Ok(Access::default())
    }
}

#[async_trait]
impl AuthorityApi for FakeWorld {
    async fn standing(&self, _: ChannelId) -> Result<ChannelStanding, AskAgain> {
        self.alive().await;
        let mut world = self.lock();
        Ok(match world.choices.evil(2) {
            0 => ChannelStanding::Authorized(GUILD),
            _ => {
                world.denied += 1;
                ChannelStanding::NotAuthorized
            }
        })
    }

    async fn was_authorized(&self, _: ChannelId) -> anyhow::Result<bool> {
        Ok(true)
    }

    async fn guild(&self, _: ChannelId) -> Option<GuildId> {
        Some(GUILD)
    }

    async fn is_deleted(&self, _: ChannelId) -> anyhow::Result<bool> {
        Ok(false)
    }

    async fn forget_hidden(&self, _: ChannelId) {}

    async fn trust(&self, _: ChannelId) -> Result<ChannelTrust, AskAgain> {
        Ok(ChannelTrust::default())
    }

    async fn rules(&self, channel: ChannelId) -> Result<Arc<ChannelRules>, AskAgain> {
        self.alive().await;
        Ok(self.lock().rules.get(&channel).cloned().unwrap_or_default())
    }

    async fn entitlement(&self, _: GuildId, _: UserId, _: &str) -> Result<Entitlement, AskAgain> {
        Ok(Entitlement::Entitled)
    }
}
