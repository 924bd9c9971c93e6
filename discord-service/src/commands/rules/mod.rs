//! `rule …`, `mute` and `unmute`: what a channel does with its new alerts.
//!
//! Every change is one compare-and-set in the store, and a line in the log.

mod add;
mod check;
mod mute;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
    sync::OnceLock,
    time::Duration,
};

use chrono::Utc;
use futures::{StreamExt as _, stream};
use shared::ChannelId;
use tokio::time::timeout;

pub(super) use self::mute::UnmuteButton;
use super::{
    Asker, CommandError, Commands,
    parse::{RulesCommand, RulesRequest},
    replies::{self, KeptRules, Reply, TargetProblem},
};
use crate::{
    guilds::{Channel, ChannelArgument},
    rules::{ChannelRules, Rule, shadowed_by, words},
};

/// How long the homes of a target are looked for, and how many are read at once.
const HOMES_FOUND: Duration = Duration::from_secs(2);
const READS_AT_ONCE: usize = 8;

impl Commands {
    /// Carries out a command of somebody who manages messages in this channel.
    pub(super) async fn rules(&self, by: Asker, command: RulesCommand) -> Result<Reply, CommandError> {
        let RulesCommand { home, request } = command;
        let home = match self.postable(by, &home.unwrap_or(ChannelArgument::Id(by.channel))).await? {
            Ok(home) => home,
            Err(refusal) => return Ok(refusal),
        };
        let id = home.id;
        let reply = match request {
            RulesRequest::List => self.list_rules(by, id).await,
            RulesRequest::Add(rule) => self.add_rule(by, &home, rule).await,
            RulesRequest::Remove(number) => self.remove_rule(by, id, number).await,
            RulesRequest::Move { number, position } => self.move_rule(by, id, number, position).await,
            RulesRequest::Check(alert) => self.check_rules(by, id, &alert).await,
            RulesRequest::Mute(mute) => self.mute(by, id, mute).await,
            RulesRequest::Unmute(number) => self.unmute(by, id, number).await,
        }?;
        Ok(if id == by.channel { reply } else { reply.and(&replies::elsewhere(id)) })
    }

    async fn list_rules(&self, by: Asker, home: ChannelId) -> Result<Reply, CommandError> {
        let kept = self.kept_rules(home).await?;
        let problems = self.target_problems(by, home, &kept.rules).await?;
        let counts = self.diagnosis.rule_counts(home).await.map_err(CommandError::Nats)?;
        let now_ms = Utc::now().timestamp_millis();
        Ok(self.replies(by.form).rules(home, &kept, &counts, &problems, now_ms))
    }

    /// The targets of these rules into which no alert gets.
    async fn target_problems(
        &self,
        by: Asker,
        home: ChannelId,
        rules: &ChannelRules,
    ) -> Result<BTreeMap<ChannelId, TargetProblem>, CommandError> {
        let authorized = self.store.channels(by.guild).await?;
        let targets: BTreeSet<ChannelId> = rules.rules.iter().filter_map(Rule::target).collect();
        let mut problems = BTreeMap::new();
        for target in targets {
            if let Some(problem) = self.target_problem(by, home, target, &authorized).await? {
                problems.insert(target, problem);
            }
        }
        Ok(problems)
    }

    /// The homes of the guild whose rules send alerts to this target. None of those that
    /// cannot be read now: no command fails for them.
    pub(super) async fn homes_of(&self, by: Asker, target: ChannelId) -> Vec<ChannelId> {
        let found = async {
            let homes = self.store.channels(by.guild).await.unwrap_or_default();
            let routes = |home| async move {
                let rules = self.store.rules(home).await.ok()?;
                rules.rules.iter().any(|rule| rule.target() == Some(target)).then_some(home)
            };
            stream::iter(homes).map(routes).buffered(READS_AT_ONCE).filter_map(ready).collect().await
        };
        timeout(HOMES_FOUND, found).await.unwrap_or_default()
    }

    async fn remove_rule(&self, by: Asker, home: ChannelId, number: usize) -> Result<Reply, CommandError> {
        let chosen = Chosen::new(number);
        let removed = self.rulebook.change_once(home, by.command, |rules| match chosen.number(rules) {
            Some(number) => rules.remove_rule(number).ok_or(rules.rules.len()),
            None => Err(rules.rules.len()),
        });
        let removed = match removed.await? {
            None => return Ok(self.replies(by.form).done_before()),
            Some(Ok(removed)) => removed,
            Some(Err(rules)) => return Ok(replies::no_such_rule(home, number, rules)),
        };
        self.audit(by, home, "a rule was removed", &words::rule(&removed));
        Ok(replies::rule_removed(number, &removed))
    }

    async fn move_rule(
        &self,
        by: Asker,
        home: ChannelId,
        number: usize,
        position: usize,
    ) -> Result<Reply, CommandError> {
        let chosen = Chosen::new(number);
        let moved = self.rulebook.change_once(home, by.command, |rules| {
            let before = shadowed_ids(rules);
            let moved = chosen.number(rules).and_then(|number| rules.move_rule(number, position));
            moved.map(|place| (place, before, rules.clone())).ok_or(rules.rules.len())
        });
        let (place, before, rules) = match moved.await? {
            None => return Ok(self.replies(by.form).done_before()),
            Some(Ok(moved)) => moved,
            Some(Err(rules)) => return Ok(replies::no_such_rule(home, number, rules)),
        };
        let rule = rules.rules.get(place.saturating_sub(1)).map(words::rule).unwrap_or_default();
        self.audit(by, home, "a rule was moved", &format!("{rule}, from {number} to {place}"));
        // The others were so before.
        let mut new = shadowed(&rules);
        new.retain(|(number, _)| rules.rules.get(number - 1).is_some_and(|rule| !before.contains(&rule.id)));
        Ok(replies::rule_moved(number, place, &new))
    }

    pub(super) async fn kept_rules(&self, channel: ChannelId) -> Result<KeptRules, CommandError> {
        let rules = self.store.rules_now(channel).await?;
        // Delivery finds none either, or it waits because the store lost them.
        let lost = rules.rules.is_empty() && self.store.rules(channel).await.is_err();
        Ok(KeptRules { rules, lost })
    }

    /// Notes in the log who changed what.
    fn audit(&self, by: Asker, home: ChannelId, what: &'static str, words: &str) {
        tracing::info!(
            guild.id = %by.guild, channel.id = %home, user.id = %by.user, rule = without_markup(words), "{what}"
        );
    }
}

/// The rule that somebody chose by its number. If others change the list meanwhile, it
/// is the same rule at another place.
struct Chosen {
    number: usize,
    id: OnceLock<Option<u64>>,
}

impl Chosen {
    const fn new(number: usize) -> Self {
        Self { number, id: OnceLock::new() }
    }

    /// Its number in this list, if it is there.
    fn number(&self, rules: &ChannelRules) -> Option<usize> {
        let index = self.number.checked_sub(1)?;
        let id = (*self.id.get_or_init(|| rules.rules.get(index).map(|rule| rule.id)))?;
        rules.rules.iter().position(|rule| rule.id == id).map(|index| index + 1)
    }
}

/// The numbers of the rules that never decide anything, each with that of the rule which
/// takes all its alerts.
fn shadowed(rules: &ChannelRules) -> Vec<(usize, usize)> {
    let earlier = |index| rules.rules.get(..index).unwrap_or_default();
    let shadow = |(index, rule): (usize, &Rule)| {
        shadowed_by(earlier(index), &rule.conditions).map(|earlier| (index + 1, earlier))
    };
    rules.rules.iter().enumerate().filter_map(shadow).collect()
}

/// The ids of the rules that never decide anything.
fn shadowed_ids(rules: &ChannelRules) -> BTreeSet<u64> {
    let rule = |(number, _): (usize, usize)| rules.rules.get(number - 1).map(|rule| rule.id);
    shadowed(rules).into_iter().filter_map(rule).collect()
}

/// Words for a place that shows no markup.
pub(super) fn without_markup(words: &str) -> String {
    words.replace(['`', '<', '>'], "")
}

#[cfg(test)]
mod tests;
