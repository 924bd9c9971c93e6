//! Completions while a slash command is being typed.

use std::time::Duration;

use serde::Serialize;
use serenity::model::Permissions;
use shared::{ChannelId, text::cut};
use tokio::time::timeout;

use crate::{
    commands::{Asker, Commands, Failure, permissions},
    gateway::SlashCommand,
};

/// Discord shows no more, and takes no longer names.
const MAX_CHOICES: usize = 25;
const MAX_NAME: usize = 100;
/// Discord waits three seconds; without an answer the user reads of an error.
const TIME_LIMIT: Duration = Duration::from_secs(2);

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
                timeout(TIME_LIMIT, self.revocable(by, typed)).await
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
        if !by.granted_here.is_some_and(|granted| permissions::allows(granted, Permissions::MANAGE_MESSAGES))
        {
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
        let typed = typed.trim_start_matches('#').to_lowercase();
        choices.retain(|choice| choice.name.to_lowercase().contains(&typed) || choice.value.contains(&typed));
        choices.truncate(MAX_CHOICES);
        Ok(choices)
    }
}

fn choice(name: String, channel: ChannelId) -> Choice {
    Choice { name: cut(&name, MAX_NAME), value: channel.to_string() }
}
