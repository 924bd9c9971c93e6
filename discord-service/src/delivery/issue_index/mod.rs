//! The index of issues: the messages of Discord that are kept up to date about
//! each.

use serde::{Deserialize, Serialize};

use super::issue::IssueKey;

/// The version of the index. An entry with another version counts as unknown.
const VERSION: u32 = 2;
/// The most issues under one id. The oldest are dropped first.
const SAME_ID: usize = 16;

/// The messages in which an issue is kept up to date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IssueMessages {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organization: Option<u64>,
    /// The first about the issue, and the newest which said that it is back.
    pub(crate) messages: Vec<u64>,
}

impl IssueMessages {
    /// The entry of the issue, with these messages.
    pub(super) const fn new(issue: &IssueKey, messages: Vec<u64>) -> Self {
        Self { project: issue.project, organization: issue.organization, messages }
    }

    /// Adds a newer message about the issue. Returns whether it was not there
    /// yet.
    fn add(&mut self, issue: &IssueKey, message: u64) -> bool {
        let Some(first) = self.messages.first().copied() else { return false };
        if self.messages.contains(&message) {
            return false;
        }
        self.messages = vec![first, message];
        self.project = self.project.or(issue.project);
        self.organization = self.organization.or(issue.organization);
        true
    }
}

/// The issues under one id. There is seldom more than one, because ids are
/// unique within one Sentry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SameId {
    v: u32,
    issues: Vec<IssueMessages>,
}

impl Default for SameId {
    fn default() -> Self {
        Self { v: VERSION, issues: Vec::new() }
    }
}

impl SameId {
    /// Whether a build that understands the same index wrote it.
    pub(super) const fn is_known(&self) -> bool {
        self.v == VERSION
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.issues.is_empty()
    }

    /// Removes and returns the entry at this [`SameId::position`].
    pub(super) fn remove(&mut self, position: usize) -> IssueMessages {
        self.issues.remove(position)
    }

    /// The position of the issue's entry. An exact match is better than a
    /// possible one.
    pub(super) fn position(&self, issue: &IssueKey) -> Option<usize> {
        let exact = |entry: &IssueMessages| {
            (entry.project, entry.organization) == (issue.project, issue.organization)
        };
        let may_be = |entry: &IssueMessages| issue.agrees(entry.project, entry.organization);
        self.issues.iter().position(exact).or_else(|| self.issues.iter().position(may_be))
    }

    /// Adds a message about the issue if it is the first, or if `is_news`.
    /// Returns whether that changed anything.
    pub(super) fn add(&mut self, issue: &IssueKey, message: u64, is_news: bool) -> bool {
        match self.position(issue).and_then(|position| self.issues.get_mut(position)) {
            Some(entry) => is_news && entry.add(issue, message),
            None => {
                self.issues.push(IssueMessages::new(issue, vec![message]));
                let surplus = self.issues.len().saturating_sub(SAME_ID);
                self.issues.drain(..surplus);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests;
