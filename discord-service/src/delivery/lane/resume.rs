//! What a lane does with the record that a predecessor left.

use tokio::sync::mpsc;

use super::{Lane, interruption::Interruption};
use crate::delivery::record::{Record, RecordFate, RecordState};

impl Lane<'_> {
    /// Ends the work of a predecessor, perhaps of this pod before a crash.
    pub(super) async fn resume(
        &mut self,
        record: Record,
        wakes: &mut mpsc::Receiver<()>,
    ) -> Result<(), Interruption> {
        if !record.tells.is_empty() {
            let untold = record.tells.iter().any(|mute| self.sorter.is_untold(*mute));
            let unconfirmed = record.state == RecordState::Sending && untold;
            return if unconfirmed { self.send(record, true, wakes).await } else { Ok(()) };
        }
        let sequences = record.sequences();
        let first_waits = match record.first() {
            // It is done already.
            Some(first) if self.inbox.places().copies().contains(&first) => false,
            Some(first) => self.services.queue.still_waits(first).await?,
            None => false,
        };
        match record.resume(first_waits) {
            // The predecessor had no time to note the post or to count it.
            RecordFate::Remove if record.state == RecordState::Sending => {
                Ok(self.confirm(record, None).await?)
            }
            RecordFate::Remove => {
                self.forget(&sequences).await?;
                // Perhaps it had no time to remember the message. Doing so
                // twice changes nothing.
                self.keep_stack_trace(record.message, &record);
                self.remember(record.message, record.shown.filter(|_| record.edits.is_none())).await;
                Ok(())
            }
            RecordFate::Bury(cause) => {
                let still_waiting = self.inbox.still_waiting(&sequences).await?;
                Ok(self.bury_decided(&still_waiting, &cause).await?)
            }
            RecordFate::Repeat => {
                tracing::info!(alerts = sequences.len(), "repeating an unfinished post");
                self.send(record, true, wakes).await
            }
        }
    }
}
