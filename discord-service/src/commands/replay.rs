//! `replay`: dead letters go back into the queue.

use shared::ChannelId;

use super::{Asker, CommandError, Commands, replies::Reply};

impl Commands {
    /// Puts the dead letters of the channel back into the queue.
    pub(super) async fn replay(&self, by: Asker) -> Result<Reply, CommandError> {
        // Replaying opens the channel, so this comes first.
        let closed = self.why_closed(by.channel).await;
        let replayed = self.dead_letters.replay(Some(by.channel)).await.map_err(CommandError::Nats)?;
        tracing::info!(channel.id = %by.channel, user.id = %by.user, alerts = replayed.alerts, "replayed dead letters");
        Ok(self.replies(by.form).replaying(replayed, closed.as_deref()))
    }

    /// Discord's words, if it refuses posts in the channel. `None` also if that cannot be
    /// read now: no command fails for it.
    pub(super) async fn why_closed(&self, channel: ChannelId) -> Option<String> {
        self.diagnosis.why_closed(channel).await.unwrap_or_else(|error| {
            tracing::warn!(channel.id = %channel, "cannot tell whether the channel is closed: {error:#}");
            None
        })
    }
}
