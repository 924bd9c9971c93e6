use proptest::prelude::*;
use shared::{ChannelId, RoleId};

use super::*;

fn glob(text: &str) -> Option<super::super::Glob> {
    Some(text.parse().expect("a pattern"))
}

fn made(conditions: Conditions, action: Action, ping: Option<Ping>) -> Rule {
    Rule { id: 1, conditions, action, ping, by: UserId::new(7), made_ms: 0 }
}

#[test]
fn a_rule_reads_as_a_sentence() {
    let full = Conditions {
        project: glob("api-*"),
        environment: glob("production"),
        level: Some(Level::Warning),
        kind: Some(Kind::Error),
    };
    let fatal = Conditions { level: Some(Level::Fatal), ..Conditions::default() };
    let role = Some(Ping::Role(RoleId::new(9)));
    let user = Some(Ping::User(UserId::new(8)));
    for (rule, expected) in [
        (
            made(full, Action::Route(ChannelId::new(5)), role),
            "errors of `api-*` in `production`, from level warning up → <#5>, mentions <@&9>",
        ),
        (made(fatal, Action::Keep, user), "alerts of level fatal → kept here, mentions <@8>"),
        (made(Conditions::default(), Action::Drop, None), "all alerts → dropped"),
    ] {
        assert_eq!(super::rule(&rule), expected);
    }
}

#[test]
fn a_mute_says_what_until_when_by_whom_and_why() {
    let mute = Mute {
        number: 3,
        scope: MuteScope::Issue("BACKEND-1F".to_owned()),
        until_ms: 1_700_000_000_000,
        reason: Some("`@everyone` knows".to_owned()),
        by: UserId::new(7),
        made_ms: 0,
    };
    assert_eq!(super::mute(&mute), "issue `BACKEND-1F` until <t:1700000000:f>, by <@7>: `ˋ@everyoneˋ knows`");
    assert_eq!(super::ended(&mute), "issue `BACKEND-1F`, by <@7>: `ˋ@everyoneˋ knows`");
    let scope = MuteScope::Conditions(Conditions { kind: Some(Kind::Cron), ..Conditions::default() });
    let plain = Mute { reason: None, scope, ..mute };
    assert_eq!(super::mute(&plain), "cron alerts until <t:1700000000:f>, by <@7>");
}

proptest! {
    #[test]
    fn no_foreign_text_leaves_its_code_span(text in "\\PC{1,100}|[`@<\u{202E}a]{1,60}") {
        let Ok(glob) = text.parse() else { return Ok(()) };
        let said = conditions(&Conditions { project: Some(glob), ..Conditions::default() });
        let code = said.strip_prefix("alerts of `").and_then(|rest| rest.strip_suffix('`'));
        prop_assert!(code.is_some_and(|code| !code.is_empty() && !code.contains('`')), "{}", said);
    }
}
