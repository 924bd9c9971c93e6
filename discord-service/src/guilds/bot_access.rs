//! What keeps the bot from posting in a channel, for delivery: the same facts and
//! rules as for commands.

use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use serenity::model::Permissions;
use shared::{ChannelId, GuildId, UserId};
use tokio::sync::OnceCell;

use super::{
    channel::{ChannelArgument, Missing},
    facts::Facts,
    permissions,
};
use crate::{closure::Access, discord::Discord};

/// How long Discord's rate limits may delay a question.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the bot's own permissions.
pub(crate) struct BotAccess {
    discord: Discord,
    facts: Facts,
    bot: OnceCell<UserId>,
}

impl BotAccess {
    pub(crate) fn new(discord: &Discord) -> Self {
        let discord = discord.with_patience(PATIENCE);
        Self { facts: Facts::new(&discord), discord, bot: OnceCell::new() }
    }

    /// What is in the way in this channel, as far as Discord tells.
    pub(crate) async fn of(&self, guild: GuildId, channel: ChannelId) -> anyhow::Result<Access> {
        let bot = self.bot().await?;
        self.facts.renew(guild, [bot, bot]).await;
        if !self.facts.is_bot_in(guild, bot).await? {
            return Ok(Access { removed: true, ..Access::default() });
        }
        let timed_out_until = self.facts.timed_out_until(guild, bot).await?;
        let timed_out_until_ms = timed_out_until.map(|until| until.timestamp_millis());
        let found = match self.facts.find(guild, &ChannelArgument::Id(channel)).await? {
            Ok(found) => found,
            Err(Missing::Nowhere) => return Ok(Access { gone: true, ..Access::default() }),
            Err(_) => {
                let missing = vec!["View Channel".to_owned()];
                return Ok(Access { missing, timed_out_until_ms, ..Access::default() });
            }
        };
        let missing = match timed_out_until_ms {
            // Whatever it has does not count.
            Some(_) => Permissions::empty(),
            None => found.needed_to_post() - self.facts.granted(guild, bot, &found).await?,
        };
        let missing = permissions::names(missing);
        Ok(Access { missing, timed_out_until_ms, parent: found.parent, ..Access::default() })
    }

    async fn bot(&self) -> anyhow::Result<UserId> {
        #[derive(Deserialize)]
        struct Me {
            id: String,
        }
        let me = self.bot.get_or_try_init(|| async {
            let Me { id } = self.discord.get("/users/@me", "/users/@me").await?;
            anyhow::Ok(id.parse()?)
        });
        me.await.copied().context("cannot tell who the bot is")
    }
}
