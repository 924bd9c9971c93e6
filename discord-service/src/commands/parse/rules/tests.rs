//! Options as Discord's client fills them in, and the words that people type.

use super::*;
use crate::commands::parse::{self, Form};

fn given(words: &str, options: &[(&str, &str)]) -> Result<Command, ParseError> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let words: Vec<_> = words.split(' ').collect();
    named(&words, &options).expect("a command about rules or mutes")
}

fn request(words: &str, options: &[(&str, &str)]) -> RulesRequest {
    match given(words, options) {
        Ok(Command::Rules(RulesCommand { home: None, request })) => request,
        other => unreachable!("{other:?}"),
    }
}

fn mistake(words: &str, options: &[(&str, &str)]) -> RulesMistake {
    match given(words, options) {
        Err(ParseError::Rules(mistake)) => mistake,
        other => unreachable!("{other:?}"),
    }
}

fn glob(text: &str) -> Option<Glob> {
    Some(text.parse().expect("a pattern"))
}

#[test]
fn a_rule_is_read_from_its_options() {
    let options = [
        ("action", "route"),
        ("project", " web-* "),
        ("environment", "production"),
        ("level", "error"),
        ("kind", "cron"),
        ("to", "5"),
        ("mention", "6"),
    ];
    let conditions = Conditions {
        project: glob("web-*"),
        environment: glob("production"),
        level: Some(Level::Error),
        kind: Some(Kind::Cron),
    };
    let action = Action::Route(ChannelId::new(5));
    let rule = NewRule { conditions, action, mention: Some(6) };
    assert_eq!(request("rule add", &options), RulesRequest::Add(rule));
    for (text, action) in [("drop", Action::Drop), ("keep", Action::Keep)] {
        let rule = NewRule { conditions: Conditions::default(), action, mention: None };
        let options = [("action", text)];
        assert_eq!(request("rule add", &options), RulesRequest::Add(rule), "{text}");
    }
}

#[test]
fn options_that_make_no_rule_are_a_mistake() {
    use RulesMistake::*;
    let long = "a".repeat(101);
    for (options, expected) in [
        (&[][..], NotAChoice),
        (&[("action", "explode")], NotAChoice),
        (&[("action", "keep"), ("level", "loud")], NotAChoice),
        (&[("action", "keep"), ("mention", "@everyone")], NotAChoice),
        (&[("action", "route")], NoTarget),
        (&[("action", "route"), ("to", "#web")], NotAChoice),
        (&[("action", "drop"), ("to", "5")], NotARoute),
        (&[("action", "keep"), ("to", "5")], NotARoute),
        (&[("action", "drop"), ("mention", "5")], NoMessage),
        (&[("action", "keep"), ("project", &long)], NotAPattern),
        (&[("action", "drop"), ("project", "   ")], Blank("project")),
        (&[("action", "drop"), ("environment", "")], Blank("environment")),
        (&[("action", "keep"), ("environment", "a\nb")], NotAPattern),
    ] {
        assert_eq!(mistake("rule add", options), expected, "{options:?}");
    }
    let elsewhere = [("action", "keep"), ("channel", "x")];
    assert_eq!(given("rule add", &elsewhere), Err(ParseError::NotAChannel));
}

#[test]
fn rules_and_mutes_are_named_by_numbers() {
    assert_eq!(request("rule list", &[]), RulesRequest::List);
    assert_eq!(request("rule remove", &[("number", "3")]), RulesRequest::Remove(3));
    let options = [("number", "3"), ("position", "1")];
    assert_eq!(request("rule move", &options), RulesRequest::Move { number: 3, position: 1 });
    assert_eq!(request("unmute", &[("number", "70")]), RulesRequest::Unmute(70));
    for number in ["", "-1", "1.5", "one", "99999999999999999999999"] {
        assert_eq!(mistake("unmute", &[("number", number)]), RulesMistake::NotAChoice, "{number}");
    }
    assert_eq!(mistake("rule move", &[("number", "3")]), RulesMistake::NotAChoice);
}

#[test]
fn an_alert_to_check_is_an_error_if_it_does_not_say_what_it_is() {
    let bare = CheckedAlert { project: None, environment: None, level: None, kind: Kind::Error };
    assert_eq!(request("rule check", &[]), RulesRequest::Check(bare));
    let options = [("project", "web"), ("environment", "staging"), ("level", "fatal"), ("kind", "uptime")];
    let alert = CheckedAlert {
        project: Some("web".to_owned()),
        environment: Some("staging".to_owned()),
        level: Some(Level::Fatal),
        kind: Kind::Uptime,
    };
    assert_eq!(request("rule check", &options), RulesRequest::Check(alert));
}

#[test]
fn a_mute_takes_conditions_or_an_issue_and_always_ends() {
    let everything = MuteScope::Conditions(Conditions::default());
    for (text, hours) in [("1h", 1), ("4h", 4), ("8h", 8), ("24h", 24), ("7d", 168)] {
        let for_ms = hours * 3_600_000;
        let mute = NewMute { scope: everything.clone(), for_ms, reason: None };
        assert_eq!(request("mute", &[("for", text)]), RulesRequest::Mute(mute), "{text}");
    }
    for (text, issue) in [
        ("BACKEND-1F", "BACKEND-1F"),
        (" 42 ", "42"),
        ("https://acme.sentry.io/issues/42/?project=1", "42"),
        ("https://sentry.io/organizations/acme/issues/42#x", "42"),
    ] {
        let RulesRequest::Mute(mute) =
            request("mute", &[("for", "1h"), ("issue", text), ("reason", "a deploy")])
        else {
            unreachable!("a mute");
        };
        assert_eq!(mute.scope, MuteScope::Issue(issue.to_owned()), "{text}");
        assert_eq!(mute.reason.as_deref(), Some("a deploy"));
    }
    for (options, expected) in [
        (&[][..], RulesMistake::NotAChoice),
        (&[("for", "2h")], RulesMistake::NotAChoice),
        (&[("for", "1h"), ("issue", "a b")], RulesMistake::NotAnIssue),
        (&[("for", "1h"), ("issue", "https://sentry.io/issues/")], RulesMistake::NotAnIssue),
        (&[("for", "1h"), ("issue", "42"), ("level", "error")], RulesMistake::IssueAndConditions),
    ] {
        assert_eq!(mistake("mute", options), expected, "{options:?}");
    }
}

#[test]
fn the_channel_is_the_home() {
    let here = given("rule list", &[("channel", "42")]);
    let home = Some(ChannelArgument::Id(ChannelId::new(42)));
    assert_eq!(here, Ok(Command::Rules(RulesCommand { home, request: RulesRequest::List })));
}

#[test]
fn typed_only_the_list_works() {
    let typed = |text: &str| parse::command(text.split(' '), Form::Typed).expect("a command");
    let list = |home| Command::Rules(RulesCommand { home, request: RulesRequest::List });
    for text in ["rule", "rule list", "Rule LIST now"] {
        assert_eq!(typed(text), list(None), "{text}");
    }
    for text in ["rule list <#42>", "rule <#42>"] {
        assert_eq!(typed(text), list(Some(ChannelArgument::Id(ChannelId::new(42)))), "{text}");
    }
    assert_eq!(typed("rule #general"), list(Some(ChannelArgument::Name("general".to_owned()))));
    let unknown = parse::command("rule lst".split(' '), Form::Typed);
    assert_eq!(unknown, Err(ParseError::UnknownWord));
    for (text, words) in [
        ("rule add drop", "rule add"),
        ("rule Remove 1", "rule remove"),
        ("rule move 1 2", "rule move"),
        ("rule check web", "rule check"),
        ("mute 1h", "mute"),
        ("UNMUTE 1", "unmute"),
    ] {
        assert_eq!(typed(text), Command::SlashOptions(words), "{text}");
    }
}
