//! Questions to Discord about a guild, few at a time and with a rate for each
//! guild. Anybody can type commands all day, even without the right to them.
//! Every question is one of the bot's 50 requests a second, which the alerts of
//! all guilds share.

use std::{sync::Arc, time::Duration};

use serde::de::DeserializeOwned;
use shared::{ChannelId, GuildId};
use tokio::time::timeout;

use crate::{
    discord::{Discord, DiscordError},
    rate_budget::{Budget, Rate, Turns},
};

/// Questions about one guild.
const RATE: Rate = Rate::new(100, 8);
const AT_A_TIME: usize = 3;
/// How long Discord's rate limits may delay a question, and other questions about
/// the guild: somebody waits for the answer.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why a question has no answer now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// Discord does not answer it.
    #[error(transparent)]
    Discord(#[from] DiscordError),
    /// It was not asked.
    #[error("this guild's commands ask too many questions")]
    TooMany,
}

impl Unanswered {
    /// Whether it says that commands of the guild come too fast.
    pub(crate) fn is_too_many(error: &Arc<Self>) -> bool {
        matches!(**error, Self::TooMany)
    }

    /// Whether Discord refused it with this code.
    pub(super) fn is_refused_with(&self, wanted: u32) -> bool {
        matches!(self, Self::Discord(DiscordError::Refused { code, .. }) if *code == wanted)
    }
}

/// Asks them.
pub(crate) struct LookUps {
    discord: Discord,
    budget: Budget<GuildId>,
    turns: Turns<GuildId>,
}

impl LookUps {
    pub(crate) fn new(discord: &Discord) -> Self {
        Self {
            discord: discord.with_patience(PATIENCE),
            budget: Budget::new(RATE),
            turns: Turns::new(AT_A_TIME),
        }
    }

    /// Asks for what is under this path; `route` as in [`Discord::get`].
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        about: GuildId,
        path: &str,
        route: &str,
    ) -> Result<T, Unanswered> {
        self.ask(about, self.discord.get(path, route)).await
    }

    /// The guild of a channel that is listed under `about`.
    pub(crate) async fn guild_of(
        &self,
        about: GuildId,
        channel: ChannelId,
    ) -> Result<Option<GuildId>, Unanswered> {
        self.ask(about, self.discord.guild_of(channel)).await
    }

    async fn ask<T>(
        &self,
        about: GuildId,
        question: impl Future<Output = Result<T, DiscordError>>,
    ) -> Result<T, Unanswered> {
        if !self.budget.spend(&about) {
            return Err(Unanswered::TooMany);
        }
        let turn = timeout(PATIENCE, self.turns.take(about)).await;
        let _turn = turn.map_err(|_| Unanswered::TooMany)?;
        Ok(question.await?)
    }
}
