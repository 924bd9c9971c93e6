use shared::{ChannelId, UserId};

use super::*;
use crate::rules::{Action, Kind, Level};

fn of(project: &str) -> Conditions {
    Conditions { project: Some(project.parse().expect("a pattern")), ..Conditions::default() }
}

fn rule(project: &str, action: Action) -> Rule {
    Rule { id: 0, conditions: of(project), action, ping: None, by: UserId::new(7), made_ms: 0 }
}

fn mute(made_ms: i64, until_ms: i64) -> Mute {
    let scope = MuteScope::Issue("7".to_owned());
    Mute { number: 0, scope, until_ms, reason: None, by: UserId::new(7), made_ms }
}

fn projects(rules: &ChannelRules) -> Vec<String> {
    let project = |rule: &Rule| rule.conditions.project.as_ref().expect("it has one").to_string();
    rules.rules.iter().map(project).collect()
}

#[test]
fn rules_are_numbered_by_their_place_and_their_ids_are_never_used_again() {
    let mut rules = ChannelRules::default();
    for (number, project) in (1..).zip(["a", "b", "c"]) {
        assert_eq!(rules.add_rule(rule(project, Action::Drop)), Ok(number));
    }
    assert_eq!(rules.add_rule(rule("b", Action::Drop)), Err(RuleRefusal::Duplicate(2)));
    assert_eq!(rules.remove_rule(3).expect("the third").id, 3);
    assert_eq!((rules.remove_rule(3), rules.remove_rule(0)), (None, None));
    assert_eq!(rules.add_rule(rule("b", Action::Keep)), Ok(3));
    assert_eq!(rules.rules.iter().map(|rule| rule.id).collect::<Vec<_>>(), [1, 2, 4]);
}

#[test]
fn a_rule_after_a_loss_gets_no_id_that_counts_may_have() {
    let made = |made_ms| Rule { made_ms, ..rule(&made_ms.to_string(), Action::Drop) };
    let mut lost = ChannelRules::default();
    for made_ms in [1_000, 1_000_000, 900_000] {
        lost.add_rule(made(made_ms)).expect("added");
    }
    let mut later = ChannelRules::default();
    later.add_rule(made(2_000_000)).expect("added");
    assert_eq!(lost.rules.iter().map(|rule| rule.id).collect::<Vec<_>>(), [1_000, 1_000_000, 1_000_001]);
    assert_eq!(later.rules[0].id, 2_000_000);
}

#[test]
fn a_channel_has_at_most_25_rules_and_25_mutes_that_run() {
    let mut rules = ChannelRules::default();
    for number in 1..=MOST {
        assert_eq!(rules.add_rule(rule(&format!("p{number}"), Action::Drop)), Ok(number));
        rules.add_mute(mute(0, i64::try_from(number).expect("small"))).expect("there is room");
    }
    assert_eq!(rules.add_rule(rule("one more", Action::Drop)), Err(RuleRefusal::Full));
    assert_eq!(rules.add_mute(mute(0, 100)), Err(TooManyMutes));
    assert_eq!(rules.add_mute(mute(2, 100)), Ok(26), "two have ended");
    assert_eq!(rules.mutes.len(), MOST - 1);
    assert_eq!(rules.remove_mute(26).expect("it runs").until_ms, 100);
    assert_eq!(rules.remove_mute(26), None);
    assert_eq!(rules.add_mute(mute(2, 100)), Ok(27));
}

#[test]
fn a_rule_moves_to_a_position_of_the_list() {
    let mut rules = ChannelRules::default();
    for project in ["a", "b", "c"] {
        rules.add_rule(rule(project, Action::Keep)).expect("added");
    }
    assert_eq!(rules.move_rule(3, 1), Some(1));
    assert_eq!(projects(&rules), ["c", "a", "b"]);
    assert_eq!(rules.move_rule(1, 9), Some(3));
    assert_eq!(projects(&rules), ["a", "b", "c"]);
    assert_eq!(rules.move_rule(2, 0), Some(1));
    assert_eq!(projects(&rules), ["b", "a", "c"]);
    assert_eq!((rules.move_rule(4, 1), rules.move_rule(0, 1)), (None, None));
}

#[test]
fn a_rule_is_shadowed_by_an_earlier_one_that_takes_all_of_it() {
    let rules = [
        rule("shop", Action::Keep),
        Rule {
            conditions: Conditions { level: Some(Level::Warning), ..of("api-*") },
            ..rule("x", Action::Drop)
        },
        rule("web-*", Action::Route(ChannelId::new(2))),
    ];
    let cron = Conditions { kind: Some(Kind::Cron), ..of("web-1") };
    let fatal = Conditions { level: Some(Level::Fatal), ..of("api-*-eu") };
    let info = Conditions { level: Some(Level::Info), ..of("api-1") };
    for (conditions, expected) in [
        (of("shop"), Some(1)),
        (fatal, Some(2)),
        (cron, Some(3)),
        (of("web-*-*"), Some(3)),
        (info, None),
        (of("api-1"), None),
        (of("*"), None),
        (Conditions::default(), None),
    ] {
        assert_eq!(shadowed_by(&rules, &conditions), expected, "{conditions:?}");
    }
}

#[test]
fn an_issue_is_named_by_its_short_id_or_its_number() {
    for (text, id) in [("BACKEND-1F", "BACKEND-1F"), ("my_app-2", "my_app-2"), (" 42 ", "42")] {
        assert_eq!(MuteScope::issue(text), Ok(MuteScope::Issue(id.to_owned())));
    }
    for text in ["", "#", "#12", "BACKEND", "-1", "a-b.c", "a b", "`x`", "<@1>", &"1".repeat(101)] {
        assert_eq!(MuteScope::issue(text), Err(InvalidIssue), "{text:?}");
    }
}
