//! Buttons of the bot's messages.

use std::time::Duration;

use shared::{ChannelId, clock};
use tokio::time::{Instant, sleep, timeout};

use super::{Asker, Commands, Invoked, LOOKED_UP, answer, count, replies, settle};
use crate::{
    commands::{outcome::CommandError, replies::Reply, rules::UnmuteButton},
    gateway::PressedButton,
    render::STACK_TRACE,
    stack_trace::StackTrace,
};

/// No post waits until its stack trace is written, so a quick press can come first.
const WRITTEN_WITHIN: Duration = Duration::from_secs(1);
const READ_EVERY: Duration = Duration::from_millis(100);
/// A message is new for so long, in milliseconds.
const NEW_MS: u64 = 10_000;
/// The first millisecond that an id of Discord can name.
/// <https://docs.discord.com/developers/reference#snowflakes>
const DISCORD_EPOCH_MS: u64 = 1_420_070_400_000;

/// What a press asks for.
enum Pressed {
    StackTrace,
    Unmute(UnmuteButton),
    Unknown,
}

impl Pressed {
    fn read(press: &PressedButton) -> Self {
        match press.custom_id.as_str() {
            STACK_TRACE => Self::StackTrace,
            other => UnmuteButton::read(other).map_or(Self::Unknown, Self::Unmute),
        }
    }

    /// The name of the button in metrics and logs.
    const fn name(&self) -> &'static str {
        match self {
            Self::StackTrace => "stack trace",
            Self::Unmute(_) => "unmute button",
            Self::Unknown => "mistaken",
        }
    }
}

impl Commands {
    /// Answers a press. What a button does can be done twice, so nothing is claimed, and
    /// of several pods the first one answers.
    pub(super) async fn press(&self, invoked: &Invoked, by: Asker, press: &PressedButton) {
        let pressed = Pressed::read(press);
        let name = pressed.name();
        if !self.commands.spend(by.guild, by.user) {
            count(name, "ignored");
            return self.say_too_many(invoked).await;
        }
        let reply = match pressed {
            Pressed::StackTrace => self.stack_trace(by, press.message).await,
            Pressed::Unmute(button) => match in_time(self.press_unmute(by, button)).await {
                // The message loses its button.
                Ok(Ok(over)) => {
                    let over = settle(by, name, Ok(over));
                    return answer::replace(&self.discord, invoked, &over).await;
                }
                Ok(Err(refusal)) => Ok(refusal),
                Err(failure) => Err(failure),
            },
            Pressed::Unknown => Ok(replies::unknown_button()),
        };
        answer::say(&self.discord, invoked, settle(by, name, reply)).await;
    }

    /// Everybody who sees the message may see its stack trace: it is found by the message.
    async fn stack_trace(&self, by: Asker, message: u64) -> Result<Reply, CommandError> {
        let found = async { self.kept_stack_trace(by.channel, message).await.map_err(CommandError::Nats) };
        let kept = in_time(found).await?;
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

/// Discord waits for the first answer.
async fn in_time<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let done = timeout(LOOKED_UP, work).await;
    done.unwrap_or_else(|_| Err(CommandError::Nats(anyhow::anyhow!("NATS does not answer in time"))))
}
