//! Changes of issues, told by an edit of the messages about them.
//!
//! What is to be edited follows from what the messages show and what waits, so
//! that a successor finds the same. An edit is repeated without harm.

use std::{collections::BTreeSet, time::Duration};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use shared::GuildId;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{
    backlog::{Group, newest},
    backoff::Backoff,
    fold::Class,
    issue::{IssueKey, Issues},
    lane::{Interruption, Lane},
    messages::{Entry, Shown},
    record::{Mention, Record},
};
use crate::{
    discord::{DiscordError, Refusal},
    render::Change,
};

/// Issues that are looked up at once.
const IN_FLIGHT: usize = 64;

/// A change is posted whose edit failed for so long.
const EDIT_FAILS: Duration = Duration::from_secs(60);

/// News waits so long for an edit.
const NEWS_WAITS: Duration = Duration::from_secs(5);

/// What a lane does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Post,
    Edit,
}

/// A message whose edit is not confirmed.
#[derive(Debug)]
pub(super) struct Trouble {
    since: Instant,
    retry_at: Instant,
    backoff: Backoff,
}

/// A change that waits.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) issue: IssueKey,
    pub(crate) class: Class,
    pub(crate) group: Group,
    pub(crate) change: Change,
    mention: Option<Mention>,
}

/// An edit of one message.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) message: u64,
    /// What it shows then.
    pub(crate) shown: Shown,
    /// The alerts that are told with it.
    pub(crate) told: BTreeSet<u64>,
}

impl Plan {
    /// The first of an issue's messages to which its changes make a difference.
    /// They are told when that is the last of them.
    pub(crate) fn of(messages: Vec<(u64, Shown)>, changes: &[Waiting]) -> Option<Self> {
        let mut outdated = messages
            .into_iter()
            .filter_map(|(id, mut shown)| add(&mut shown, changes).then_some((id, shown)));
        let (message, shown) = outdated.next()?;
        let told = if outdated.next().is_none() { told_by_edit(changes).collect() } else { BTreeSet::new() };
        Some(Self { message, shown, told })
    }

    /// Changes of other issues for which this is the only message.
    pub(crate) fn join(&mut self, changes: &[Waiting]) {
        add(&mut self.shown, changes);
        self.told.extend(told_by_edit(changes));
    }
}

fn add(shown: &mut Shown, changes: &[Waiting]) -> bool {
    changes.iter().fold(false, |news, waiting| shown.add(&waiting.issue, &waiting.change) | news)
}

/// An issue that is back is posted as well, after this.
fn told_by_edit(changes: &[Waiting]) -> impl Iterator<Item = u64> {
    let told = changes.iter().filter(|waiting| waiting.class == Class::Change);
    told.flat_map(|waiting| waiting.group.sequences.iter().copied())
}

/// Since when the first and the last of them wait.
fn since_ms(changes: &[Waiting]) -> (i64, i64) {
    let since = || changes.iter().map(|waiting| waiting.group.since_ms);
    let first = since().map(|(first, _)| first).min().unwrap_or_default();
    let last = since().map(|(_, last)| last).max().unwrap_or_default();
    (first, last)
}

impl Lane<'_> {
    /// What can be done next; `None` after it had to wait for Discord's limits:
    /// meanwhile more may have come. What is news waits for no edit.
    pub(super) async fn next_work(&mut self, wakes: &mut mpsc::Receiver<()>) -> anyhow::Result<Option<Work>> {
        self.sort_changes().await?;
        self.post_what_is_back_now();
        let (post, edit) = (self.backlog.embeds_to_post().next().is_some(), self.next_edit().is_some());
        let held = self.held_until().filter(|_| post);
        let around = self.around;
        let posting = around.discord.until_free(self.channel);
        let editing = around.discord.until_edit_free(self.channel);
        tokio::pin!(posting, editing);
        let free = post && futures::poll!(&mut posting).is_ready();
        if free && held.is_none() {
            return Ok(Some(Work::Post));
        }
        if edit && futures::poll!(&mut editing).is_ready() {
            return Ok(Some(Work::Edit));
        }
        if let Some(until) = held.filter(|_| free) {
            self.hold(until).await;
            return Ok(None);
        }
        let held_edits = self.edits_held_until();
        let woken = tokio::select! {
            () = posting, if post => false,
            () = editing, if edit => false,
            () = sleep_until(held_edits.unwrap_or_else(Instant::now)), if held_edits.is_some() => false,
            Some(()) = wakes.recv(), if !post => true,
            () = around.shutdown.cancelled() => false,
        };
        if woken {
            self.look_again().await?;
        }
        Ok(None)
    }

    /// Looks up for each issue of which a change waits whether it is known where
    /// it was told of. Where it is not, its oldest change is posted and the
    /// others wait for that, as they wait for a post of the issue that is due.
    async fn sort_changes(&mut self) -> anyhow::Result<()> {
        let unknown: BTreeSet<IssueKey> = self.backlog.changes().map(|(issue, _)| issue).collect();
        self.known.retain(|issue, _| unknown.contains(issue));
        let unknown = unknown.into_iter().filter(|issue| !self.known.contains_key(issue));
        let unknown: Vec<IssueKey> = unknown.collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let mut due = self.backlog.issues_to_post();
        let (messages, channel) = (&self.around.messages, self.channel);
        let look_ups = unknown.into_iter().filter(|issue| !due.contains(issue));
        let look_ups =
            look_ups.map(|issue| async move { anyhow::Ok((issue, messages.entry(channel, &issue).await?)) });
        let look_ups: Vec<_> = look_ups.collect();
        let found: Vec<(IssueKey, Option<Entry>)> =
            stream::iter(look_ups).buffered(IN_FLIGHT).try_collect().await?;
        for (issue, entry) in found {
            match entry {
                Some(entry) => {
                    self.known.insert(issue, entry);
                }
                // It may be the same issue as one before it, told of with less.
                None if due.contains(&issue) => {}
                None => {
                    self.backlog.post_oldest_change(issue);
                    due.insert(issue);
                }
            }
        }
        Ok(())
    }

    /// Until when the first edit waits of those that must not go now.
    fn edits_held_until(&self) -> Option<Instant> {
        let retries = self.troubles.values().map(|trouble| trouble.retry_at);
        let held = retries.chain(self.too_old.map(|(_, until)| until));
        held.filter(|until| *until > Instant::now()).min()
    }

    /// Until when one of the issue's messages is not tried again, after an edit that
    /// was not confirmed.
    fn trouble_until(&self, entry: &Entry) -> Option<Instant> {
        entry.messages.iter().filter_map(|message| Some(self.troubles.get(message)?.retry_at)).max()
    }

    /// An edit was not confirmed. It is tried again beside posts; once it has failed
    /// for a minute, what it was to tell is posted.
    pub(super) fn edit_failed(&mut self, record: &Record, message: u64, unsure: bool, error: &DiscordError) {
        let now = Instant::now();
        if unsure {
            self.unsure.extend(record.sequences());
        }
        let trouble = self.troubles.entry(message).or_insert_with(|| Trouble {
            since: now,
            retry_at: now,
            backoff: Backoff::new(Duration::from_millis(250), Duration::from_secs(15)),
        });
        metrics::counter!("sentry_bot_post_retries_total").increment(1);
        if now.duration_since(trouble.since) < EDIT_FAILS {
            trouble.retry_at = now + trouble.backoff.next();
            tracing::debug!(channel.id = %self.channel, message.id = message, "an edit is not confirmed yet: {error}");
            return;
        }
        self.troubles.remove(&message);
        tracing::warn!(channel.id = %self.channel, message.id = message, "an edit failed for a minute, so that its changes are posted: {error}");
        let of_message = self.known.iter().filter(|(_, entry)| entry.messages.contains(&message));
        for issue in of_message.map(|(issue, _)| *issue).collect::<Vec<_>>() {
            self.backlog.post_changes(issue);
        }
    }

    /// Until when the issue's messages are too old to be edited, if they are.
    fn too_old_until(&self, entry: &Entry) -> Option<Instant> {
        let (newest, until) = self.too_old.filter(|(_, until)| *until > Instant::now())?;
        entry.messages.iter().any(|message| *message <= newest).then_some(until)
    }

    /// That an issue is back is news, which waits only for a moment for the edit of
    /// what was told before.
    fn post_what_is_back_now(&mut self) {
        self.too_old = self.too_old.filter(|(_, until)| *until > Instant::now());
        let free_at = self.around.discord.edit_free_at(self.channel);
        let late = Instant::now() + NEWS_WAITS;
        let back = self.backlog.changes().filter(|(issue, class)| {
            let entry = self.known.get(issue).filter(|_| *class == Class::Return);
            entry.is_some_and(|entry| {
                self.trouble_until(entry).is_some()
                    || free_at.max(self.too_old_until(entry).unwrap_or(free_at)) > late
            })
        });
        for issue in back.map(|(issue, _)| issue).collect::<BTreeSet<_>>() {
            self.backlog.post_returns(issue);
        }
    }

    /// The issue whose messages are edited next: one that is back before others,
    /// since its post waits for that.
    fn next_edit(&self) -> Option<IssueKey> {
        let editable = |issue: &IssueKey| {
            self.known.get(issue).is_some_and(|entry| {
                let waits = self.trouble_until(entry).is_some_and(|until| until > Instant::now());
                !waits && self.too_old_until(entry).is_none()
            })
        };
        let changes = || self.backlog.changes().filter(|(issue, _)| editable(issue));
        let back = changes().find(|(_, class)| *class == Class::Return);
        back.or_else(|| changes().next()).map(|(issue, _)| issue)
    }

    /// One edit, or one reason why there is none.
    pub(super) async fn edit(&mut self, guild: GuildId) -> Result<(), Interruption> {
        let Some(issue) = self.next_edit() else { return Ok(()) };
        let Some(entry) = self.known.get(&issue).cloned() else { return Ok(()) };
        let mut messages = Vec::new();
        for message in entry.messages {
            let shown = self.around.messages.shown(self.channel, message).await?;
            messages.extend(shown.map(|shown| (message, shown)));
        }
        if messages.is_empty() {
            // What it was told in is gone: what comes is told anew.
            self.around.messages.forget_issue(self.channel, &issue).await?;
            self.known.remove(&issue);
            return Ok(());
        }
        let mut changes = self.waiting_changes([issue].into_iter().collect(), guild).await?;
        let Some(mut plan) = Plan::of(messages, &changes) else {
            return Ok(self.told_already(issue, changes).await?);
        };
        let others = self.known.iter().filter(|(other, entry)| {
            entry.messages == [plan.message] && !other.is(&issue) && plan.shown.of_issue(other).is_some()
        });
        let others = others.map(|(other, _)| *other).collect();
        let others = self.waiting_changes(others, guild).await?;
        plan.join(&others);
        changes.extend(others);
        let record = self.edit_record(plan, changes);
        self.journal.write(&record).await?;
        self.deliver(record, false).await
    }

    fn edit_record(&self, plan: Plan, changes: Vec<Waiting>) -> Record {
        let since_ms = since_ms(&changes);
        let trusts = changes.iter().flat_map(|waiting| &waiting.group.trusts);
        let trusts = newest(trusts.map(|(trust, received_ms)| (trust, *received_ms)));
        let body = plan.shown.body(&self.around.style);
        let mentions = changes.into_iter().filter_map(|waiting| waiting.mention).collect();
        Record::new(&plan.told, mentions, trusts.into_iter().collect(), since_ms, 0, false, body)
            .editing(plan.message)
            .showing(plan.shown)
    }

    /// The changes of these issues that wait. Those that mention somebody whom
    /// they may not become dead letters, as if they were to be posted.
    async fn waiting_changes(
        &mut self,
        issues: Issues,
        guild: GuildId,
    ) -> Result<Vec<Waiting>, Interruption> {
        let mut changes = Vec::new();
        for (issue, class, group) in self.backlog.changes_of(&issues) {
            let Some(alert) = self.alert(group.latest).await? else {
                // Removed from the stream by somebody else.
                self.backlog.remove(&BTreeSet::from([group.latest]));
                continue;
            };
            if let Some(cause) = self.mention_cause(guild, alert.mention.as_ref(), &alert.project).await? {
                self.bury(&group.sequences, &cause).await?;
                continue;
            }
            let mention = alert.mention.map(|user| Mention { user, project: alert.project.clone() });
            let change = Change::of(&alert);
            changes.extend(change.map(|change| Waiting { issue, class, group, change, mention }));
        }
        Ok(changes)
    }

    /// The messages show all this, or something newer.
    async fn told_already(&mut self, issue: IssueKey, changes: Vec<Waiting>) -> anyhow::Result<()> {
        let told: BTreeSet<u64> = told_by_edit(&changes).collect();
        if told.is_empty() {
            self.backlog.post_oldest_change(issue);
            return Ok(());
        }
        metrics::counter!("sentry_bot_alerts_posted_total").increment(told.len() as u64);
        let (mentions, trusts) = (BTreeSet::new(), Vec::new());
        let nothing = serde_json::Value::Null;
        let record = Record::new(&told, mentions, trusts, since_ms(&changes), 0, false, nothing);
        // Over the record of an edit that was not confirmed and told more than this.
        self.journal.write(&record).await?;
        self.confirm(record, None).await
    }

    /// Discord refused an edit. Unless the channel is closed, the message is, and
    /// what it was to show is posted.
    pub(super) async fn refused_edit(
        &mut self,
        record: &Record,
        message: u64,
        refused: &DiscordError,
        repeated: bool,
    ) -> anyhow::Result<()> {
        if refused.refusal() == Some(Refusal::Channel) {
            return self.refused_channel(record, refused, repeated).await;
        }
        self.troubles.remove(&message);
        tracing::info!(channel.id = %self.channel, message.id = message, "a message cannot be edited any more: {refused}");
        self.around.messages.forget_message(self.channel, message).await
    }
}
