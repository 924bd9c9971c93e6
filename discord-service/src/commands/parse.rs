//! From a message's text to a command. Pure: Discord never appears here.
//!
//! Words are separated by any white space, quotes have no meaning and words too
//! many are ignored. Capitals do not matter in the prefix and in the commands,
//! since telephones write the first word of a message with one.

use shared::{ChannelId, UserId};

use crate::store::ProjectSlug;

/// What somebody asks of the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// `h`, `help` or nothing at all.
    Help,
    /// `channel …`, and its short forms.
    Channel(ChannelCommand),
    /// `project …`.
    Project(ProjectCommand),
}

/// What can be done about a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChannelCommand {
    /// `channel` alone or incomplete.
    Overview,
    /// `channel authorize #c` or `authorize #c`.
    Authorize(ChannelArgument),
    /// `channel revoke #c` or `revoke #c`.
    Revoke(ChannelArgument),
    /// What exists only as a slash command, whose reply nobody else sees.
    SlashOnly(SlashOnly),
}

/// The commands that give or take a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlashOnly {
    /// `channel secure`.
    Secure,
    /// `channel open`.
    Open,
    /// `channel secret`.
    Secret,
}

/// How a channel was named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChannelArgument {
    /// By its id or as a mention, `<#id>`.
    Id(ChannelId),
    /// As `#name`, without the `#`.
    Name(String),
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
}

/// The command in a message, or `None` when the message is not meant for the
/// bot: the first word must be the prefix, or a mention of the bot.
pub(super) fn parse(content: &str, prefix: &str, bot: UserId) -> Option<Result<Command, ParseError>> {
    let mut words = content.split_whitespace();
    let first = words.next()?;
    (is_prefix(first, prefix) || mentioned(first) == Some(bot)).then(|| command(words))
}

/// The command's name in metrics and logs: one of a few.
pub(super) fn name(command: &Result<Command, ParseError>) -> &'static str {
    match command {
        Ok(Command::Help) => "help",
        Ok(Command::Channel(ChannelCommand::Overview)) => "channel",
        Ok(Command::Channel(ChannelCommand::Authorize(_))) => "channel authorize",
        Ok(Command::Channel(ChannelCommand::Revoke(_))) => "channel revoke",
        Ok(Command::Channel(ChannelCommand::SlashOnly(_))) => "slash only",
        Ok(Command::Project(ProjectCommand::Overview)) => "project",
        Ok(Command::Project(ProjectCommand::Register(_))) => "project register",
        Ok(Command::Project(ProjectCommand::Revoke)) => "project revoke",
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

fn command<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Command, ParseError> {
    let Some(word) = words.next() else {
        return Ok(Command::Help);
    };
    match word.to_lowercase().as_str() {
        "h" | "help" => Ok(Command::Help),
        "channel" => channel(words.next(), words.next()).map(Command::Channel),
        "authorize" | "revoke" => channel(Some(word), words.next()).map(Command::Channel),
        "project" => project(words.next(), words.next()).map(Command::Project),
        _ => Err(ParseError::UnknownWord),
    }
}

fn channel(word: Option<&str>, argument: Option<&str>) -> Result<ChannelCommand, ParseError> {
    let word = word.unwrap_or_default().to_lowercase();
    Ok(match (word.as_str(), argument) {
        ("authorize", Some(argument)) => ChannelCommand::Authorize(channel_argument(argument)?),
        ("revoke", Some(argument)) => ChannelCommand::Revoke(channel_argument(argument)?),
        ("secure", _) => ChannelCommand::SlashOnly(SlashOnly::Secure),
        ("open", _) => ChannelCommand::SlashOnly(SlashOnly::Open),
        ("secret", _) => ChannelCommand::SlashOnly(SlashOnly::Secret),
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
mod tests {
    use super::*;

    const BOT: UserId = UserId::new(7);

    fn parsed(content: &str) -> Option<Result<Command, ParseError>> {
        parse(content, "!sentry", BOT)
    }

    fn is(content: &str, command: Command) {
        assert_eq!(parsed(content), Some(Ok(command)), "{content:?}");
    }

    fn channel_is(content: &str, command: ChannelCommand) {
        is(content, Command::Channel(command));
    }

    fn project_is(content: &str, command: ProjectCommand) {
        is(content, Command::Project(command));
    }

    fn fails(content: &str, error: ParseError) {
        assert_eq!(parsed(content), Some(Err(error)), "{content:?}");
    }

    fn id(number: u64) -> ChannelArgument {
        ChannelArgument::Id(ChannelId::new(number))
    }

    fn name(text: &str) -> ChannelArgument {
        ChannelArgument::Name(text.to_owned())
    }

    fn slug(text: &str) -> ProjectCommand {
        ProjectCommand::Register(text.parse().expect("a slug"))
    }

    #[test]
    fn a_message_for_somebody_else_is_no_command() {
        for content in [
            "",
            " ",
            "hello",
            "sentry h",
            "!sentryh",
            "!sentry: h",
            "please !sentry h",
            "<@8> h",
            "<@7>h",
            "<@&7> h",
            "<#7> h",
            "@bot h",
            "<@> h",
            "<@!> h",
            "<@!!7> h",
        ] {
            assert_eq!(parsed(content), None, "{content:?}");
        }
    }

    #[test]
    fn help_has_four_forms() {
        for content in ["!sentry", "!sentry h", "!sentry help", "<@7>", "<@!7>", "<@7> h", "!sentry h please"]
        {
            is(content, Command::Help);
        }
    }

    #[test]
    fn capitals_and_any_white_space_are_fine() {
        is("!Sentry H", Command::Help);
        is("  !SENTRY\t\u{a0}HELP\n", Command::Help);
        channel_is("!sentry\nchannel\n\nAuthorize\n<#1>", ChannelCommand::Authorize(id(1)));
        project_is("!sentry Project Register Web", slug("Web"));
    }

    #[test]
    fn another_prefix_replaces_the_first() {
        assert_eq!(parse("Ä! h", "ä!", BOT), Some(Ok(Command::Help)));
        assert_eq!(parse("!sentry h", "ä!", BOT), None);
        assert_eq!(parse("<@7> h", "ä!", BOT), Some(Ok(Command::Help)));
    }

    #[test]
    fn channel_alone_or_incomplete_is_the_overview() {
        for content in [
            "!sentry channel",
            "!sentry channel authorize",
            "!sentry channel revoke",
            "!sentry authorize",
            "!sentry revoke",
            "!sentry channel <#1>",
            "<@7> channel",
        ] {
            channel_is(content, ChannelCommand::Overview);
        }
    }

    #[test]
    fn a_channel_is_named_by_id_mention_or_name() {
        channel_is("!sentry channel authorize 1", ChannelCommand::Authorize(id(1)));
        channel_is("!sentry channel authorize <#1>", ChannelCommand::Authorize(id(1)));
        channel_is("!sentry channel authorize #alerts", ChannelCommand::Authorize(name("alerts")));
        channel_is("!sentry channel authorize #1", ChannelCommand::Authorize(name("1")));
        channel_is("!sentry authorize <#0>", ChannelCommand::Authorize(id(0)));
        channel_is("!sentry channel revoke <#1>", ChannelCommand::Revoke(id(1)));
        channel_is("!sentry revoke #ALERTS", ChannelCommand::Revoke(name("ALERTS")));
        channel_is("<@7> authorize <#1>", ChannelCommand::Authorize(id(1)));
        channel_is("<@!7> revoke 18446744073709551615", ChannelCommand::Revoke(id(u64::MAX)));
    }

    #[test]
    fn words_too_many_are_ignored() {
        channel_is("!sentry channel authorize <#1> <#2>", ChannelCommand::Authorize(id(1)));
        channel_is("!sentry revoke <#1> now", ChannelCommand::Revoke(id(1)));
        project_is("!sentry project register web api", slug("web"));
        project_is("!sentry project revoke web", ProjectCommand::Revoke);
    }

    #[test]
    fn an_argument_that_is_no_channel_is_an_error() {
        for argument in [
            "alerts",
            "#",
            "<#>",
            "<#x>",
            "<#1",
            "<#1>,",
            "<@1>",
            "-1",
            "18446744073709551616",
            "\"1\"",
            "&1",
        ] {
            fails(&format!("!sentry channel authorize {argument}"), ParseError::NotAChannel);
            fails(&format!("!sentry revoke {argument}"), ParseError::NotAChannel);
        }
    }

    #[test]
    fn what_needs_privacy_is_recognised() {
        channel_is("!sentry channel secure <#1>", ChannelCommand::SlashOnly(SlashOnly::Secure));
        channel_is("!sentry channel open", ChannelCommand::SlashOnly(SlashOnly::Open));
        channel_is("!sentry channel secret <#1> abc", ChannelCommand::SlashOnly(SlashOnly::Secret));
    }

    #[test]
    fn project_alone_or_incomplete_is_the_overview() {
        for content in ["!sentry project", "!sentry project register", "!sentry project web"] {
            project_is(content, ProjectCommand::Overview);
        }
    }

    #[test]
    fn a_project_is_registered_by_its_slug_and_revoked_without() {
        project_is("!sentry project register my-Web_app.2", slug("my-Web_app.2"));
        project_is("!sentry project revoke", ProjectCommand::Revoke);
    }

    #[test]
    fn a_slug_with_other_characters_is_an_error() {
        let long = "a".repeat(101);
        for slug in ["\"web\"", "wéb", "`web`", "web/api", "@everyone", &long] {
            fails(&format!("!sentry project register {slug}"), ParseError::NotASlug);
        }
    }

    #[test]
    fn other_words_are_unknown() {
        for content in
            ["!sentry hi", "!sentry secure <#1>", "<@7> thanks!", "!sentry !sentry", "!sentry \"h\""]
        {
            fails(content, ParseError::UnknownWord);
        }
    }
}
