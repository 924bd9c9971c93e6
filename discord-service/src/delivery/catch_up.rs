//! How a lane reads what waits. What it finds when it opens must be what the
//! stream's leader has.
//!
//! Alerts are read directly, from whichever replica answers first, and one that
//! lags still shows alerts that a predecessor posted and removed: they would be
//! posted twice. Later reads begin behind all that the lane has seen, so that
//! such a replica can only show too little, and what is new shows up soon.

use std::{collections::BTreeSet, time::Duration};

use anyhow::bail;

use super::{backlog::Backlog, lane::Lane};
use crate::{
    batch::{BATCH, Batch, Stored},
    dead_letters::{Cause, Reason},
};

/// Alerts that are read from the leader before the next post is made.
const FROM_LEADER: usize = 128;

/// How long to wait for a replica that does not show yet what its leader has.
const REPLICA_LAGS_MS: [u64; 6] = [1, 3, 10, 30, 100, 300];

/// How often it is compared before the lane starts over, and the longest pause
/// between: about two seconds in all.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

impl Lane<'_> {
    /// Reads from the beginning until that is exactly what stands, or the first
    /// part of it where there is no room for all.
    ///
    /// # Errors
    /// When NATS is away, or its replicas lag for long.
    pub(super) async fn catch_up(&mut self) -> anyhow::Result<()> {
        for attempt in 0..ATTEMPTS {
            let from_leader = self.behind;
            self.refill().await?;
            if from_leader {
                return Ok(());
            }
            if self.behind {
                self.read_anew();
                continue;
            }
            let stand = self.around.queue.standing(&self.subject).await?.messages;
            // All that stands was read, since a replica applies everything in
            // order; so where the numbers agree and nothing stands behind what
            // was read, nothing that is gone was read either.
            let later = self.around.queue.first(&self.subject, self.cursor).await?;
            if later.is_none() && stand == self.read_so_far() {
                return Ok(());
            }
            if self.read_so_far() > stand {
                tracing::debug!(channel.id = %self.channel, "a replica shows alerts that are gone; reading again");
                self.read_anew();
            }
            tokio::time::sleep(PAUSE * attempt).await;
        }
        bail!("the replicas of the alerts' stream lag behind its leader")
    }

    /// Takes in all that has come since the last time. It does not wait for a
    /// moment in which nothing comes: in a storm there is none.
    pub(super) async fn refill(&mut self) -> anyhow::Result<()> {
        let mut again = true;
        while again {
            let room = &self.around.room;
            let reader = if self.behind { None } else { room.reader().await };
            let most = self.share.grow(self.read_so_far(), if self.behind { FROM_LEADER } else { BATCH });
            let batch = match self.behind {
                _ if most == 0 => Batch { messages: Vec::new(), more: true },
                true => self.read_from_leader(most).await?,
                false => self.around.queue.read(&self.subject, self.cursor, most).await?,
            };
            again = !self.behind && batch.more && !batch.messages.is_empty();
            self.behind = batch.more && (self.behind || most == 0);
            batch.messages.into_iter().for_each(|stored| self.take_in(stored));
            self.share.settle(self.read_so_far());
            drop(reader);
        }
        Ok(())
    }

    fn take_in(&mut self, stored: Stored) {
        self.cursor = stored.sequence + 1;
        let why = match stored.alert() {
            Ok(alert) if alert.channel == self.channel => {
                return self.backlog.insert(stored.sequence, alert);
            }
            Ok(_) => "it is for another channel".to_owned(),
            Err(error) => error.to_string(),
        };
        self.unreadable.insert(stored.sequence, why);
    }

    fn read_anew(&mut self) {
        self.backlog = Backlog::default();
        self.unreadable.clear();
        self.cursor = 1;
    }

    /// Where only a part is read, the numbers of what stands cannot be compared.
    async fn read_from_leader(&self, most: usize) -> anyhow::Result<Batch> {
        let (mut messages, mut from) = (Vec::new(), self.cursor);
        while messages.len() < most {
            let Some(stored) = self.around.queue.first(&self.subject, from).await? else {
                return Ok(Batch { messages, more: false });
            };
            from = stored.sequence + 1;
            messages.push(stored);
        }
        Ok(Batch { messages, more: true })
    }

    /// Those of these alerts that still stand.
    pub(super) async fn standing(&self, sequences: &BTreeSet<u64>) -> anyhow::Result<BTreeSet<u64>> {
        let all = self.backlog.sequences().chain(self.unreadable.keys().copied());
        let mut standing: BTreeSet<u64> = all.filter(|sequence| sequences.contains(sequence)).collect();
        if self.behind {
            for &sequence in sequences.range(self.cursor..) {
                if self.around.queue.stands(sequence).await? {
                    standing.insert(sequence);
                }
            }
        }
        Ok(standing)
    }

    /// Makes dead letters of what cannot be read. That comes after all that a
    /// predecessor began: it may have been able to read them, and to post them.
    pub(super) async fn bury_unreadable(&mut self) -> anyhow::Result<()> {
        while let Some(why) = self.unreadable.values().next().cloned() {
            let same = self.unreadable.iter().filter(|(_, other)| **other == why);
            let same = same.map(|(sequence, _)| *sequence).collect();
            self.bury(&same, &Cause::new(Reason::Unreadable, why)).await?;
        }
        Ok(())
    }

    /// How many alerts were read that still stand, as far as is known.
    fn read_so_far(&self) -> usize {
        self.backlog.len() + self.unreadable.len()
    }

    /// Takes in what a wake-up announced. NATS announces what is stored, but a
    /// replica may still lag; what it does not show in time the sweep finds.
    pub(super) async fn look_again(&mut self) -> anyhow::Result<()> {
        let before = self.read_so_far();
        for wait in REPLICA_LAGS_MS {
            self.refill().await?;
            let shown = self.read_so_far() > before;
            if shown || self.around.queue.first(&self.subject, self.cursor).await?.is_none() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        if self.read_so_far() == 0
            && let Some(first) = self.around.queue.first(&self.subject, 1).await?
            && first.sequence < self.cursor
        {
            anyhow::bail!("the alerts' stream was made anew");
        }
        Ok(())
    }
}
