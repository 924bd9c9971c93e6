//! Sending a reply to the message that asked for it.

use std::{future::Future, time::Duration};

use serde_json::{Value, json};
use shared::GuildId;
use tokio::time::timeout;

use super::replies::{self, Reply};
use crate::{
    discord::{Discord, DiscordError},
    gateway::Typed,
    rate_budget::Turns,
};

/// A reply that is not sent after this time is given up: it would come too late
/// for whoever waits, and it stands in the way of other replies and of alerts.
const GIVEN_UP: Duration = Duration::from_secs(5);
/// Replies of a guild that are on their way at a time. `create_reply` bounds those
/// of a channel.
const OF_A_GUILD: usize = 4;
/// Discord's code where a reply needs Read Message History.
const NO_REPLIES_HERE: u32 = 160_002;
/// Discord's codes where the bot may not send embeds: it says so, or it drops
/// them and finds the message empty.
const NO_EMBEDS_HERE: [u32; 2] = [50_013, 50_006];
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

    /// Sends it. A reply that cannot be sent is logged and given up: whoever asked
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
        // In a flood that is what becomes of most.
        let Ok(Err(failure)) = sent else { return };
        tracing::warn!(guild.id = %to.guild, channel.id = %to.channel, message.id = to.id, "a reply could not be sent: {failure}");
    }
}

async fn send(discord: &Discord, to: &Typed, mut reply: Reply) -> Result<(), DiscordError> {
    let mut as_reply = true;
    loop {
        match create(discord, to, &reply, as_reply).await {
            Err(DiscordError::Refused { code: NO_REPLIES_HERE, .. }) if as_reply => as_reply = false,
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

/// Does what may be done twice, and again after a pause where Discord did not
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

/// The body of Create Message. It pings nobody but the author, and the nonce is
/// made from the command: the same command is never answered twice.
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
mod tests {
    use shared::{ChannelId, UserId};

    use super::*;

    fn typed(id: u64) -> Typed {
        Typed {
            id,
            guild: GuildId::new(1),
            channel: ChannelId::new(2),
            author: UserId::new(3),
            content: String::new(),
            bot: UserId::new(4),
        }
    }

    #[test]
    fn a_reply_refers_to_the_message_and_pings_only_its_author() {
        assert_eq!(
            body(&typed(5), &"hello @everyone".into(), true),
            json!({
                "content": "hello @everyone",
                "allowed_mentions": {"parse": [], "replied_user": true},
                "message_reference":
                    {"message_id": "5", "channel_id": "2", "guild_id": "1", "fail_if_not_exists": false},
                "nonce": "r5",
                "enforce_nonce": true,
            })
        );
    }

    #[test]
    fn an_embed_stands_alone_and_may_go_without_reference() {
        let body = body(&typed(5), &Reply::Embed(json!({"title": "x"})), false);
        assert_eq!(body["embeds"], json!([{"title": "x"}]));
        assert_eq!((body.get("content"), body.get("message_reference")), (None, None));
    }

    #[test]
    fn a_nonce_is_never_longer_than_discord_takes() {
        let body = body(&typed(u64::MAX), &"x".into(), true);
        assert!(body["nonce"].as_str().expect("text").len() <= 25);
    }
}
