//! Which projects and environments a channel's alerts name, so that commands can offer
//! them while somebody types. Nothing depends on it, and what cannot be written is lost.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use shared::{Alert, ChannelId, alert::UNKNOWN_PROJECT};
use tokio::time::{sleep, timeout};

use crate::{kv::Bucket, render::units};

/// How many names of a kind are known: as many as Discord offers at once.
const MOST: usize = 25;
/// Discord offers no longer ones.
const MAX_NAME: usize = 100;
/// The most channels in memory.
const MAX_CHANNELS: usize = 10_000;
/// Between two writes for a channel: a sender may make up a name for each alert.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a read and a write may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Names that a channel's alerts have had, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownNames {
    /// The slugs of the projects, at most 25.
    pub projects: Vec<String>,
    /// The environments, at most 25.
    pub environments: Vec<String>,
}

impl KnownNames {
    /// Adds what is new of this alert; whether anything is.
    fn add(&mut self, alert: &Alert) -> bool {
        let project = Some(alert.project.as_str()).filter(|project| *project != UNKNOWN_PROJECT);
        let news = add(&mut self.projects, project);
        add(&mut self.environments, alert.environment.as_deref()) | news
    }

    /// Adds what these have beside its own, before it.
    fn add_all(&mut self, newer: &Self) {
        for name in newer.projects.iter().rev() {
            add(&mut self.projects, Some(name));
        }
        for name in newer.environments.iter().rev() {
            add(&mut self.environments, Some(name));
        }
    }
}

fn add(known: &mut Vec<String>, name: Option<&str>) -> bool {
    let is_news = |name: &&str| !known.iter().any(|known| known == name);
    let fits = |name: &&str| !name.trim().is_empty() && units(name) <= MAX_NAME;
    let Some(name) = name.filter(is_news).filter(fits) else { return false };
    known.insert(0, name.to_owned());
    known.truncate(MOST);
    true
}

/// What is known of one channel in this process.
#[derive(Debug, Default)]
struct ChannelNames {
    names: KnownNames,
    /// Whether some of them may not be written yet.
    changed: bool,
    /// Whether a task writes them.
    writing: bool,
}

/// The known names of all channels, in the bucket [`shared::wire::LANES`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NameBook {
    bucket: Bucket,
    channels: Arc<Mutex<HashMap<ChannelId, ChannelNames>>>,
}

impl NameBook {
    /// Over this bucket, which need not be there yet.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket, channels: Arc::default() }
    }

    /// Notes the names in an alert of this channel. Nothing waits for that, and only a
    /// new name costs more than a look into memory. The alert must be one that the
    /// channel lets in, because strangers may leave no trace.
    pub fn note(&self, channel: ChannelId, alert: &Alert) {
        let mut channels = self.channels();
        if channels.len() >= MAX_CHANNELS && !channels.contains_key(&channel) {
            channels.retain(|_, known| known.writing);
        }
        let known = channels.entry(channel).or_default();
        if !known.names.add(alert) {
            return;
        }
        known.changed = true;
        if !mem::replace(&mut known.writing, true) {
            tokio::spawn(self.clone().write_all(channel));
        }
    }

    /// The names that the channel's alerts have had. None where NATS is away.
    pub async fn of(&self, channel: ChannelId) -> KnownNames {
        match timeout(PATIENCE, self.read(channel)).await.context("NATS does not answer").flatten() {
            Ok((names, _)) => names,
            Err(error) => {
                tracing::debug!(channel.id = %channel, "the channel's names are not known: {error:#}");
                KnownNames::default()
            }
        }
    }

    /// Writes the channel's names until there are no new ones.
    async fn write_all(self, channel: ChannelId) {
        loop {
            let noted = {
                let mut channels = self.channels();
                let known = channels.entry(channel).or_default();
                if !mem::take(&mut known.changed) {
                    known.writing = false;
                    return;
                }
                known.names.clone()
            };
            let written = timeout(PATIENCE, self.write(channel, &noted)).await;
            let written = written.context("NATS does not answer").flatten();
            {
                let mut channels = self.channels();
                let known = channels.entry(channel).or_default();
                match written {
                    Ok(mut all) => {
                        all.add_all(&known.names);
                        known.names = all;
                    }
                    Err(error) => {
                        known.changed = true;
                        tracing::debug!(channel.id = %channel, "cannot write the channel's names: {error:#}");
                    }
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// Adds these names to those in the bucket, and returns all.
    async fn write(&self, channel: ChannelId, noted: &KnownNames) -> anyhow::Result<KnownNames> {
        let (stored, revision) = self.read(channel).await?;
        let mut all = stored.clone();
        all.add_all(noted);
        if all != stored {
            let value = serde_json::to_vec(&all).context("cannot encode names")?;
            self.bucket.update(&key(channel), value.into(), revision).await?;
        }
        Ok(all)
    }

    async fn read(&self, channel: ChannelId) -> anyhow::Result<(KnownNames, u64)> {
        let entry = self.bucket.entry(&key(channel)).await?;
        let names = entry.value.and_then(|value| serde_json::from_slice(&value).ok());
        Ok((names.unwrap_or_default(), entry.revision))
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<ChannelId, ChannelNames>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(channel: ChannelId) -> String {
    format!("{channel}.known")
}

#[cfg(test)]
mod tests;
