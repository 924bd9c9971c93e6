//! What a lane finds when it opens must be what the stream's leader has.
//!
//! Alerts are read directly, from whichever replica answers first, and one that
//! lags still shows alerts that a predecessor posted and removed: they would be
//! posted twice. Later reads begin behind all that the lane has seen, so that
//! such a replica can only show too little, and what is new shows up soon.

use std::time::Duration;

use anyhow::bail;

use super::{backlog::Backlog, lane::Lane};

/// How often it is compared before the lane starts over, and the longest pause
/// between: about two seconds in all.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

impl Lane<'_> {
    /// Reads from the beginning until that is exactly what stands.
    ///
    /// # Errors
    /// When NATS is away, or its replicas lag for long.
    pub(super) async fn catch_up(&mut self) -> anyhow::Result<()> {
        for attempt in 0..ATTEMPTS {
            self.refill().await?;
            let stand = self.around.queue.standing(&self.subject).await?.messages;
            // All that stands was read, since a replica applies everything in
            // order; so where the numbers agree and nothing stands behind what
            // was read, nothing that is gone was read either.
            let later = self.around.queue.first(&self.subject, self.cursor).await?;
            if later.is_none() && stand == self.backlog.len() {
                return Ok(());
            }
            if self.backlog.len() > stand {
                tracing::debug!(channel.id = %self.channel, "a replica shows alerts that are gone; reading again");
                self.backlog = Backlog::default();
                self.cursor = 1;
            }
            tokio::time::sleep(PAUSE * attempt).await;
        }
        bail!("the replicas of the alerts' stream lag behind its leader")
    }
}
