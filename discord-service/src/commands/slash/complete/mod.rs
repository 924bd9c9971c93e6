//! Completions while a slash command is being typed.

mod rules;

use std::time::Duration;

use futures::{StreamExt as _, stream};
use moka::future::Cache;
use serde::Serialize;
use serenity::model::Permissions;
use shared::{ChannelId, GuildId, text::cut};
use tokio::time::timeout;

use super::LOOKED_UP;
use crate::{
    commands::{Asker, CommandError, Commands},
    gateway::SlashCommand,
    guilds::{Channel, ChannelArgument, Missing, permissions},
};

/// Discord's limits: choices, and characters in the name of one.
/// <https://docs.discord.com/developers/interactions/application-commands#autocomplete>
const MAX_CHOICES: usize = 25;
const MAX_NAME: usize = 100;

/// Rows of a guild's list that Discord is asked about, beside the channels that it
/// names anyway, and how many at once.
const MAX_LOOKUPS: usize = 20;
const LOOKUPS_AT_ONCE: usize = 5;
/// How long an answer is remembered: a client asks for completions at each key.
const REMEMBERED: Duration = Duration::from_secs(60);
const MAX_REMEMBERED: u64 = 5_000;

/// What Discord said of the rows that it does not name among a guild's channels. Old
/// databases may list one channel under two guilds, and only one of them may see it.
pub(in crate::commands) struct Threads(Cache<(GuildId, ChannelId), Result<Channel, Missing>>);

impl Default for Threads {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MAX_REMEMBERED).time_to_live(REMEMBERED).build())
    }
}

/// One completion.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Choice {
    name: String,
    value: ChoiceValue,
}

/// What the option has then.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum ChoiceValue {
    Text(String),
    Number(u64),
}

impl Commands {
    /// What the option could be, judging by what is typed of it so far. Strangers get
    /// nothing. If it cannot be found out now, the user types on.
    pub(super) async fn complete(&self, by: Asker, command: &SlashCommand, option: &str) -> Vec<Choice> {
        if !manages_here(by) {
            return Vec::new();
        }
        match timeout(LOOKED_UP, self.completions_of(by, command, option)).await {
            Ok(Ok(choices)) => choices,
            Ok(Err(failure)) => {
                tracing::debug!(guild.id = %by.guild, "no completions: {failure}");
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    async fn completions_of(
        &self,
        by: Asker,
        command: &SlashCommand,
        option: &str,
    ) -> Result<Vec<Choice>, CommandError> {
        let path: Vec<&str> = command.path.iter().map(String::as_str).collect();
        let typed = command.arguments.get(option).map(String::as_str).unwrap_or_default();
        let channel = command.arguments.get("channel").and_then(|id| id.parse().ok());
        match (path.as_slice(), option) {
            (["sentry", "channel", "revoke"], "channel") => self.revocable(by, typed).await,
            (["sentry", "channel", "secret"], "remove") => match channel {
                Some(channel) => self.removable(by, channel, typed).await,
                None => Ok(Vec::new()),
            },
            (["sentry", "rule", ..] | ["sentry", "mute" | "unmute"], option) => {
                let home = channel.unwrap_or(by.channel);
                if home != by.channel && self.postable(by, &ChannelArgument::Id(home)).await?.is_err() {
                    return Ok(Vec::new());
                }
                match (path.last(), option) {
                    (_, "project") => Ok(rules::names(self.known_names.of(home).await.projects, typed)),
                    (_, "environment") => {
                        Ok(rules::names(self.known_names.of(home).await.environments, typed))
                    }
                    (Some(&"unmute"), "number") => self.mute_numbers(home, typed).await,
                    (_, "number") => self.rule_numbers(by, home, typed).await,
                    _ => Ok(Vec::new()),
                }
            }
            _ => Ok(Vec::new()),
        }
    }

    /// The rows of the guild's list that the user may revoke, also those of channels
    /// that are gone.
    async fn revocable(&self, by: Asker, typed: &str) -> Result<Vec<Choice>, CommandError> {
        let listed = self.store.channels(by.guild).await?;
        let (named, unnamed) = self.facts.named(by.guild, &listed).await?;
        let mut choices = Vec::new();
        for channel in named {
            if self.manages_messages(by, &channel).await? {
                choices.push(choice(format!("#{}", channel.name), channel.id));
            }
        }
        let (asked, rest) = unnamed.split_at(unnamed.len().min(MAX_LOOKUPS));
        let mut found =
            stream::iter(asked.iter().copied()).map(|id| self.unnamed(by, id)).buffered(LOOKUPS_AT_ONCE);
        while let Some(found) = found.next().await {
            choices.extend(found?);
        }
        choices.extend(rest.iter().map(|id| choice(id.to_string(), id)));
        Ok(fitting(choices, typed.trim_start_matches('#')))
    }

    /// A row whose channel Discord does not name among the guild's: a thread by its
    /// name, if the user may revoke it. Anybody may revoke what is gone.
    async fn unnamed(&self, by: Asker, id: ChannelId) -> Result<Option<Choice>, CommandError> {
        let argument = ChannelArgument::Id(id);
        let found = self.facts.find(by.guild, &argument);
        let name = match self.threads.0.try_get_with((by.guild, id), found).await {
            Ok(Ok(thread)) if self.manages_messages(by, &thread).await? => {
                let parent = self.facts.named(by.guild, thread.parent.as_slice()).await?.0;
                let parent = parent.first().map(|channel| format!(" (thread in #{})", channel.name));
                format!("{}{}", thread.name, parent.unwrap_or_default())
            }
            Ok(Ok(_)) => return Ok(None),
            Ok(Err(Missing::Nowhere)) => format!("{id} (deleted)"),
            Ok(Err(Missing::OtherGuild)) => format!("{id} (another server's)"),
            Ok(Err(Missing::NoAccess | Missing::Ambiguous)) => format!("{id} (I cannot see it)"),
            // It can be revoked all the same.
            Err(_) => id.to_string(),
        };
        Ok(Some(choice(name, id)))
    }

    /// The client secrets of the channel that the user may remove, oldest first.
    async fn removable(
        &self,
        by: Asker,
        channel: ChannelId,
        typed: &str,
    ) -> Result<Vec<Choice>, CommandError> {
        if self.postable(by, &ChannelArgument::Id(channel)).await?.is_err() {
            return Ok(Vec::new());
        }
        let ids = self.trusts.secrets(channel).await?;
        let choices = (1..)
            .zip(&ids)
            .map(|(number, id)| choice(format!("{id} (number {number} of {})", ids.len()), id));
        Ok(fitting(choices.collect(), typed))
    }
}

fn manages_here(by: Asker) -> bool {
    by.granted_here.is_some_and(|granted| permissions::allows(granted, Permissions::MANAGE_MESSAGES))
}

/// The choices that contain what is typed so far.
fn fitting(mut choices: Vec<Choice>, typed: &str) -> Vec<Choice> {
    let typed = typed.to_lowercase();
    choices.retain(|choice| {
        choice.name.to_lowercase().contains(&typed)
            || matches!(&choice.value, ChoiceValue::Text(value) if value.contains(&typed))
    });
    choices.truncate(MAX_CHOICES);
    choices
}

fn choice(name: String, value: impl ToString) -> Choice {
    Choice { name: cut(&name, MAX_NAME), value: ChoiceValue::Text(value.to_string()) }
}
