//! Rules and mutes: every accepted alert ends in exactly one place, and the counts
//! are exact, whatever dies and whenever rules change.

mod full;

use std::{collections::BTreeMap, sync::Arc};

use shared::{Alert, ChannelId, UserId};

use super::{
    CHANNEL, all, change, event, lane, services,
    world::{FakeState, FakeWorld, Name},
};
use crate::rules::{Action, ChannelRules, Conditions, Mute, MuteScope, Rule, RuleCounts, counts};

const TARGET: ChannelId = ChannelId::new(2);

fn conditions(project: &str) -> Conditions {
    Conditions { project: Some(project.parse().expect("a glob")), ..Conditions::default() }
}

fn rule(id: u64, project: &str, action: Action) -> Rule {
    Rule { id, conditions: conditions(project), action, ping: None, by: UserId::new(1), made_ms: 0 }
}

fn mute(number: u64, project: &str) -> Mute {
    let scope = MuteScope::Conditions(conditions(project));
    Mute { number, scope, until_ms: i64::MAX, reason: None, by: UserId::new(1), made_ms: 0 }
}

fn rules(rules: Vec<Rule>, mutes: Vec<Mute>) -> Arc<ChannelRules> {
    let (last_rule, last_mute) = (9, 9);
    Arc::new(ChannelRules { v: 1, rules, mutes, last_rule, last_mute })
}

/// The web to the target, noise to nowhere, the quiet muted, and the rest stays.
fn usual() -> Arc<ChannelRules> {
    let sorted = vec![
        rule(1, "web", Action::Route(TARGET)),
        rule(2, "noise", Action::Drop),
        rule(3, "kept", Action::Keep),
    ];
    rules(sorted, vec![mute(1, "quiet")])
}

/// One alert of each project, each with a title of its own.
fn alerts(projects: &[&str]) -> Vec<Alert> {
    let numbered = (1..).zip(projects);
    let of = |(number, project): (u64, &&str)| Alert {
        project: (*project).to_owned(),
        ..event(number, &format!("title-{number}."))
    };
    numbered.map(of).collect()
}

/// Runs both lanes until nothing waits. `false` if their process died before.
async fn live(world: &Arc<FakeWorld>) -> bool {
    let both = async {
        let services = services(world);
        loop {
            tokio::join!(lane(services.clone(), CHANNEL), lane(services.clone(), TARGET));
            if world.lock().stream.is_empty() {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        () = world.crashed() => false,
        () = both => true,
    }
}

/// Lives and dies until nothing waits. `after_death` changes the world each time.
async fn history(world: &Arc<FakeWorld>, accepted: &[Alert], after_death: impl Fn(&mut FakeState)) {
    accepted.iter().for_each(|alert| world.accept(alert));
    while !live(world).await {
        after_death(&mut world.lock());
    }
}

#[derive(Debug, Default)]
struct Found {
    home: usize,
    target: usize,
    dead: usize,
    dead_in_target: usize,
    unsure: usize,
}

impl FakeState {
    fn counts(&self, channel: ChannelId) -> RuleCounts {
        let value = |key: String| self.buckets.get(&(Name::Lanes, key)).and_then(|(_, value)| value.clone());
        counts::read(value(counts::sorting_key(channel)).as_deref(), value(channel.to_string()).as_deref())
    }

    fn found(&self, accepted: &[Alert]) -> BTreeMap<String, Found> {
        assert!(self.stream.is_empty(), "something still waits");
        let mut found: BTreeMap<String, Found> = BTreeMap::new();
        for alert in accepted {
            let title = alert.title.clone().expect("a title");
            let found = found.entry(title.clone()).or_default();
            for message in self.messages.values() {
                let shown = message.embeds.iter().filter(|embed| embed.to_string().contains(&title)).count();
                *if message.channel == TARGET { &mut found.target } else { &mut found.home } += shown;
            }
            for letter in self.dead() {
                let Some(dead) = letter.alert.filter(|dead| dead.title.as_ref() == Some(&title)) else {
                    continue;
                };
                found.unsure += usize::from(letter.may_have_been_posted);
                *if dead.channel == TARGET { &mut found.dead_in_target } else { &mut found.dead } += 1;
            }
        }
        found
    }

    /// Every alert is in one place. Those in none are counted as dropped or muted.
    fn check_places(&self, accepted: &[Alert], may_vanish: &[&str]) {
        let all = self.found(accepted);
        let counts = self.counts(CHANNEL);
        let (mut vanished, mut routed, mut unsure) = (0, 0, 0);
        for alert in accepted {
            let found = &all[alert.title.as_ref().expect("a title")];
            let certain = found.home + found.target + found.dead + found.dead_in_target;
            assert!(certain - found.unsure.min(certain) <= 1, "{alert:?} is doubled: {found:?}");
            assert!(found.dead + found.dead_in_target <= 1, "{alert:?} is buried twice: {found:?}");
            vanished += usize::from(certain == 0);
            unsure += found.unsure;
            routed += usize::from(found.target + found.dead_in_target > 0);
            let may = may_vanish.contains(&alert.project.as_str());
            assert!(may || certain > 0, "{alert:?} is lost: {counts:?}");
        }
        assert_eq!((counts.dropped + counts.muted) as usize, vanished, "{counts:?} {all:?}");
        assert_eq!(counts.routed as usize, routed, "{counts:?} {all:?}");
        let web_at_home = accepted.iter().filter(|alert| alert.project == "web");
        let web_at_home =
            web_at_home.filter(|alert| all[alert.title.as_ref().expect("a title")].home > 0).count();
        if unsure == 0 && may_vanish != ["all"] {
            let hits = counts.rules.get(&1).map_or(0, |hit| hit.count);
            assert_eq!(hits as usize, routed + web_at_home, "{counts:?} {all:?}");
        }
        if unsure == 0 && self.unlucky == 0 && self.dead().is_empty() {
            self.check_order(accepted, TARGET);
        }
    }

    /// What is shown in the channel is in the order in which it came.
    fn check_order(&self, accepted: &[Alert], channel: ChannelId) {
        let embeds = self.messages.values().filter(|message| message.channel == channel);
        let shown: Vec<String> =
            embeds.flat_map(|message| &message.embeds).map(ToString::to_string).collect();
        let position = |alert: &Alert| {
            let title = alert.title.as_ref().expect("a title");
            shown.iter().position(|embed| embed.contains(title))
        };
        let positions: Vec<usize> = accepted.iter().filter_map(position).collect();
        assert!(positions.is_sorted(), "out of order: {positions:?}");
    }

    fn muted_lines(&self) -> Vec<&str> {
        let lines = self.messages.values().map(|message| message.content.as_str());
        lines.filter(|content| content.contains("muted")).collect()
    }
}

#[test]
fn every_alert_ends_in_one_place_whatever_dies() {
    let accepted = alerts(&["web", "noise", "other", "web", "quiet", "kept"]);
    for window_passes in [false, true] {
        let histories = all(1, async |world| {
            world.lock().rules.insert(CHANNEL, usual());
            history(&world, &accepted, |world| {
                if window_passes {
                    world.copy_ids.clear();
                }
            })
            .await;
            world.lock().check_places(&accepted, &["noise", "quiet"]);
        });
        assert!(histories > 60, "{histories}");
    }
}

#[test]
fn two_failures_double_and_lose_nothing_on_the_way() {
    let accepted = alerts(&["web"]);
    let histories = all(2, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        history(&world, &accepted, |world| world.copy_ids.clear()).await;
        world.lock().check_places(&accepted, &[]);
    });
    assert!(histories > 500, "{histories}");
}

#[test]
fn rules_that_change_between_two_lives_decide_each_alert_once() {
    let accepted = alerts(&["web", "noise", "other", "web", "quiet"]);
    let others = [
        rules(Vec::new(), Vec::new()),
        rules(vec![rule(4, "web", Action::Drop), rule(5, "noise", Action::Route(TARGET))], Vec::new()),
        rules(vec![rule(1, "web", Action::Route(TARGET))], vec![mute(2, "*")]),
    ];
    for other in others {
        let histories = all(1, async |world| {
            world.lock().rules.insert(CHANNEL, usual());
            history(&world, &accepted, |world| {
                world.copy_ids.clear();
                world.rules.insert(CHANNEL, other.clone());
            })
            .await;
            let world = world.lock();
            let (all, counts) = (world.found(&accepted), world.counts(CHANNEL));
            let mut vanished = 0;
            for (title, found) in &all {
                let certain = found.home + found.target + found.dead + found.dead_in_target;
                assert!(certain - found.unsure.min(certain) <= 1, "{title} is doubled: {found:?}");
                vanished += usize::from(certain == 0);
            }
            assert_eq!((counts.dropped + counts.muted) as usize, vanished, "{counts:?} {all:?}");
        });
        assert!(histories > 60, "{histories}");
    }
}

#[test]
fn a_full_target_leaves_alerts_at_home_once() {
    let accepted = alerts(&["web", "web", "web"]);
    for room in [0, 1] {
        let histories = all(1, async |world| {
            world.lock().rules.insert(CHANNEL, usual());
            world.lock().room_in_target = room;
            history(&world, &accepted, |world| world.copy_ids.clear()).await;
            world.lock().check_places(&accepted, &[]);
        });
        assert!(histories > 20, "{histories}");
    }
}

#[test]
fn a_late_second_copy_is_dropped() {
    let accepted = alerts(&["web"]);
    all(0, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        accepted.iter().for_each(|alert| world.accept(alert));
        // The home's lane alone: the copy waits.
        lane(services(&world), CHANNEL).await;
        let copy = world.lock().stream.values().next().expect("a copy").clone();
        let again = |world: &Arc<FakeWorld>| {
            world.lock().store(TARGET, copy.id.clone(), copy.payload.clone());
        };
        again(&world);
        assert!(live(&world).await);
        again(&world);
        assert!(live(&world).await);
        world.lock().check_places(&accepted, &[]);
    });
}

#[test]
fn mutes_of_the_target_hold_for_what_comes_there() {
    let accepted = alerts(&["web", "web"]);
    let histories = all(1, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        world.lock().rules.insert(TARGET, rules(Vec::new(), vec![mute(1, "web")]));
        history(&world, &accepted, |world| world.copy_ids.clear()).await;
        let world = world.lock();
        let (all, muted) = (world.found(&accepted), world.counts(TARGET).muted as usize);
        let elsewhere = |found: &&Found| found.home + found.dead + found.dead_in_target > 0;
        assert!(all.values().all(|found| found.target == 0), "{all:?}");
        assert_eq!(all.values().filter(elsewhere).count() + muted, 2, "{all:?}");
    });
    assert!(histories > 20, "{histories}");
}

#[test]
fn the_end_of_a_mute_is_told_once_and_counts_what_was_muted() {
    let accepted = alerts(&["quiet", "quiet", "other"]);
    let histories = all(1, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        history(&world, &accepted, |_| {}).await;
        let muted = world.lock().counts(CHANNEL).muted;
        assert_eq!(world.lock().muted_lines(), [""; 0]);
        world.lock().rules.insert(CHANNEL, rules(Vec::new(), Vec::new()));
        while !live(&world).await {}
        // A process that died may have left the line to this one.
        while !live(&world).await {}
        let world = world.lock();
        world.check_places(&accepted, &["quiet"]);
        let lines = world.muted_lines();
        assert!(lines.len() <= 1, "{lines:?}");
        if muted > 0 && world.unlucky == 0 && world.dead().is_empty() {
            let words = if muted == 1 {
                "1 alert was muted".to_owned()
            } else {
                format!("{muted} alerts were muted")
            };
            assert!(lines.first().is_none_or(|line| line.starts_with(&words)), "{lines:?}");
        }
        let marks =
            world.buckets.iter().filter(|((_, key), (_, value))| key.ends_with(".muted") && value.is_some());
        assert_eq!(marks.count(), 0, "the note is left");
    });
    assert!(histories > 20, "{histories}");
}

#[test]
fn changes_of_an_issue_follow_its_messages() {
    let news = Alert { project: "web".to_owned(), ..event(1, "alpha") };
    let changes = [change(2, "alpha", "issue.resolved"), change(3, "alpha", "issue.unresolved")]
        .map(|change| Alert { project: "web".to_owned(), ..change });
    let histories = all(1, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        world.accept(&news);
        while !live(&world).await {
            world.lock().copy_ids.clear();
        }
        // No rule sends them there any more.
        world.lock().rules.insert(CHANNEL, rules(Vec::new(), Vec::new()));
        history(&world, &changes, |world| world.copy_ids.clear()).await;
        let world = world.lock();
        let accepted: Vec<Alert> = [news.clone()].into_iter().chain(changes.clone()).collect();
        world.check_changes(&accepted);
        if !world.choices.had_evil() {
            assert_eq!(world.found(std::slice::from_ref(&news))["alpha"].target, 1, "the news");
            let at_home = world.messages.values().filter(|message| message.channel == CHANNEL).count();
            assert_eq!(at_home, 0, "the home shows changes of what it does not show");
        }
    });
    assert!(histories > 20, "{histories}");
}
