//! What a lane does with the record that a predecessor left.

use super::{Lane, interruption::Interruption};
use crate::delivery::record::{Record, RecordFate, RecordState};

impl Lane<'_> {
    /// Ends what a predecessor, perhaps this pod before a crash, began.
    pub(super) async fn resume(&mut self, record: Record) -> Result<(), Interruption> {
        let sequences = record.sequences();
        let first_stands = match record.first() {
            Some(first) => self.services.queue.stands(first).await?,
            None => false,
        };
        match record.resume(first_stands) {
            // The predecessor did not come to note that down, nor to count it.
            RecordFate::Remove if record.state == RecordState::Sending => {
                Ok(self.confirm(record, None).await?)
            }
            RecordFate::Remove => {
                self.forget(&sequences).await?;
                // Nor perhaps to remember it. Doing so again changes nothing.
                self.keep_stack_trace(record.message, &record);
                self.remember(record.message, record.shown.filter(|_| record.edits.is_none())).await;
                Ok(())
            }
            RecordFate::Bury(cause) => {
                let standing = self.inbox.standing(&sequences).await?;
                Ok(self.bury_decided(&standing, &cause).await?)
            }
            RecordFate::Repeat => {
                tracing::info!(alerts = sequences.len(), "repeating an unfinished post");
                self.send(record, true).await
            }
        }
    }
}
