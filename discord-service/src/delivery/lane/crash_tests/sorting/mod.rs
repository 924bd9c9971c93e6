//! Rules and mutes: every accepted alert ends in exactly one place, and the counts
//! are exact, whatever dies and whenever rules change.

mod beside;
mod changes;
mod closed;
mod full;
mod hops;
mod mutes;
mod storm;
mod unfinished;

use std::{collections::BTreeMap, sync::Arc};

use shared::{Alert, ChannelId, UserId};

use super::{
    CHANNEL, event, lane, services,
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
    Arc::new(ChannelRules { v: 1, rules, mutes, last_rule, last_mute, commands: Vec::new() })
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
        let lines = self.messages.values().flat_map(|message| message.content.lines());
        lines.filter(|content| content.contains("muted")).collect()
    }
}
