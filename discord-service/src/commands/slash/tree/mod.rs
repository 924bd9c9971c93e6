//! The slash commands that the bot has: what is registered at Discord, and which
//! words a command is short for.

mod rules;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serenity::model::Permissions;

use crate::gateway::SlashCommand;

/// The one command; all others are its subcommands.
pub(super) const NAME: &str = "sentry";

/// Kinds of options, with Discord's numbers.
const SUBCOMMAND: u8 = 1;
const GROUP: u8 = 2;
const STRING: u8 = 3;
const INTEGER: u8 = 4;
const CHANNEL: u8 = 7;
const MENTIONABLE: u8 = 9;

/// Kinds of channels that alerts can be posted in: text, voice, announcements,
/// the threads, stage.
const POSTABLE: [u8; 7] = [0, 2, 5, 10, 11, 12, 13];

/// A slash command as it is registered. Compares what the bot sets, and leaves
/// out what Discord adds.
/// <https://docs.discord.com/developers/interactions/application-commands>
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CommandDefinition {
    name: String,
    #[serde(rename = "type")]
    kind: u8,
    description: String,
    /// Who sees it, unless a guild's admins decide otherwise. Only a whole
    /// command can have this.
    default_member_permissions: Option<Permissions>,
    /// Where it can be used.
    contexts: Option<BTreeSet<u8>>,
    /// What the application can be added to.
    integration_types: Option<BTreeSet<u8>>,
    #[serde(default)]
    options: Vec<OptionDefinition>,
}

/// A subcommand, a group of them, or an argument.
#[derive(Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
struct OptionDefinition {
    name: String,
    #[serde(rename = "type")]
    kind: u8,
    description: String,
    #[serde(default, skip_serializing_if = "is_default")]
    required: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    autocomplete: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    channel_types: BTreeSet<u8>,
    #[serde(default, skip_serializing_if = "is_default")]
    max_length: Option<u16>,
    #[serde(default, skip_serializing_if = "is_default")]
    min_value: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    max_value: Option<u32>,
    #[serde(default, skip_serializing_if = "is_default")]
    choices: Vec<ChoiceDefinition>,
    #[serde(default, skip_serializing_if = "is_default")]
    options: Vec<OptionDefinition>,
}

/// A value that an option can have.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ChoiceDefinition {
    /// What people see.
    name: String,
    value: String,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// All that the bot registers. The names are the words of the typed commands;
/// `show` adds no word.
pub(super) fn commands() -> [CommandDefinition; 1] {
    let channel = || OptionDefinition {
        required: true,
        channel_types: POSTABLE.into(),
        ..option(CHANNEL, "channel", "The channel")
    };
    // A text: the channel to revoke may exist no more.
    let revoke = OptionDefinition {
        required: true,
        autocomplete: true,
        ..option(STRING, "channel", "One of the authorized channels, or a channel's id")
    };
    let remove = OptionDefinition {
        autocomplete: true,
        ..option(STRING, "remove", "The client secret to remove. Leave it out to add a new one")
    };
    let slug = OptionDefinition {
        required: true,
        max_length: Some(100),
        ..option(STRING, "slug", "The project's slug")
    };
    let options = vec![
        subcommand("help", "Shows all commands", []),
        group(
            "channel",
            "Which channels Sentry may post into",
            [
                subcommand("show", "Shows the authorized channels of this server", []),
                subcommand("authorize", "Lets Sentry post into this channel or another", [other_channel()]),
                subcommand("revoke", "Sentry may no longer post into a channel", [revoke]),
                subcommand(
                    "secure",
                    "Makes a new token and accepts only URLs with it, or signed requests",
                    [channel()],
                ),
                subcommand("open", "Accepts all alerts of Sentry again", [channel()]),
                subcommand(
                    "secret",
                    "Stores the client secret of an integration in Sentry",
                    [channel(), remove],
                ),
            ],
        ),
        group(
            "project",
            "The project whose alerts can mention you",
            [
                subcommand("show", "Shows your project", []),
                subcommand("register", "Lets alerts of your project mention you", [slug]),
                subcommand("revoke", "Gives your project back", []),
            ],
        ),
        rules::rule(),
        rules::mute(),
        rules::unmute(),
        subcommand("replay", "Posts again what could not be posted in this channel", []),
        subcommand("status", "Shows what arrived in a channel, and why the rest did not", [other_channel()]),
        subcommand("test", "Sends a sample alert into this channel", []),
    ];
    [CommandDefinition {
        name: NAME.to_owned(),
        kind: 1,
        description: "Posts alerts of Sentry".to_owned(),
        // Everybody who could type it: each subcommand checks what it needs.
        default_member_permissions: Some(Permissions::SEND_MESSAGES),
        // Guilds.
        contexts: Some([0].into()),
        // Likewise.
        integration_types: Some([0].into()),
        options,
    }]
}

/// The words after the prefix that mean the same as the command; `None` where there
/// is no such command, or no longer.
pub(super) fn words(command: &SlashCommand) -> Option<Vec<&str>> {
    let (name, path) = command.path.split_first()?;
    let mut items = commands().into_iter().find(|known| known.name == *name)?.options;
    for name in path {
        items = items.into_iter().find(|item| item.name == *name && item.nests())?.options;
    }
    if items.iter().any(OptionDefinition::nests) {
        return None;
    }
    let path = path.iter().map(String::as_str).filter(|word| *word != "show");
    let arguments = items.iter().filter_map(|item| command.arguments.get(&item.name).map(String::as_str));
    Some(path.chain(arguments).collect())
}

/// Every command that people can use, as Discord shows it.
#[cfg(test)]
pub(in crate::commands) fn paths() -> Vec<String> {
    fn below(path: &str, items: &[OptionDefinition]) -> Vec<String> {
        let nested = items.iter().filter(|item| item.nests());
        let paths: Vec<_> =
            nested.flat_map(|item| below(&format!("{path} {}", item.name), &item.options)).collect();
        if paths.is_empty() { vec![path.to_owned()] } else { paths }
    }
    commands().iter().flat_map(|command| below(&command.name, &command.options)).collect()
}

impl OptionDefinition {
    const fn nests(&self) -> bool {
        matches!(self.kind, SUBCOMMAND | GROUP)
    }
}

fn other_channel() -> OptionDefinition {
    OptionDefinition {
        channel_types: POSTABLE.into(),
        ..option(CHANNEL, "channel", "Another channel than this one")
    }
}

fn option(kind: u8, name: &str, description: &str) -> OptionDefinition {
    OptionDefinition {
        name: name.to_owned(),
        kind,
        description: description.to_owned(),
        ..OptionDefinition::default()
    }
}

fn subcommand(
    name: &str,
    description: &str,
    options: impl IntoIterator<Item = OptionDefinition>,
) -> OptionDefinition {
    OptionDefinition { options: options.into_iter().collect(), ..option(SUBCOMMAND, name, description) }
}

fn group<const N: usize>(name: &str, description: &str, options: [OptionDefinition; N]) -> OptionDefinition {
    OptionDefinition { options: options.into(), ..option(GROUP, name, description) }
}

#[cfg(test)]
mod tests;
