//! What a lane does while there is no work.

use std::{ops::ControlFlow, sync::Arc};

use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        mpsc,
    },
    time::{Instant, sleep_until},
};

use super::{Lane, interruption::Interruption};
use crate::reopening::Reopening;

impl Lane<'_> {
    /// Waits while there is no work. Breaks when the dispatcher ends the lane.
    pub(super) async fn idle(
        &mut self,
        wakes: &mut mpsc::Receiver<()>,
        reopenings: &mut broadcast::Receiver<Arc<Reopening>>,
    ) -> Result<ControlFlow<()>, Interruption> {
        let (next_check, closed) = (self.closure.next_check(), self.closure.is_flagged());
        let mute_ends = async {
            while let Some(look) = self.sorter.next_look() {
                sleep_until(look).await;
                if self.mute_has_ended().await {
                    return;
                }
            }
            std::future::pending().await
        };
        tokio::select! {
            () = mute_ends => {}
            wake = wakes.recv() => match wake {
                Some(()) => self.inbox.read_after_wake_up().await?,
                None => return Ok(ControlFlow::Break(())),
            },
            reopening = reopenings.recv(), if closed => match reopening {
                Ok(reopening) => self.closure.hear(Some(&reopening)).await,
                Err(RecvError::Lagged(_)) => self.closure.hear(None).await,
                Err(RecvError::Closed) => return Err(Interruption::Stopping),
            },
            () = sleep_until(next_check.unwrap_or_else(Instant::now)), if next_check.is_some() => {
                self.closure.check(self.inbox.backlog().is_empty()).await?;
            }
            () = self.lease_stop.cancelled() => {}
        }
        Ok(ControlFlow::Continue(()))
    }
}
