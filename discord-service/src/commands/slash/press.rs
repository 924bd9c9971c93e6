//! Buttons of the bot's messages.

use std::time::Duration;

use shared::{ChannelId, clock};
use tokio::time::{Instant, sleep, timeout};

use super::{Asker, Commands, Invoked, LOOKED_UP, answer, count, replies, settle};
use crate::{
    commands::{outcome::CommandError, replies::Reply},
    gateway::PressedButton,
    render::STACK_TRACE,
    stack_trace::StackTrace,
};

/// The name of the button in metrics and logs.
const NAME: &str = "stack trace";
/// No post waits until its stack trace is written, so a quick press can come first.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);
const READ_EVERY: Duration = Duration::from_millis(100);
/// A message is new for so long, in milliseconds.
const NEW_MS: u64 = 10_000;
/// The first millisecond that an id of Discord can name.
/// <https://docs.discord.com/developers/reference#snowflakes>
const DISCORD_EPOCH_MS: u64 = 1_420_070_400_000;

impl Commands {
    /// Answers a press. Everybody who sees the message may do it: what a button shows is
    /// found by its message, and nothing changes. So nothing is claimed, and of several
    /// pods the first one answers.
    pub(super) async fn press(&self, invoked: &Invoked, by: Asker, press: &PressedButton) {
        if !self.commands.spend(by.guild, by.user) {
            count(NAME, "ignored");
            return self.say_too_many(invoked).await;
        }
        let reply = match press.custom_id.as_str() {
            STACK_TRACE => settle(by, NAME, self.stack_trace(by, press.message).await),
            _ => {
                count("mistaken", "answered");
                replies::unknown_button()
            }
        };
        answer::say(&self.discord, invoked, reply).await;
    }

    async fn stack_trace(&self, by: Asker, message: u64) -> Result<Reply, CommandError> {
        let found = timeout(LOOKED_UP, self.kept_stack_trace(by.channel, message)).await;
        let found = found.map_err(|_| CommandError::Nats(anyhow::anyhow!("NATS does not answer in time")))?;
        let kept = found.map_err(CommandError::Nats)?;
        Ok(kept.map_or_else(replies::stack_trace_gone, |trace| trace.text().into()))
    }

    async fn kept_stack_trace(&self, channel: ChannelId, message: u64) -> anyhow::Result<Option<StackTrace>> {
        let posted_ms = (message >> 22).saturating_add(DISCORD_EPOCH_MS);
        let is_new = posted_ms > clock::received_ms().unsigned_abs().saturating_sub(NEW_MS);
        let until = Instant::now() + if is_new { WRITTEN_WITHIN } else { Duration::ZERO };
        loop {
            let kept = self.stack_traces.find(channel, message).await?;
            if kept.is_some() || Instant::now() >= until {
                return Ok(kept);
            }
            sleep(READ_EVERY).await;
        }
    }
}
