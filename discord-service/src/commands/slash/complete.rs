//! Completions while a slash command is being typed.

use serde::Serialize;
use serenity::model::Permissions;
use shared::{ChannelId, text::cut};
use tokio::time::timeout;

use super::LOOKED_UP;
use crate::{
    commands::{Asker, Commands, Failure},
    gateway::SlashCommand,
    guilds::{ChannelArgument, permissions},
};

/// Discord shows no more, and takes no longer names.
const MAX_CHOICES: usize = 25;
const MAX_NAME: usize = 100;

/// One completion.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Choice {
    name: String,
    value: String,
}

impl Commands {
    /// What the option could be, judging by what is typed of it so far. Nothing
    /// for strangers, and nothing while it cannot be found out: then the user
    /// types on.
    pub(super) async fn complete(&self, by: Asker, command: &SlashCommand, option: &str) -> Vec<Choice> {
        let path: Vec<&str> = command.path.iter().map(String::as_str).collect();
        let typed = command.arguments.get(option).map(String::as_str).unwrap_or_default();
        let found = match (path.as_slice(), option) {
            (["sentry", "channel", "revoke"], "channel") => {
                timeout(LOOKED_UP, self.revocable(by, typed)).await
            }
            (["sentry", "channel", "secret"], "remove") => {
                let channel = command.arguments.get("channel").and_then(|id| id.parse().ok());
                let Some(channel) = channel else { return Vec::new() };
                timeout(LOOKED_UP, self.removable(by, channel, typed)).await
            }
            _ => return Vec::new(),
        };
        match found {
            Ok(Ok(choices)) => choices,
            Ok(Err(failure)) => {
                tracing::debug!(guild.id = %by.guild, "no completions: {failure}");
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    /// The rows of the guild's list that the user may take out, also those of
    /// channels that are gone.
    async fn revocable(&self, by: Asker, typed: &str) -> Result<Vec<Choice>, Failure> {
        if !manages_here(by) {
            return Ok(Vec::new());
        }
        let listed = self.store.channels(by.guild).await?;
        let (named, unnamed) = self.facts.named(by.guild, &listed).await?;
        let mut choices = Vec::new();
        for channel in named {
            if self.manages_messages(by, &channel).await? {
                choices.push(choice(format!("#{}", channel.name), channel.id));
            }
        }
        choices.extend(unnamed.into_iter().map(|id| choice(format!("{id} (a thread, or gone)"), id)));
        Ok(fitting(choices, typed.trim_start_matches('#')))
    }

    /// The client secrets of the channel that the user may remove, oldest first.
    async fn removable(&self, by: Asker, channel: ChannelId, typed: &str) -> Result<Vec<Choice>, Failure> {
        if !manages_here(by) || self.postable(by, &ChannelArgument::Id(channel)).await?.is_err() {
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

/// Those that what is typed so far can mean.
fn fitting(mut choices: Vec<Choice>, typed: &str) -> Vec<Choice> {
    let typed = typed.to_lowercase();
    choices.retain(|choice| choice.name.to_lowercase().contains(&typed) || choice.value.contains(&typed));
    choices.truncate(MAX_CHOICES);
    choices
}

fn choice(name: String, value: impl ToString) -> Choice {
    Choice { name: cut(&name, MAX_NAME), value: value.to_string() }
}
