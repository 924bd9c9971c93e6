//! Which changes of issues can be shown by an edit, and when.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use shared::ChannelId;
use tokio::time::Instant;

use super::services::Services;
use crate::{
    delivery::{
        backlog::Backlog, backoff::Backoff, fold::Class, issue::IssueKey, issue_index::IssueMessages,
    },
    discord::DiscordError,
};

/// How many issues are looked up at once.
const IN_FLIGHT: usize = 64;

/// After an edit has failed for this long, its changes are posted.
const EDIT_FAILS: Duration = Duration::from_secs(60);

/// How long a post waits for the edit of an earlier message.
const NEWS_WAITS: Duration = Duration::from_secs(5);

/// A message whose edit Discord has not confirmed.
#[derive(Debug)]
struct UnconfirmedEdit {
    since: Instant,
    retry_at: Instant,
    backoff: Backoff,
}

/// The messages that need an edit.
pub(super) struct EditSchedule<'a> {
    services: &'a Services,
    channel: ChannelId,
    /// The known messages about each issue with a waiting change.
    known: HashMap<IssueKey, IssueMessages>,
    /// Messages whose edit is not confirmed.
    unconfirmed: HashMap<u64, UnconfirmedEdit>,
    /// The newest message that is too old for another edit, and the end of that
    /// time.
    too_old: Option<(u64, Instant)>,
}

impl<'a> EditSchedule<'a> {
    pub(super) fn new(services: &'a Services, channel: ChannelId) -> Self {
        Self { services, channel, known: HashMap::new(), unconfirmed: HashMap::new(), too_old: None }
    }

    /// Looks up the messages about each issue with a waiting change. If none is
    /// known, the oldest change is posted. The other changes wait for that
    /// post, or for a post of the issue that is due anyway.
    pub(super) async fn sort(&mut self, backlog: &mut Backlog) -> anyhow::Result<()> {
        let issues: BTreeSet<IssueKey> = backlog.changes().map(|(issue, _)| issue).collect();
        self.known.retain(|issue, _| issues.contains(issue));
        let unknown: Vec<IssueKey> =
            issues.into_iter().filter(|issue| !self.known.contains_key(issue)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let mut due = backlog.issues_to_post();
        let (messages, channel) = (&self.services.messages, self.channel);
        let look_ups = unknown.into_iter().filter(|issue| !due.contains(issue));
        let look_ups =
            look_ups.map(|issue| async move { anyhow::Ok((issue, messages.entry(channel, &issue).await?)) });
        let look_ups: Vec<_> = look_ups.collect();
        let found: Vec<(IssueKey, Option<IssueMessages>)> =
            stream::iter(look_ups).buffered(IN_FLIGHT).try_collect().await?;
        for (issue, entry) in found {
            match entry {
                Some(entry) => {
                    self.known.insert(issue, entry);
                }
                // It may be the same issue as an earlier one, with fewer
                // details.
                None if due.contains(&issue) => {}
                None => {
                    backlog.post_oldest_change(issue);
                    due.insert(issue);
                }
            }
        }
        Ok(())
    }

    /// Posts the return of issues. Such a post waits only a moment for the edit
    /// of the earlier message.
    pub(super) fn post_what_is_back(&mut self, backlog: &mut Backlog) {
        self.too_old = self.too_old.filter(|(_, until)| *until > Instant::now());
        let free_at = self.services.discord.edit_free_at(self.channel);
        let late = Instant::now() + NEWS_WAITS;
        let back = backlog.changes().filter(|(issue, class)| {
            let entry = self.known.get(issue).filter(|_| *class == Class::Return);
            entry.is_some_and(|entry| {
                self.retry_at(entry).is_some()
                    || free_at.max(self.too_old_until(entry).unwrap_or(free_at)) > late
            })
        });
        for issue in back.map(|(issue, _)| issue).collect::<BTreeSet<_>>() {
            backlog.post_returns(issue);
        }
    }

    /// The issue whose messages are edited next. An issue that is back comes
    /// first, because its post waits for the edit.
    pub(super) fn next(&self, backlog: &Backlog) -> Option<IssueKey> {
        let editable = |issue: &IssueKey| {
            self.known.get(issue).is_some_and(|entry| {
                let waits = self.retry_at(entry).is_some_and(|until| until > Instant::now());
                !waits && self.too_old_until(entry).is_none()
            })
        };
        let changes = || backlog.changes().filter(|(issue, _)| editable(issue));
        let back = changes().find(|(_, class)| *class == Class::Return);
        back.or_else(|| changes().next()).map(|(issue, _)| issue)
    }

    /// When the first of the edits may be sent that must wait now.
    pub(super) fn held_until(&self) -> Option<Instant> {
        let retries = self.unconfirmed.values().map(|edit| edit.retry_at);
        let held = retries.chain(self.too_old.map(|(_, until)| until));
        held.filter(|until| *until > Instant::now()).min()
    }

    /// The messages about this issue.
    pub(super) fn messages(&self, issue: &IssueKey) -> Option<Vec<u64>> {
        self.known.get(issue).map(|entry| entry.messages.clone())
    }

    /// The issues that only this message is about.
    pub(super) fn only_in(&self, message: u64) -> impl Iterator<Item = &IssueKey> {
        let only = self.known.iter().filter(move |(_, entry)| entry.messages == [message]);
        only.map(|(issue, _)| issue)
    }

    /// Forgets the messages about this issue, because they are gone.
    pub(super) fn forget(&mut self, issue: &IssueKey) {
        self.known.remove(issue);
    }

    /// Notes that Discord has decided on the edit of this message.
    pub(super) fn settled(&mut self, message: u64) {
        self.unconfirmed.remove(&message);
    }

    /// Notes that Discord finds this message too old for another edit before
    /// `until`.
    pub(super) const fn too_old(&mut self, message: u64, until: Instant) {
        self.too_old = Some((message, until));
    }

    /// Notes an unconfirmed edit of this message. It is tried again beside
    /// posts. Once it has failed for a minute, its changes are posted.
    pub(super) fn unconfirmed(&mut self, message: u64, error: &DiscordError, backlog: &mut Backlog) {
        let now = Instant::now();
        let edit = self.unconfirmed.entry(message).or_insert_with(|| UnconfirmedEdit {
            since: now,
            retry_at: now,
            backoff: Backoff::of_requests(),
        });
        metrics::counter!("sentry_bot_post_retries_total").increment(1);
        if now.duration_since(edit.since) < EDIT_FAILS {
            edit.retry_at = now + edit.backoff.next();
            tracing::debug!(message.id = message, "an edit is not confirmed yet: {error}");
            return;
        }
        self.unconfirmed.remove(&message);
        tracing::warn!(
            message.id = message,
            "an edit failed for a minute, so its changes are posted: {error}"
        );
        let of_message = self.known.iter().filter(|(_, entry)| entry.messages.contains(&message));
        of_message.for_each(|(issue, _)| backlog.post_changes(*issue));
    }

    /// When to try the issue's messages again after an unconfirmed edit.
    fn retry_at(&self, entry: &IssueMessages) -> Option<Instant> {
        entry.messages.iter().filter_map(|message| Some(self.unconfirmed.get(message)?.retry_at)).max()
    }

    /// Until when the issue's messages are too old to be edited, if they are.
    fn too_old_until(&self, entry: &IssueMessages) -> Option<Instant> {
        let (newest, until) = self.too_old.filter(|(_, until)| *until > Instant::now())?;
        entry.messages.iter().any(|message| *message <= newest).then_some(until)
    }
}
