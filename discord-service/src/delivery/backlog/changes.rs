//! Changes of issues, and when they become posts.

use super::{Backlog, Group};
use crate::delivery::{
    fold::Class,
    issue::{IssueKey, Issues},
};

impl Backlog {
    /// The issues with waiting changes, oldest first, and the class of each
    /// change.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (IssueKey, Class)> {
        let changes = self.classed(|class| class != Class::News);
        changes.filter_map(|(_, waiting)| Some((waiting.issue?, waiting.class)))
    }

    /// The changes of these issues, oldest first.
    pub(crate) fn changes_of(&self, issues: &Issues) -> Vec<(IssueKey, Class, Group)> {
        let changes = self.classed(|class| class != Class::News);
        let wanted = changes.filter_map(|(head, waiting)| {
            let issue = waiting.issue.filter(|issue| issues.contains(issue))?;
            Some((issue, waiting.class, self.group(head)?))
        });
        wanted.collect()
    }

    /// The issues with a waiting post.
    pub(crate) fn issues_to_post(&self) -> Issues {
        self.classed(|class| class == Class::News).filter_map(|(_, waiting)| waiting.issue).collect()
    }

    /// Makes a post of the issue's oldest change, because no message to edit is
    /// known, or all are edited already.
    pub(crate) fn post_oldest_change(&mut self, issue: IssueKey) {
        let oldest = self.classed(|class| class != Class::News);
        let oldest = oldest.filter(|(_, waiting)| waiting.is_about(&issue)).take(1);
        self.post(oldest.map(|(head, _)| head).collect());
    }

    /// Makes only a post of the issue's return, because no edit is possible for
    /// now.
    pub(crate) fn post_returns(&mut self, issue: IssueKey) {
        let returns = self.classed(|class| class == Class::Return);
        let returns = returns.filter(|(_, waiting)| waiting.is_about(&issue));
        self.post(returns.map(|(head, _)| head).collect());
    }

    /// Makes posts of all the issue's changes that wait for an edit, because
    /// edits fail.
    pub(crate) fn post_changes(&mut self, issue: IssueKey) {
        let changes = self.classed(|class| class != Class::News);
        let changes = changes.filter(|(_, waiting)| waiting.is_about(&issue));
        self.post(changes.map(|(head, _)| head).collect());
    }

    fn post(&mut self, heads: Vec<u64>) {
        for head in heads {
            for sequence in self.group(head).into_iter().flat_map(|group| group.sequences) {
                let Some(waiting) = self.waiting.get_mut(&sequence) else { continue };
                if self.quiet.contains(&sequence) {
                    self.embeds.remove(waiting.key, sequence);
                    self.hushed.insert(sequence);
                } else {
                    waiting.class = Class::News;
                }
            }
        }
    }
}
