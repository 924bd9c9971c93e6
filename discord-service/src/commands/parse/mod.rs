//! From a message's text to a command. Pure: Discord never appears here.
//!
//! Any white space separates words, quotes have no meaning, and extra words are
//! ignored. Capitals do not matter in the prefix and in the commands: a phone begins
//! each message with one.

mod rules;

use shared::UserId;

pub(super) use self::rules::{
    ACTIONS, CheckedAlert, MUTE_TIMES, NewMute, NewRule, RulesCommand, RulesMistake, RulesRequest, named,
};
use crate::{guilds::ChannelArgument, store::ProjectSlug};

/// What somebody asks of the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// `h`, `help` or nothing at all.
    Help,
    /// `channel …`, and its short forms.
    Channel(ChannelCommand),
    /// `project …`.
    Project(ProjectCommand),
    /// `replay`.
    Replay,
    /// `status`, of this channel or of the one named.
    Status(Option<ChannelArgument>),
    /// `test`.
    Test,
    /// `rule …`, `mute` and `unmute`.
    Rules(RulesCommand),
    /// This command exists only under `/sentry`, because of its options, but was typed.
    SlashOptions(&'static str),
}

/// What can be done about a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChannelCommand {
    /// `channel` alone or incomplete.
    Overview,
    /// `channel authorize #c` or `authorize #c`; without a channel, this one.
    Authorize(Option<ChannelArgument>),
    /// `channel revoke #c` or `revoke #c`.
    Revoke(ChannelArgument),
    /// `channel secure #c`.
    Secure(ChannelArgument),
    /// `channel open #c`.
    Open(ChannelArgument),
    /// `channel secret #c`: asks for a secret.
    AddSecret(ChannelArgument),
    /// `channel secret #c` with the id of the secret to remove.
    RemoveSecret(ChannelArgument, String),
    /// A command that exists only under `/sentry`, but typed for all to see.
    SlashOnly(SlashOnly),
}

/// A command that exists only under `/sentry`: others must not see what it asks or
/// answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlashOnly {
    /// `channel secure`.
    Secure,
    /// `channel open`.
    Open,
    /// `channel secret`.
    Secret,
}

/// How a command is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// In a message that others read as well.
    Typed,
    /// As a slash command, whose reply nobody else sees.
    Slash,
}

/// What can be done about one's project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ProjectCommand {
    /// `project` alone or incomplete.
    Overview,
    /// `project register slug`.
    Register(ProjectSlug),
    /// `project revoke`.
    Revoke,
}

/// Why the words after the prefix are no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ParseError {
    /// The first word is none that the bot knows.
    #[error("unknown command")]
    UnknownWord,
    /// What should name a channel does not.
    #[error("not a channel")]
    NotAChannel,
    /// What should be a project's slug is not.
    #[error("not a project slug")]
    NotASlug,
    /// The options of a command about rules or mutes make no sense.
    #[error(transparent)]
    Rules(#[from] RulesMistake),
}

/// The command in a message, or `None` if the message is not for the bot. The
/// first word must be the prefix, or a mention of the bot or of its own role.
pub(super) fn parse(
    content: &str,
    prefix: &str,
    bot: UserId,
    own_role: Option<u64>,
) -> Option<Result<Command, ParseError>> {
    let mut words = content.split_whitespace();
    let first = words.next()?;
    let is_role = || own_role.is_some() && mentioned_role(first) == own_role;
    (is_prefix(first, prefix) || mentioned(first) == Some(bot) || is_role())
        .then(|| command(words, Form::Typed))
}

/// The role in `<@&id>`, if that is the first word. Only Discord knows whether it is the
/// bot's own.
pub(super) fn mentioned_role(content: &str) -> Option<u64> {
    content.split_whitespace().next()?.strip_prefix("<@&")?.strip_suffix('>')?.parse().ok()
}

/// The command's name in metrics and logs: one of a few.
pub(super) fn name(command: &Result<Command, ParseError>) -> &'static str {
    match command {
        Ok(Command::Help) => "help",
        Ok(Command::Channel(ChannelCommand::Overview)) => "channel",
        Ok(Command::Channel(ChannelCommand::Authorize(_))) => "channel authorize",
        Ok(Command::Channel(ChannelCommand::Revoke(_))) => "channel revoke",
        Ok(Command::Channel(ChannelCommand::Secure(_))) => "channel secure",
        Ok(Command::Channel(ChannelCommand::Open(_))) => "channel open",
        Ok(Command::Channel(ChannelCommand::AddSecret(_) | ChannelCommand::RemoveSecret(..))) => {
            "channel secret"
        }
        Ok(Command::Channel(ChannelCommand::SlashOnly(_))) => "slash only",
        Ok(Command::Project(ProjectCommand::Overview)) => "project",
        Ok(Command::Project(ProjectCommand::Register(_))) => "project register",
        Ok(Command::Project(ProjectCommand::Revoke)) => "project revoke",
        Ok(Command::Replay) => "replay",
        Ok(Command::Status(_)) => "status",
        Ok(Command::Test) => "test",
        Ok(Command::Rules(command)) => command.name(),
        Ok(Command::SlashOptions(_)) => "slash only",
        Err(_) => "mistaken",
    }
}

fn is_prefix(word: &str, prefix: &str) -> bool {
    word == prefix || word.to_lowercase() == prefix.to_lowercase()
}

/// The user in `<@id>`, or in `<@!id>`, which older clients write.
fn mentioned(word: &str) -> Option<UserId> {
    let inner = word.strip_prefix("<@")?.strip_suffix('>')?;
    inner.strip_prefix('!').unwrap_or(inner).parse().ok()
}

/// The command that the words after the prefix make.
pub(super) fn command<'a>(
    mut words: impl Iterator<Item = &'a str>,
    form: Form,
) -> Result<Command, ParseError> {
    let Some(word) = words.next() else {
        return Ok(Command::Help);
    };
    match word.to_lowercase().as_str() {
        "h" | "help" => Ok(Command::Help),
        "channel" => channel(words.next(), words, form).map(Command::Channel),
        "authorize" | "revoke" => channel(Some(word), words, form).map(Command::Channel),
        "project" => project(words.next(), words.next()).map(Command::Project),
        "replay" => Ok(Command::Replay),
        // A word that names no channel is an extra word.
        "status" => Ok(Command::Status(words.next().and_then(|word| channel_argument(word).ok()))),
        "test" => Ok(Command::Test),
        "rule" => rules::typed(words.next(), words.next()),
        "mute" => Ok(Command::SlashOptions("mute")),
        "unmute" => Ok(Command::SlashOptions("unmute")),
        _ => Err(ParseError::UnknownWord),
    }
}

fn channel<'a>(
    word: Option<&str>,
    mut arguments: impl Iterator<Item = &'a str>,
    form: Form,
) -> Result<ChannelCommand, ParseError> {
    let word = word.unwrap_or_default().to_lowercase();
    match (word.as_str(), form) {
        ("secure", Form::Typed) => return Ok(ChannelCommand::SlashOnly(SlashOnly::Secure)),
        ("open", Form::Typed) => return Ok(ChannelCommand::SlashOnly(SlashOnly::Open)),
        ("secret", Form::Typed) => return Ok(ChannelCommand::SlashOnly(SlashOnly::Secret)),
        _ => {}
    }
    let Some(argument) = arguments.next() else {
        return Ok(match word.as_str() {
            "authorize" => ChannelCommand::Authorize(None),
            _ => ChannelCommand::Overview,
        });
    };
    Ok(match word.as_str() {
        "authorize" => ChannelCommand::Authorize(Some(channel_argument(argument)?)),
        "revoke" => ChannelCommand::Revoke(channel_argument(argument)?),
        "secure" => ChannelCommand::Secure(channel_argument(argument)?),
        "open" => ChannelCommand::Open(channel_argument(argument)?),
        "secret" => match arguments.next() {
            Some(id) => ChannelCommand::RemoveSecret(channel_argument(argument)?, id.to_owned()),
            None => ChannelCommand::AddSecret(channel_argument(argument)?),
        },
        _ => ChannelCommand::Overview,
    })
}

fn project(word: Option<&str>, argument: Option<&str>) -> Result<ProjectCommand, ParseError> {
    let word = word.unwrap_or_default().to_lowercase();
    Ok(match (word.as_str(), argument) {
        ("register", Some(slug)) => ProjectCommand::Register(slug.parse().map_err(|_| ParseError::NotASlug)?),
        ("revoke", _) => ProjectCommand::Revoke,
        _ => ProjectCommand::Overview,
    })
}

fn channel_argument(word: &str) -> Result<ChannelArgument, ParseError> {
    let mention = word.strip_prefix("<#").and_then(|rest| rest.strip_suffix('>'));
    if let Ok(id) = mention.unwrap_or(word).parse() {
        return Ok(ChannelArgument::Id(id));
    }
    match word.strip_prefix('#') {
        Some(name) if !name.is_empty() => Ok(ChannelArgument::Name(name.to_owned())),
        _ => Err(ParseError::NotAChannel),
    }
}

#[cfg(test)]
mod tests;
