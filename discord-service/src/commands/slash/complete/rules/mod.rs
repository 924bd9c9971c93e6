//! Completions for rules and mutes: names that a channel's alerts have had, and numbers
//! with what they stand for.

use shared::{ChannelId, text::cut};

use super::{Asker, Choice, ChoiceValue, CommandError, Commands, MAX_CHOICES, MAX_NAME, choice, fitting};
use crate::{
    commands::rules::without_markup,
    rules::{Rule, words},
};

/// The known names that contain what is typed so far. What is typed comes first: it may
/// be a pattern, or a name that no alert has had yet.
pub(super) fn names(known: Vec<String>, typed: &str) -> Vec<Choice> {
    let typed = cut(typed.trim(), MAX_NAME);
    let is_new = !typed.is_empty() && !known.contains(&typed);
    let known = known.into_iter().map(|name| choice(name.clone(), name)).collect();
    let mut choices = fitting(known, &typed);
    if is_new {
        choices.truncate(MAX_CHOICES - 1);
        choices.insert(0, choice(typed.clone(), typed));
    }
    choices
}

impl Commands {
    /// The rules of the channel, in their order.
    pub(super) async fn rule_numbers(
        &self,
        by: Asker,
        home: ChannelId,
        typed: &str,
    ) -> Result<Vec<Choice>, CommandError> {
        let rules = self.store.rules(home).await?;
        let targets: Vec<ChannelId> = rules.rules.iter().filter_map(Rule::target).collect();
        let mut named = Vec::new();
        for channel in self.facts.named(by.guild, &targets).await?.0 {
            // The name of a hidden channel is nobody's business.
            if self.manages_messages(by, &channel).await? {
                named.push(channel);
            }
        }
        let words = rules.rules.iter().map(|rule| {
            let words = words::rule(&Rule { ping: None, ..rule.clone() });
            let named = named.iter().find(|channel| Some(channel.id) == rule.target());
            named.map_or(words.clone(), |channel| {
                words.replace(&format!("<#{}>", channel.id), &format!("#{}", channel.name))
            })
        });
        Ok(numbered((1..).zip(words), typed))
    }

    /// The mutes of the channel, the oldest first. Some may have ended.
    pub(super) async fn mute_numbers(
        &self,
        home: ChannelId,
        typed: &str,
    ) -> Result<Vec<Choice>, CommandError> {
        let rules = self.store.rules(home).await?;
        let words = rules.mutes.iter().map(|mute| {
            let reason = mute.reason.as_ref().map(|reason| format!(" ({reason})"));
            (mute.number, words::scope(&mute.scope) + &reason.unwrap_or_default())
        });
        Ok(numbered(words, typed))
    }
}

fn numbered(words: impl Iterator<Item = (u64, String)>, typed: &str) -> Vec<Choice> {
    let choices = words.map(|(number, words)| {
        let name = cut(&format!("{number}: {}", without_markup(&words)), MAX_NAME);
        Choice { name, value: ChoiceValue::Number(number) }
    });
    fitting(choices.collect(), typed)
}

#[cfg(test)]
mod tests;
