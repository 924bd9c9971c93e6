//! Reads the waiting alerts from the stream.
//!
//! When a lane opens, it must find what the stream's leader has. But any
//! replica may answer a read. One that lags still shows alerts that a
//! predecessor posted and removed, and they would be posted twice. Later reads
//! begin after all that the lane has seen. So a replica that lags shows too
//! little, and only for a short time.

use std::{collections::BTreeSet, time::Duration};

use anyhow::bail;
use tokio::time::sleep;

use super::Inbox;
use crate::{
    delivery::{backlog::Backlog, hop_id::HopId},
    direct_get::{BATCH, Batch, StoredMessage},
};

/// How many alerts are read from the leader before the next post.
const FROM_LEADER: usize = 128;

/// How long to wait for a replica that lags behind its leader.
const REPLICA_LAGS_MS: [u64; 6] = [1, 3, 10, 30, 100, 300];

/// How often to compare before the lane starts over, and the longest pause
/// between. Together they take about two seconds.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

impl Inbox<'_> {
    /// Reads from the beginning until the alerts are those in the stream, or
    /// the first part of them if there is no room for all.
    ///
    /// # Errors
    /// When NATS is away, or when its replicas lag for long.
    pub(in crate::delivery::lane) async fn catch_up(&mut self) -> anyhow::Result<()> {
        for attempt in 0..ATTEMPTS {
            let from_leader = self.behind;
            self.refill().await?;
            if from_leader {
                return Ok(());
            }
            if self.behind {
                self.start_over();
                continue;
            }
            let in_stream = self.services.queue.state(&self.subject).await?.messages;
            // A replica applies everything in order, so every alert in the
            // stream was read. If the numbers agree and no alert comes after
            // those, no removed alert was read either.
            let later = self.first_from(self.cursor).await?;
            if later.is_none() && in_stream == self.len() {
                return Ok(());
            }
            if self.len() > in_stream {
                tracing::debug!("a replica shows alerts that are gone; reading again");
                self.start_over();
            }
            sleep(PAUSE * attempt).await;
        }
        bail!("the replicas of the alerts' stream lag behind its leader")
    }

    /// Reads what has come since the last time. It does not wait for a quiet
    /// moment, because a storm has none.
    pub(in crate::delivery::lane) async fn refill(&mut self) -> anyhow::Result<()> {
        let mut again = true;
        while again {
            let memory = &self.services.memory;
            let reader = if self.behind { None } else { memory.reader().await };
            let most = self.share.grow(self.len(), if self.behind { FROM_LEADER } else { BATCH });
            let batch = match self.behind {
                _ if most == 0 => Batch { messages: Vec::new(), more: true },
                true => self.read_from_leader(most).await?,
                false => self.services.queue.read(&self.subject, self.cursor, most).await?,
            };
            again = !self.behind && batch.more && !batch.messages.is_empty();
            self.behind = batch.more && (self.behind || most == 0);
            let finished = self.finished(&batch.messages).await?;
            batch.messages.iter().for_each(|stored| self.take_in(stored, &finished));
            self.share.shrink(self.len());
            drop(reader);
        }
        Ok(())
    }

    fn start_over(&mut self) {
        self.backlog = Backlog::default();
        self.places.start_over();
        self.unreadable.clear();
        self.cursor = 1;
    }

    /// Asks the leader itself. If only a part is read, the numbers cannot be
    /// compared.
    async fn read_from_leader(&self, most: usize) -> anyhow::Result<Batch> {
        let (mut messages, mut from) = (Vec::new(), self.cursor);
        while messages.len() < most {
            let Some(stored) = self.first_from(from).await? else {
                return Ok(Batch { messages, more: false });
            };
            from = stored.sequence + 1;
            messages.push(stored);
        }
        Ok(Batch { messages, more: true })
    }

    fn take_in(&mut self, stored: &StoredMessage, finished: &BTreeSet<HopId>) {
        self.cursor = stored.sequence + 1;
        if let Some(hop) = self.hop(stored)
            && (finished.contains(&hop) || !self.places.note_hop(stored.sequence, hop))
        {
            return self.places.add_copy(stored.sequence);
        }
        let why = match stored.alert() {
            Ok(alert) if alert.channel == self.channel => {
                let place = self.place(&alert);
                return self.put(stored.sequence, alert, &place);
            }
            Ok(_) => "it is for another channel".to_owned(),
            Err(error) => error.to_string(),
        };
        self.unreadable.insert(stored.sequence, why);
    }

    /// Reads what a wake-up announced. NATS announces a stored alert, but a
    /// replica may still lag. What it does not show in time, the sweep finds.
    pub(in crate::delivery::lane) async fn read_after_wake_up(&mut self) -> anyhow::Result<()> {
        let before = self.len();
        for wait in REPLICA_LAGS_MS {
            self.refill().await?;
            // Without room, waiting does not bring more.
            if self.behind || self.len() > before || self.first_from(self.cursor).await?.is_none() {
                break;
            }
            sleep(Duration::from_millis(wait)).await;
        }
        if self.len() == 0
            && let Some(first) = self.first_from(1).await?
            && first.sequence < self.cursor
        {
            bail!("the alerts' stream was made again");
        }
        Ok(())
    }

    async fn first_from(&self, sequence: u64) -> anyhow::Result<Option<StoredMessage>> {
        self.services.queue.first(&self.subject, sequence).await
    }
}
