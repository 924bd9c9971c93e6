//! Lines as people type them.

use shared::ChannelId;

use super::*;

const BOT: UserId = UserId::new(7);

fn parsed(content: &str) -> Option<Result<Command, ParseError>> {
    parse(content, "!sentry", BOT, None)
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
    for content in ["!sentry", "!sentry h", "!sentry help", "<@7>", "<@!7>", "<@7> h", "!sentry h please"] {
        is(content, Command::Help);
    }
}

#[test]
fn capitals_and_any_white_space_are_fine() {
    is("!Sentry H", Command::Help);
    is("  !SENTRY\t\u{a0}HELP\n", Command::Help);
    channel_is("!sentry\nchannel\n\nAuthorize\n<#1>", ChannelCommand::Authorize(Some(id(1))));
    project_is("!sentry Project Register Web", slug("Web"));
}

#[test]
fn another_prefix_replaces_the_first() {
    assert_eq!(parse("Ä! h", "ä!", BOT, None), Some(Ok(Command::Help)));
    assert_eq!(parse("!sentry h", "ä!", BOT, None), None);
    assert_eq!(parse("<@7> h", "ä!", BOT, None), Some(Ok(Command::Help)));
}

#[test]
fn channel_alone_or_incomplete_is_the_overview() {
    for content in [
        "!sentry channel",
        "!sentry channel revoke",
        "!sentry revoke",
        "!sentry channel <#1>",
        "<@7> channel",
    ] {
        channel_is(content, ChannelCommand::Overview);
    }
}

#[test]
fn without_a_channel_this_one_is_authorized() {
    for content in ["!sentry channel authorize", "!sentry authorize", "<@7> channel Authorize"] {
        channel_is(content, ChannelCommand::Authorize(None));
    }
}

#[test]
fn a_mention_of_the_bot_s_own_role_is_one_of_the_bot() {
    let parsed = |content| parse(content, "!sentry", BOT, Some(8));
    assert_eq!(parsed("<@&8> h"), Some(Ok(Command::Help)));
    for content in ["<@&9> h", "<@8> h", "<@&7> h", "8 h", "h <@&8>"] {
        assert_eq!(parsed(content), None, "{content}");
    }
    assert_eq!(parse("<@&8> h", "!sentry", BOT, None), None);
    assert_eq!([mentioned_role(" <@&8> h"), mentioned_role("<@8> h")], [Some(8), None]);
}

#[test]
fn a_channel_is_named_by_id_mention_or_name() {
    channel_is("!sentry channel authorize 1", ChannelCommand::Authorize(Some(id(1))));
    channel_is("!sentry channel authorize <#1>", ChannelCommand::Authorize(Some(id(1))));
    channel_is("!sentry channel authorize #alerts", ChannelCommand::Authorize(Some(name("alerts"))));
    channel_is("!sentry channel authorize #1", ChannelCommand::Authorize(Some(name("1"))));
    channel_is("!sentry authorize <#0>", ChannelCommand::Authorize(Some(id(0))));
    channel_is("!sentry channel revoke <#1>", ChannelCommand::Revoke(id(1)));
    channel_is("!sentry revoke #ALERTS", ChannelCommand::Revoke(name("ALERTS")));
    channel_is("<@7> authorize <#1>", ChannelCommand::Authorize(Some(id(1))));
    channel_is("<@!7> revoke 18446744073709551615", ChannelCommand::Revoke(id(u64::MAX)));
}

#[test]
fn words_too_many_are_ignored() {
    channel_is("!sentry channel authorize <#1> <#2>", ChannelCommand::Authorize(Some(id(1))));
    channel_is("!sentry revoke <#1> now", ChannelCommand::Revoke(id(1)));
    project_is("!sentry project register web api", slug("web"));
    project_is("!sentry project revoke web", ProjectCommand::Revoke);
}

#[test]
fn an_argument_that_is_no_channel_is_an_error() {
    for argument in
        ["alerts", "#", "<#>", "<#x>", "<#1", "<#1>,", "<@1>", "-1", "18446744073709551616", "\"1\"", "&1"]
    {
        fails(&format!("!sentry channel authorize {argument}"), ParseError::NotAChannel);
        fails(&format!("!sentry revoke {argument}"), ParseError::NotAChannel);
    }
}

#[test]
fn what_needs_privacy_is_recognised() {
    channel_is("!sentry channel secure <#1>", ChannelCommand::SlashOnly(SlashOnly::Secure));
    channel_is("!sentry channel secure", ChannelCommand::SlashOnly(SlashOnly::Secure));
    channel_is("!sentry channel secure nothing", ChannelCommand::SlashOnly(SlashOnly::Secure));
    channel_is("!sentry channel open <#1>", ChannelCommand::SlashOnly(SlashOnly::Open));
    channel_is("!sentry channel open", ChannelCommand::SlashOnly(SlashOnly::Open));
    channel_is("!sentry channel secret <#1> abc", ChannelCommand::SlashOnly(SlashOnly::Secret));
}

#[test]
fn as_slash_commands_they_are_what_they_say() {
    let slash = |text: &str| command(text.split(' '), Form::Slash);
    let is = |text, command| assert_eq!(slash(text), Ok(Command::Channel(command)), "{text}");
    is("channel authorize", ChannelCommand::Authorize(None));
    is("channel secure 1", ChannelCommand::Secure(id(1)));
    is("channel open 1", ChannelCommand::Open(id(1)));
    is("channel secret 1", ChannelCommand::AddSecret(id(1)));
    is("channel secret 1 1a2b", ChannelCommand::RemoveSecret(id(1), "1a2b".to_owned()));
    assert_eq!(slash("channel secret x"), Err(ParseError::NotAChannel));
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
    for content in ["!sentry hi", "!sentry secure <#1>", "<@7> thanks!", "!sentry !sentry", "!sentry \"h\""] {
        fails(content, ParseError::UnknownWord);
    }
}

#[test]
fn replay_takes_no_words() {
    for text in ["!sentry replay", "!sentry Replay all of them"] {
        assert_eq!(parse(text, "!sentry", BOT, None), Some(Ok(Command::Replay)), "{text}");
    }
}

#[test]
fn status_takes_a_channel_and_test_no_words() {
    let status = |argument| Some(Ok(Command::Status(argument)));
    for (text, expected) in [
        ("!sentry status", status(None)),
        ("!sentry status please", status(None)),
        ("!sentry Status <#42>", status(Some(ChannelArgument::Id(ChannelId::new(42))))),
        ("!sentry status #alerts now", status(Some(ChannelArgument::Name("alerts".to_owned())))),
        ("!sentry test", Some(Ok(Command::Test))),
        ("!sentry TEST <#42>", Some(Ok(Command::Test))),
    ] {
        assert_eq!(parse(text, "!sentry", BOT, None), expected, "{text}");
    }
}
