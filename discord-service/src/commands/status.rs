//! `status` and `test`: what arrives in a channel, and what does not.

use chrono::Utc;

use super::{
    Asker, CommandError, Commands,
    replies::{self, Reply},
};
use crate::guilds::{ChannelArgument, Kind, Missing};

impl Commands {
    /// Shows what is known about a channel. Everybody who may ask here sees
    /// this channel. Another channel needs Manage Messages in both, or only
    /// here if it was deleted.
    pub(super) async fn status(&self, by: Asker, of: Option<ChannelArgument>) -> Result<Reply, CommandError> {
        let listed = self.store.channels(by.guild).await?;
        let channel = match of {
            None => by.channel,
            Some(argument) => match (self.facts.find(by.guild, &argument).await?, argument) {
                // Its alerts must be visible somewhere.
                (Err(Missing::Nowhere), ChannelArgument::Id(deleted))
                    if listed.contains(&deleted) && self.manages_messages_here(by).await? =>
                {
                    deleted
                }
                (Err(missing), _) => return Ok(replies::channel_missing(missing)),
                (Ok(channel), _) if !self.manages_messages(by, &channel).await? => {
                    return Ok(replies::no_permission());
                }
                (Ok(channel), _) if channel.kind == Kind::Other => {
                    return Ok(replies::takes_no_messages(channel.id));
                }
                (Ok(channel), _) => channel.id,
            },
        };
        let authorized = listed.contains(&channel);
        let rules = self.kept_rules(channel).await?;
        let findings = self.diagnosis.of(channel).await.map_err(CommandError::Nats)?;
        let now_ms = Utc::now().timestamp_millis();
        Ok(self.replies(by.form).status(channel, authorized, &findings, &rules, now_ms))
    }

    /// Sends a sample alert into this channel and waits for it.
    pub(super) async fn test(&self, by: Asker) -> Result<Reply, CommandError> {
        tracing::info!(channel.id = %by.channel, user.id = %by.user, "sending a sample alert");
        let rules = self.store.rules_now(by.channel).await?;
        let outcome =
            self.diagnosis.test(by.channel, by.command, &rules).await.map_err(CommandError::Nats)?;
        Ok(self.replies(by.form).tested(&outcome, &rules, Utc::now().timestamp_millis()))
    }
}
