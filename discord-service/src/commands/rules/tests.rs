use shared::UserId;

use super::*;
use crate::rules::{Action, Conditions, Kind};

fn rule(id: u64, kind: Option<Kind>) -> Rule {
    let conditions = Conditions { kind, ..Conditions::default() };
    Rule { id, conditions, action: Action::Drop, ping: None, by: UserId::new(7), made_ms: 0 }
}

fn list(rules: &[Rule]) -> ChannelRules {
    ChannelRules { rules: rules.to_vec(), ..ChannelRules::default() }
}

#[test]
fn a_chosen_rule_stays_the_same_while_others_change_the_list() {
    let [one, two, three] = [1, 2, 3].map(|id| rule(id, None));
    let chosen = Chosen::new(2);
    assert_eq!(chosen.number(&list(&[one.clone(), two.clone(), three.clone()])), Some(2));
    assert_eq!(chosen.number(&list(&[two.clone(), three.clone()])), Some(1));
    assert_eq!(chosen.number(&list(&[three.clone(), one.clone(), two])), Some(3));
    assert_eq!(chosen.number(&list(&[one.clone(), three.clone()])), None, "it was removed");
    assert_eq!(Chosen::new(0).number(&list(&[one.clone(), three.clone()])), None);
    let absent = Chosen::new(3);
    assert_eq!(absent.number(&list(&[one.clone(), three.clone()])), None);
    assert_eq!(absent.number(&list(&[one, three, rule(4, None)])), None, "nobody has seen that one");
}

#[test]
fn a_rule_after_one_that_takes_all_its_alerts_is_in_the_shadow() {
    let cron = rule(1, Some(Kind::Cron));
    let all = rule(2, None);
    assert_eq!(shadowed(&list(&[cron.clone(), all.clone()])), []);
    assert_eq!(shadowed_ids(&list(&[all.clone(), cron.clone()])), [1].into());
    assert_eq!(shadowed(&list(&[all, cron.clone(), cron])), [(2, 1), (3, 1)]);
}

#[test]
fn a_press_is_told_by_the_custom_id() {
    let button = UnmuteButton { home: ChannelId::new(42), number: 3 };
    assert_eq!(UnmuteButton::read(&button.custom_id()), Some(button));
    for other in ["unmute", "unmute:", "unmute:42", "unmute:42:", "unmute:42:-1", "unmute:x:3", "mute:42:3"] {
        assert_eq!(UnmuteButton::read(other), None, "{other}");
    }
}

#[test]
fn the_log_and_choices_show_words_without_markup() {
    let words = "errors of `web-*` → <#5>, mentions <@&9>";
    assert_eq!(without_markup(words), "errors of web-* → #5, mentions @&9");
}
