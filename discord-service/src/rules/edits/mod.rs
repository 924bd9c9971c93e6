//! Changes of a channel's rules and mutes. Pure: [`Rulebook`](super::Rulebook) makes
//! them in the store.

use super::{ChannelRules, Conditions, MAX_TEXT, MOST, Mute, MuteScope, Rule};

/// Why a rule was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleRefusal {
    /// There are as many as a channel may have.
    #[error("a channel has at most {MOST} rules")]
    Full,
    /// The rule with this number is the same.
    #[error("rule {0} is the same")]
    Duplicate(usize),
}

/// As many mutes run as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a channel has at most {MOST} mutes")]
pub struct TooManyMutes;

/// The text names no issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an issue is named by its number, or by its short id, such as BACKEND-1F")]
pub struct InvalidIssue;

/// The number of the first rule that takes all that such conditions could match. A rule
/// after it with these conditions would never decide anything.
pub fn shadowed_by(rules: &[Rule], conditions: &Conditions) -> Option<usize> {
    (1..).zip(rules).find(|(_, rule)| rule.conditions.cover(conditions)).map(|(number, _)| number)
}

impl ChannelRules {
    /// Adds a rule after all others and returns its number. Its id grows with the time at
    /// which it was made.
    ///
    /// # Errors
    /// [`RuleRefusal`] says why not.
    pub fn add_rule(&mut self, rule: Rule) -> Result<usize, RuleRefusal> {
        let is_same = |other: &Rule| {
            (&other.conditions, other.action, other.ping) == (&rule.conditions, rule.action, rule.ping)
        };
        if let Some(same) = self.rules.iter().position(is_same) {
            return Err(RuleRefusal::Duplicate(same + 1));
        }
        if self.rules.len() >= MOST {
            return Err(RuleRefusal::Full);
        }
        // Counts outlive lost rules. So no id of those comes again.
        self.last_rule = (self.last_rule + 1).max(rule.made_ms.max(0).unsigned_abs());
        self.rules.push(Rule { id: self.last_rule, ..rule });
        Ok(self.rules.len())
    }

    /// Removes the rule with this number and returns it, if there is one.
    pub fn remove_rule(&mut self, number: usize) -> Option<Rule> {
        let place = self.place(number)?;
        Some(self.rules.remove(place))
    }

    /// Moves the rule with this number to this position, or to the end of the list that
    /// is nearest to it. Returns the rule's new number, if there is such a rule.
    pub fn move_rule(&mut self, number: usize, position: usize) -> Option<usize> {
        let rule = self.remove_rule(number)?;
        let place = position.saturating_sub(1).min(self.rules.len());
        self.rules.insert(place, rule);
        Some(place + 1)
    }

    /// Adds a mute under a number of its own, which it returns. Forgets those that have
    /// ended when it was made.
    ///
    /// # Errors
    /// [`TooManyMutes`] when as many run as may.
    pub fn add_mute(&mut self, mute: Mute) -> Result<u64, TooManyMutes> {
        self.mutes.retain(|other| other.runs(mute.made_ms));
        if self.mutes.len() >= MOST {
            return Err(TooManyMutes);
        }
        self.last_mute += 1;
        self.mutes.push(Mute { number: self.last_mute, ..mute });
        Ok(self.last_mute)
    }

    /// Removes the mute with this number and returns it, if there is one. It may have
    /// ended.
    pub fn remove_mute(&mut self, number: u64) -> Option<Mute> {
        let place = self.mutes.iter().position(|mute| mute.number == number)?;
        Some(self.mutes.remove(place))
    }

    fn place(&self, number: usize) -> Option<usize> {
        number.checked_sub(1).filter(|place| *place < self.rules.len())
    }
}

impl MuteScope {
    /// One issue, by the number or short id that somebody typed.
    ///
    /// # Errors
    /// [`InvalidIssue`] when it can be neither.
    pub fn issue(text: &str) -> Result<Self, InvalidIssue> {
        let text = text.trim();
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        // A project's name or the number of something else mutes nothing.
        let is_short_id = text.bytes().all(allowed) && text.trim_matches('-').contains('-');
        let is_id = (1..=MAX_TEXT.into()).contains(&text.len()) && (is_number || is_short_id);
        if is_id { Ok(Self::Issue(text.to_owned())) } else { Err(InvalidIssue) }
    }
}

#[cfg(test)]
mod tests;
