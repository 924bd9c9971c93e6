use std::collections::BTreeSet;

use shared::{
    Alert, ChannelId, RoleId, UserId,
    alert::{Ping, Routing, Stranded, Trust, WhyStranded},
    trust::{ChannelTrust, TokenKey},
};

use super::*;
use crate::delivery::fold::Fold;

fn alert(issue: &str) -> Alert {
    Alert {
        level: Some("error".to_owned()),
        issue_id: Some(issue.to_owned()),
        ..Alert::new("error", "backend", ChannelId::new(1), 0)
    }
}

fn backlog(issues: &[&str]) -> Backlog {
    let mut backlog = Backlog::default();
    for (index, issue) in issues.iter().enumerate() {
        backlog.insert(index as u64 + 1, alert(issue));
    }
    backlog
}

/// As a rule of this channel sent it.
fn from(home: u64, alert: Alert) -> Alert {
    Alert { routing: Routing { home: Some(ChannelId::new(home)), ..Routing::default() }, ..alert }
}

fn keys(own: ChannelTrust) -> JudgingKeys {
    JudgingKeys { own, homes: BTreeMap::new() }
}

fn shape(backlog: &Backlog) -> Vec<Vec<u64>> {
    backlog.posts().map(|group| group.sequences.into_iter().collect()).collect()
}

#[test]
fn alerts_of_one_issue_share_an_embed_in_the_order_of_the_first() {
    assert_eq!(shape(&backlog(&["a", "b", "a", "c", "b"])), [vec![1, 3], vec![2, 5], vec![4]]);
}

#[test]
fn another_mention_level_kind_or_project_is_not_hidden() {
    let mut backlog = backlog(&["a"]);
    backlog.insert(2, Alert { mention: Some(UserId::new(5)), ..alert("a") });
    backlog.insert(3, Alert { level: Some("fatal".to_owned()), ..alert("a") });
    backlog.insert(4, Alert { kind: "issue.created".to_owned(), ..alert("a") });
    backlog.insert(5, Alert { project: "frontend".to_owned(), ..alert("a") });
    for (sequence, ping) in
        [(6, Ping::User(UserId::new(5))), (7, Ping::Role(RoleId::new(5))), (8, Ping::Role(RoleId::new(6)))]
    {
        let routing = Routing { ping: Some(ping), ..Routing::default() };
        backlog.insert(sequence, Alert { routing, ..alert("a") });
    }
    assert_eq!(backlog.posts().count(), 8);
}

#[test]
fn an_embed_shows_the_latest_event_and_the_span_of_all() {
    let mut backlog = Backlog::default();
    for (sequence, timestamp_ms, received_ms) in [(1, 50, 100), (2, 90, 101), (3, 10, 102)] {
        backlog.insert(sequence, Alert { timestamp_ms, received_ms, ..alert("a") });
    }
    let group = backlog.posts().next().expect("there is one");
    assert_eq!((group.latest, group.span_ms, group.since_ms), (2, (10, 90), (100, 102)));
}

#[test]
fn removing_the_first_of_an_embed_moves_it_back() {
    let mut backlog = backlog(&["a", "b", "a"]);
    backlog.remove(&BTreeSet::from([1]));
    assert_eq!(shape(&backlog), [vec![2], vec![3]]);
    backlog.remove(&BTreeSet::from([2, 3]));
    assert!(backlog.is_empty());
    assert_eq!((backlog.embeds, backlog.whole), (Embeds::default(), 0));
}

#[test]
fn isolated_embeds_stay_whole_and_newer_alerts_share_another() {
    let mut backlog = backlog(&["a", "b", "a"]);
    backlog.isolate(&BTreeSet::from([1, 2, 3]));
    backlog.insert(4, alert("a"));
    backlog.insert(5, alert("a"));
    backlog.isolate(&BTreeSet::from([1, 3]));
    assert_eq!(shape(&backlog), [vec![1, 3], vec![2], vec![4, 5]]);
    assert!(backlog.is_alone(3) && !backlog.is_alone(4));
    backlog.remove(&BTreeSet::from([1]));
    assert_eq!(shape(&backlog), [vec![2], vec![3], vec![4, 5]]);
    backlog.remove(&BTreeSet::from([2, 3, 4, 5]));
    assert_eq!(backlog.embeds, Embeds::default());
}

#[test]
fn only_the_alerts_of_the_refused_post_are_isolated() {
    let mut backlog = backlog(&["a", "a", "a"]);
    backlog.isolate(&BTreeSet::from([2, 3]));
    assert_eq!(shape(&backlog), [vec![1], vec![2, 3]]);
}

#[test]
fn alerts_without_an_issue_id_fold_by_what_the_reader_sees() {
    let mut backlog = Backlog::default();
    for (sequence, title) in [(1, "KeyError"), (2, "ValueError"), (3, "KeyError")] {
        backlog.insert(sequence, Alert { issue_id: None, title: Some(title.to_owned()), ..alert("") });
    }
    assert_eq!(shape(&backlog), [vec![1, 3], vec![2]]);
}

#[test]
fn a_group_names_each_kind_of_trust_with_its_newest_receipt() {
    let token = Trust::Token("1a2b".to_owned());
    let mut backlog = Backlog::default();
    for (sequence, trust, received_ms) in
        [(1, &token, 30), (2, &Trust::None, 20), (3, &token, 10), (4, &Trust::None, 25)]
    {
        backlog.insert(sequence, Alert { trust: trust.clone(), received_ms, ..alert("a") });
    }
    let sent_here = Alert { trust: token.clone(), received_ms: 40, ..from(7, alert("a")) };
    backlog.insert(5, sent_here);
    let group = backlog.posts().next().expect("it waits");
    let on =
        |home: Option<u64>, trust: &Trust| Admission { home: home.map(ChannelId::new), trust: trust.clone() };
    let expected = [(on(None, &Trust::None), 25), (on(None, &token), 30), (on(Some(7), &token), 40)];
    assert_eq!(group.admissions, expected.into());
}

#[test]
fn what_is_not_trusted_any_more_is_told_by_the_reason_and_by_the_true_receipt() {
    let mut backlog = Backlog::default();
    let revoked = Trust::Signature("gone".to_owned());
    for (sequence, trust, received_ms, replayed_ms) in [
        (1, Trust::None, 99, None),
        // Put back after the channel was secured: it came before.
        (2, Trust::None, 99, Some(500)),
        (3, Trust::None, 100, None),
        (4, revoked, 1, None),
    ] {
        backlog.insert(sequence, Alert { trust, received_ms, replayed_ms, ..alert("a") });
    }
    let secured = keys(ChannelTrust { secured: true, secured_ms: 100, ..ChannelTrust::default() });
    assert_eq!(backlog.distrusted(&secured), Some((Distrust::Revoked, BTreeSet::from([4]))));
    backlog.remove(&BTreeSet::from([4]));
    assert_eq!(backlog.distrusted(&secured), Some((Distrust::Unproven, BTreeSet::from([3]))));
    assert_eq!(backlog.waiting_before(200), BTreeSet::from([1, 3]), "age counts from the replay");
}

#[test]
fn trust_is_looked_at_again_when_the_keys_change_and_for_what_comes_later() {
    let mut backlog = backlog(&["a", "b"]);
    let open = JudgingKeys::default();
    let secured = keys(ChannelTrust { secured: true, ..ChannelTrust::default() });
    let unproven = |sequences: &[u64]| Some((Distrust::Unproven, sequences.iter().copied().collect()));
    assert_eq!((backlog.distrusted(&open), backlog.distrusted(&open)), (None, None));
    assert_eq!(backlog.distrusted(&secured), unproven(&[1, 2]));
    backlog.remove(&BTreeSet::from([1, 2]));
    assert_eq!(backlog.distrusted(&secured), None);
    for sequence in [5, 4] {
        backlog.insert(sequence, alert("c"));
    }
    assert_eq!(backlog.distrusted(&secured), unproven(&[4, 5]));
}

#[test]
fn an_alert_that_a_rule_sent_here_is_judged_by_its_homes_keys() {
    let token = |id: &str| Trust::Token(id.to_owned());
    let with_token = |id: &str, secured| ChannelTrust {
        secured,
        tokens: vec![TokenKey { id: id.to_owned(), sha256: String::new() }],
        ..ChannelTrust::default()
    };
    let mut backlog = Backlog::default();
    for (sequence, home, trust) in
        [(1, 7, token("seven")), (2, 8, token("eight")), (3, 8, token("own")), (4, 7, Trust::None)]
    {
        backlog.insert(sequence, Alert { trust, ..from(home, alert("a")) });
    }
    backlog.insert(5, Alert { trust: token("own"), ..alert("a") });
    let homes = [ChannelId::new(7), ChannelId::new(8)];
    assert_eq!(backlog.homes(), homes.into());
    let judged_by = |own: ChannelTrust, seven: ChannelTrust| JudgingKeys {
        own,
        homes: homes.into_iter().zip([seven, with_token("eight", true)]).collect(),
    };
    let only = |why, sequences: &[u64]| Some((why, sequences.iter().copied().collect()));
    let open = judged_by(with_token("own", false), with_token("seven", false));
    assert_eq!(backlog.distrusted(&open), only(Distrust::Revoked, &[3]), "its home has no such key");
    backlog.remove(&BTreeSet::from([3]));
    assert_eq!(backlog.distrusted(&open), None);
    let secured = judged_by(with_token("own", true), with_token("seven", false));
    assert_eq!(backlog.distrusted(&secured), only(Distrust::OpenHome, &[1, 4]), "whatever their keys");
    let both = judged_by(with_token("own", true), with_token("seven", true));
    assert_eq!(backlog.distrusted(&both), only(Distrust::Unproven, &[4]));
}

#[test]
fn what_rules_made_of_an_alert_is_known_though_the_stream_does_not_say_it() {
    let ping = Some(Ping::Role(RoleId::new(5)));
    let why = WhyStranded::Full;
    let stranded = |target| Some(Stranded { target: ChannelId::new(target), why });
    let kept = Routing { ping, stranded: stranded(9), ..Routing::default() };
    let mut backlog = backlog(&["a"; KEPT_WHOLE + 1]);
    backlog.insert(100, Alert { routing: kept.clone(), ..alert("b") });
    assert_eq!((backlog.whole(100), backlog.routing(100)), (None, Some(kept)));
    assert_eq!((backlog.routing(1), backlog.routing(99)), (Some(Routing::default()), None));

    for (sequence, stranded) in [(101, stranded(8)), (102, None)] {
        let routing = Routing { ping, stranded, ..Routing::default() };
        backlog.insert(sequence, Alert { routing, ..alert("b") });
    }
    let told = backlog.posts().last().expect("it waits");
    assert_eq!(told.sequences, BTreeSet::from([100, 101, 102]));
    assert_eq!(told.stranded, stranded(8), "it says so of all if it is so for one");
}

#[test]
fn a_change_waits_for_the_message_about_its_issue_and_is_no_embed() {
    let change = |kind: &str, how: Option<&str>, issue: &str| {
        let details = shared::alert::Details { how: how.map(str::to_owned), ..Default::default() };
        Alert { kind: kind.to_owned(), details, ..alert(issue) }
    };
    let mut backlog = backlog(&["a"]);
    backlog.insert(2, change("issue.resolved", None, "a"));
    backlog.insert(3, change("issue.unresolved", Some("regression"), "b"));
    backlog.insert(4, change("issue.unresolved", None, "b"));
    backlog.insert(5, change("issue.resolved", None, "a"));
    assert_eq!(shape(&backlog), [vec![1]]);
    let issue = |name| IssueKey::of(&alert(name)).expect("it has an id");
    let waiting: Vec<_> = backlog.changes().collect();
    let expected = [(issue("a"), Class::Change), (issue("b"), Class::Return), (issue("b"), Class::Change)];
    assert_eq!(waiting, expected);
    let due = backlog.issues_to_post();
    assert!(due.contains(&issue("a")) && !due.contains(&issue("b")));
    let only = |name| [issue(name)].into_iter().collect();
    let of_a = backlog.changes_of(&only("a"));
    assert_eq!(of_a[0].2.sequences, BTreeSet::from([2, 5]));

    backlog.post_oldest_change(issue("b"));
    assert_eq!(shape(&backlog), [vec![1], vec![3]]);
    assert_eq!(backlog.changes_of(&only("b")).len(), 1);
}

#[test]
fn a_waiting_alert_is_small_enough_that_a_full_queue_fits_the_memory() {
    // A lone alert of its issue takes about 260 bytes of the process with that.
    assert!(size_of::<BacklogEntry>() <= 128, "{}", size_of::<BacklogEntry>());
    assert!(size_of::<Fold>() <= 16, "{}", size_of::<Fold>());
}
