//! Sending a reply to the message that asked for it.

use std::{future::Future, time::Duration};

use serde_json::{Value, json};
use shared::GuildId;
use tokio::time::timeout;

use super::replies::{self, Reply};
use crate::{
    discord::{Discord, DiscordError, codes},
    gateway::Typed,
    rate_budget::Turns,
};

/// A reply that is not sent after this time is given up: it would come too late and
/// delay other replies and alerts.
const GIVEN_UP: Duration = Duration::from_secs(5);
/// Replies of a guild that are on their way at a time. `create_reply` limits those of a
/// channel.
const OF_A_GUILD: usize = 4;
/// Discord's codes if the bot may not send embeds: Discord says so, or it drops the
/// embeds and finds the message empty.
const NO_EMBEDS_HERE: [u32; 2] = [codes::MISSING_PERMISSIONS, codes::EMPTY_MESSAGE];
/// Pauses before a reply that Discord did not take is sent again.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// Sends replies, few at a time for each guild.
pub(super) struct Outbox {
    discord: Discord,
    guilds: Turns<GuildId>,
}

impl Outbox {
    pub(super) fn new(discord: &Discord) -> Self {
        Self { discord: discord.clone(), guilds: Turns::new(OF_A_GUILD) }
    }

    /// Sends it. A reply that cannot be sent is logged and given up: who asked
    /// can ask again.
    pub(super) async fn send(&self, to: &Typed, reply: Reply) {
        let sending = async {
            let _turn = self.guilds.take(to.guild).await;
            send(&self.discord, to, reply).await
        };
        let sent = timeout(GIVEN_UP, sending).await;
        if matches!(sent, Ok(Ok(()))) {
            return;
        }
        metrics::counter!("sentry_bot_replies_failed_total").increment(1);
        // In a flood most replies time out, so that is not logged.
        let Ok(Err(failure)) = sent else { return };
        tracing::warn!(guild.id = %to.guild, channel.id = %to.channel, message.id = to.id, "cannot send a reply: {failure}");
    }
}

async fn send(discord: &Discord, to: &Typed, mut reply: Reply) -> Result<(), DiscordError> {
    let mut as_reply = true;
    loop {
        match create(discord, to, &reply, as_reply).await {
            Err(DiscordError::Refused { code: codes::NO_MESSAGE_HISTORY, .. }) if as_reply => {
                as_reply = false
            }
            Err(DiscordError::Refused { code, .. })
                if matches!(reply, Reply::Embed(_)) && NO_EMBEDS_HERE.contains(&code) =>
            {
                reply = replies::no_embeds();
            }
            sent => return sent,
        }
    }
}

async fn create(discord: &Discord, to: &Typed, reply: &Reply, as_reply: bool) -> Result<(), DiscordError> {
    let body = body(to, reply, as_reply);
    with_pauses(|| discord.create_reply(to.channel, &body)).await.map(drop)
}

/// Does something that may be done twice, and repeats it after a pause if Discord did not
/// answer.
pub(super) async fn with_pauses<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, DiscordError>
where
    F: Future<Output = Result<T, DiscordError>>,
{
    for pause in PAUSES {
        match attempt().await {
            Err(DiscordError::Unavailable { .. }) => tokio::time::sleep(pause).await,
            done => return done,
        }
    }
    attempt().await
}

/// The body of Create Message. It pings nobody but the author. The nonce comes from the
/// command, so the same command is never answered twice.
fn body(to: &Typed, reply: &Reply, as_reply: bool) -> Value {
    let mut body = json!({
        "allowed_mentions": {"parse": [], "replied_user": true},
        "nonce": format!("r{}", to.id),
        "enforce_nonce": true,
    });
    reply.write_into(&mut body);
    if as_reply {
        body["message_reference"] = json!({
            "message_id": to.id.to_string(),
            "channel_id": to.channel.to_string(),
            "guild_id": to.guild.to_string(),
            "fail_if_not_exists": false,
        });
    }
    body
}

#[cfg(test)]
mod tests;
