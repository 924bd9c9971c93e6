//! The world behind a lane's ports.

use std::{sync::Arc, time::Duration};

use anyhow::ensure;
use async_nats::HeaderMap;
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;
use shared::{Alert, ChannelId, GuildId, UserId, trust::ChannelTrust};
use tokio::time::{Instant, sleep};

use super::world::{Fails, Name, World, Write};
use crate::{
    authority::{AskAgain, Entitlement, Standing},
    batch::{Batch, Stored},
    dead_letters::{DeadLetter, LetterStream},
    delivery::{
        closing::Access,
        ports::{AccessApi, AlertStream, Bucket, MessageApi, Rights},
        queue::Standing as Stands,
    },
    discord::{DiscordError, Edited, Refusal},
    leader::Entry,
};

pub(super) const GUILD: GuildId = GuildId::new(9);

fn stored(sequence: u64, payload: &Bytes) -> Stored {
    Stored::new(sequence, &HeaderMap::new(), payload.clone())
}

#[async_trait]
impl AlertStream for World {
    async fn back_after(&self, wait: Duration) {
        sleep(wait).await;
    }

    async fn standing(&self, _: &str) -> anyhow::Result<Stands> {
        self.alive().await;
        Ok(Stands { stream: "the only one".to_owned(), messages: self.lock().stream.len() })
    }

    async fn read(&self, _: &str, from: u64, most: usize) -> anyhow::Result<Batch> {
        self.alive().await;
        let world = self.lock();
        let standing = || world.stream.range(from..);
        let messages = standing().take(most).map(|(s, payload)| stored(*s, payload)).collect();
        Ok(Batch { messages, more: standing().nth(most).is_some() })
    }

    async fn get(&self, sequences: Vec<u64>) -> anyhow::Result<Vec<Stored>> {
        self.alive().await;
        let world = self.lock();
        Ok(sequences.iter().filter_map(|s| Some(stored(*s, world.stream.get(s)?))).collect())
    }

    async fn stands(&self, sequence: u64) -> anyhow::Result<bool> {
        self.alive().await;
        Ok(self.lock().stream.contains_key(&sequence))
    }

    async fn first(&self, _: &str, from: u64) -> anyhow::Result<Option<Stored>> {
        self.alive().await;
        Ok(self.lock().stream.range(from..).next().map(|(sequence, payload)| stored(*sequence, payload)))
    }

    async fn purge(&self, _: &str, below: u64) -> anyhow::Result<()> {
        self.write(Write::Plain, |world| {
            world.stream.retain(|sequence, _| *sequence >= below);
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
}

/// One of the buckets.
pub(super) struct Kv(pub(super) Arc<World>, pub(super) Name);

#[async_trait]
impl Bucket for Kv {
    async fn entry(&self, key: &str) -> anyhow::Result<Option<Entry>> {
        self.0.alive().await;
        let found = self.0.lock().buckets.get(&(self.1, key.to_owned())).cloned();
        Ok(found.map(|(revision, value)| Entry { revision, value }))
    }

    async fn get(&self, key: &str) -> anyhow::Result<Option<Bytes>> {
        Ok(self.entry(key).await?.and_then(|entry| entry.value))
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
            self.0.lock().check_mark();
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
impl LetterStream for World {
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

    async fn unreachable(&self, _: ChannelId, from: u64) -> anyhow::Result<Vec<(u64, Option<DeadLetter>)>> {
        self.alive().await;
        let world = self.lock();
        let found = world.letters.range(from..).filter(|(_, (subject, _))| subject.contains("unreachable"));
        Ok(found.map(|(sequence, (_, letter))| (*sequence, serde_json::from_slice(letter).ok())).collect())
    }

    async fn last(&self) -> anyhow::Result<u64> {
        self.alive().await;
        Ok(self.lock().last_letter)
    }

    async fn put_back(&self, sequence: u64, alert: &Alert) -> anyhow::Result<()> {
        self.write(Write::Plain, |world| {
            if world.alert_ids.insert(sequence) {
                world.store(alert.encode().into());
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

fn refused(refusal: Refusal) -> DiscordError {
    DiscordError::Refused { refusal, status: 400, code: 1, message: "refused".to_owned() }
}

fn silence() -> DiscordError {
    DiscordError::unavailable(anyhow::anyhow!("nothing was heard"))
}

#[async_trait]
impl MessageApi for World {
    async fn post(&self, _: ChannelId, body: &Value) -> Result<Option<u64>, DiscordError> {
        self.alive().await;
        if self.lock().is_refused(body) {
            self.lock().refusals += 1;
            return Err(refused(Refusal::Message));
        }
        let fails = self.lock().fails(body);
        if let Some(Fails { answered_4xx, .. }) = fails {
            return Err(DiscordError::Unavailable {
                error: anyhow::anyhow!("error code: 1020"),
                answered_4xx,
            });
        }
        if self.lock().closed_until > 1 {
            self.lock().closed_until -= 1;
            return Err(refused(Refusal::Channel));
        }
        let evil = self.lock().choices.evil(6);
        self.lock().unlucky += usize::from(evil == 4);
        match evil {
            1 => {
                self.lock().create(body);
                self.die().await;
            }
            2 => {
                self.lock().create(body);
                return Err(silence());
            }
            3 => return Err(silence()),
            4 => return Err(refused(Refusal::Channel)),
            5 => return Ok(None),
            _ => {}
        }
        Ok(Some(self.lock().create(body)))
    }

    async fn edit(&self, _: ChannelId, message: u64, body: &Value) -> Result<Edited, DiscordError> {
        self.alive().await;
        let mut world = self.lock();
        let evil = world.choices.evil(6);
        if evil == 1
            && let Some(message) = world.messages.get_mut(&message)
        {
            message.stands = false;
        }
        if !world.messages.get(&message).is_some_and(|message| message.stands) {
            return Err(refused(Refusal::MessageGone));
        }
        match evil {
            3 => return Err(silence()),
            4 => return Err(refused(Refusal::Channel)),
            5 => return Ok(Edited::NotYet),
            _ => world.show(message, body),
        }
        match evil {
            2 => Err(silence()),
            _ => Ok(Edited::Done),
        }
    }

    async fn until_free(&self, _: ChannelId) {}

    async fn until_edit_free(&self, _: ChannelId) {}

    fn used(&self, _: ChannelId) -> f64 {
        0.0
    }

    fn edit_free_at(&self, _: ChannelId) -> Instant {
        Instant::now()
    }

    async fn others_succeed(&self, _: ChannelId) -> bool {
        self.lock().others_succeed
    }

    fn may_be_refused(&self) -> bool {
        self.lock().may_be_refused
    }
}

#[async_trait]
impl AccessApi for World {
    async fn of(&self, _: GuildId, _: ChannelId) -> anyhow::Result<Access> {
        Ok(Access::default())
    }
}

#[async_trait]
impl Rights for World {
    async fn standing(&self, _: ChannelId) -> Result<Standing, AskAgain> {
        self.alive().await;
        Ok(match self.lock().choices.evil(2) {
            0 => Standing::Authorized(GUILD),
            _ => Standing::NotAuthorized,
        })
    }

    async fn was_authorized(&self, _: ChannelId) -> anyhow::Result<bool> {
        Ok(true)
    }

    async fn guild(&self, _: ChannelId) -> Option<GuildId> {
        Some(GUILD)
    }

    async fn look_again(&self, _: ChannelId) {}

    async fn trust(&self, _: ChannelId) -> Result<ChannelTrust, AskAgain> {
        Ok(ChannelTrust::default())
    }

    async fn entitlement(&self, _: GuildId, _: UserId, _: &str) -> Result<Entitlement, AskAgain> {
        Ok(Entitlement::Entitled)
    }
}
