//! Shows changes of issues by editing the messages about them.
//!
//! The edit follows from what the messages show and which changes wait, so a
//! successor finds the same edit. A repeated edit does no harm.

use std::collections::BTreeSet;

use shared::GuildId;

use super::{Lane, interruption::Interruption, permission::mention_cause};
use crate::{
    delivery::{
        backlog::{Group, newest},
        fold::Class,
        issue::{IssueKey, Issues},
        messages::ShownMessage,
        record::{Content, Mention, Record},
    },
    render::Change,
};

/// A change that waits.
#[derive(Debug)]
pub(super) struct WaitingChange {
    pub(super) issue: IssueKey,
    pub(super) class: Class,
    pub(super) group: Group,
    pub(super) change: Change,
    mention: Option<Mention>,
}

/// An edit of one message.
#[derive(Debug)]
pub(super) struct EditPlan {
    pub(super) message: u64,
    /// What the message shows after it.
    pub(super) shown: ShownMessage,
    /// The alerts that it shows.
    pub(super) told: BTreeSet<u64>,
}

impl EditPlan {
    /// The edit of the issue's first message that does not show the changes
    /// yet. Only the edit of the last such message ends the alerts.
    pub(super) fn of(messages: Vec<(u64, ShownMessage)>, changes: &[WaitingChange]) -> Option<Self> {
        let mut outdated = messages
            .into_iter()
            .filter_map(|(id, mut shown)| add(&mut shown, changes).then_some((id, shown)));
        let (message, shown) = outdated.next()?;
        let told = if outdated.next().is_none() { told_by_edit(changes).collect() } else { BTreeSet::new() };
        Some(Self { message, shown, told })
    }

    /// Adds changes of other issues for which this is the only message.
    pub(super) fn join(&mut self, changes: &[WaitingChange]) {
        add(&mut self.shown, changes);
        self.told.extend(told_by_edit(changes));
    }
}

fn add(shown: &mut ShownMessage, changes: &[WaitingChange]) -> bool {
    changes.iter().fold(false, |news, waiting| shown.add(&waiting.issue, &waiting.change) | news)
}

/// The changes that need only the edit. An issue that is back also gets a post,
/// later.
fn told_by_edit(changes: &[WaitingChange]) -> impl Iterator<Item = u64> {
    let told = changes.iter().filter(|waiting| waiting.class == Class::Change);
    told.flat_map(|waiting| waiting.group.sequences.iter().copied())
}

/// Since when the first and the last of them wait.
fn since_ms(changes: &[WaitingChange]) -> (i64, i64) {
    let since = || changes.iter().map(|waiting| waiting.group.since_ms);
    let first = since().map(|(first, _)| first).min().unwrap_or_default();
    let last = since().map(|(_, last)| last).max().unwrap_or_default();
    (first, last)
}

impl Lane<'_> {
    /// The next edit. `None` if the messages show all changes already, or are
    /// gone.
    pub(super) async fn compose_edit(&mut self, guild: GuildId) -> Result<Option<Record>, Interruption> {
        let Some(issue) = self.schedule.edits.next(self.inbox.backlog()) else { return Ok(None) };
        let Some(ids) = self.schedule.edits.messages(&issue) else { return Ok(None) };
        let mut messages = Vec::new();
        for message in ids {
            let shown = self.services.messages.shown(self.channel, message).await?;
            // Another build may have indexed something else under this id.
            let shown = shown.filter(|shown| shown.of_issue(&issue).is_some());
            messages.extend(shown.map(|shown| (message, shown)));
        }
        if messages.is_empty() {
            // The messages about it are gone, so its next change is posted.
            self.services.messages.forget_issue(self.channel, &issue).await?;
            self.schedule.edits.forget(&issue);
            return Ok(None);
        }
        let mut changes = self.waiting_changes([issue].into_iter().collect(), guild).await?;
        let Some(mut plan) = EditPlan::of(messages, &changes) else {
            self.shown_already(issue, changes).await?;
            return Ok(None);
        };
        let others = self.schedule.edits.only_in(plan.message);
        let others = others.filter(|other| !other.is(&issue) && plan.shown.of_issue(other).is_some());
        let others = others.copied().collect();
        let others = self.waiting_changes(others, guild).await?;
        plan.join(&others);
        changes.extend(others);
        Ok(Some(self.edit_record(plan, changes)))
    }

    fn edit_record(&self, plan: EditPlan, changes: Vec<WaitingChange>) -> Record {
        let since_ms = since_ms(&changes);
        let admissions = changes.iter().flat_map(|waiting| &waiting.group.admissions);
        let admissions = newest(admissions.map(|(on, received_ms)| (on, *received_ms)));
        let content = Content {
            sequences: plan.told,
            admissions,
            since_ms,
            body: plan.shown.body(&self.services.style),
            mentions: changes.into_iter().filter_map(|waiting| waiting.mention).collect(),
            ..Content::default()
        };
        Record::new(content).editing(plan.message).showing(plan.shown)
    }

    /// The waiting changes of these issues. Changes whose mention is not
    /// allowed become dead letters, as they would for a post.
    async fn waiting_changes(
        &mut self,
        issues: Issues,
        guild: GuildId,
    ) -> Result<Vec<WaitingChange>, Interruption> {
        let mut changes = Vec::new();
        for (issue, class, group) in self.inbox.backlog().changes_of(&issues) {
            let Some(alert) = self.inbox.alert(group.latest).await? else {
                // Somebody else has removed it from the stream.
                self.inbox.backlog_mut().remove(&BTreeSet::from([group.latest]));
                continue;
            };
            let mention = alert.mention.as_ref();
            if let Some(cause) = mention_cause(self.services, guild, mention, &alert.project).await? {
                self.bury(&group.sequences, &cause).await?;
                continue;
            }
            let mention = alert.mention.map(|user| Mention { user, project: alert.project.clone() });
            let change = Change::of(&alert);
            changes.extend(change.map(|change| WaitingChange { issue, class, group, change, mention }));
        }
        Ok(changes)
    }

    /// Ends changes that the messages show already, or newer ones.
    async fn shown_already(&mut self, issue: IssueKey, changes: Vec<WaitingChange>) -> anyhow::Result<()> {
        let told: BTreeSet<u64> = told_by_edit(&changes).collect();
        if told.is_empty() {
            self.inbox.backlog_mut().post_oldest_change(issue);
            return Ok(());
        }
        metrics::counter!("sentry_bot_alerts_posted_total").increment(told.len() as u64);
        let content = Content { sequences: told, since_ms: since_ms(&changes), ..Content::default() };
        let record = Record::new(content);
        // This replaces the record of an unconfirmed edit that showed more
        // changes.
        self.journal.write(&record).await?;
        self.confirm(record, None).await
    }
}
