//! One channel's lane: it works off the waiting alerts, one post or edit at a
//! time.
//!
//! Each step:
//!
//! 1. [`inbox`] reads what waits. [`mod@admission`] says what may become of it.
//!    [`sorting`] lets go what does not belong here.
//! 2. [`schedule`] decides: a post or an edit, and when.
//! 3. [`compose`] builds the post, or [`edit`] the edit, as a record.
//! 4. The journal keeps the record, before the request goes to Discord.
//! 5. [`mod@deliver`] sends it until Discord has decided.
//! 6. [`finish`] draws the consequences; [`leave_queue`] removes the alerts.
//!
//! [`closure_watch`] knows whether Discord lets the bot post in the channel at
//! all. Each part keeps its own state, and the lane holds them together.
//!
//! The order of the steps makes a crash safe at any moment.
//! docs/ARCHITECTURE.md goes through the crash points in "Why nothing is lost".

mod admission;
mod assignment;
mod closure_watch;
mod compose;
#[cfg(test)]
mod crash_tests;
mod deliver;
mod edit;
mod edit_schedule;
mod expiry;
mod finish;
mod history;
mod idle;
mod inbox;
mod interruption;
mod leave_queue;
mod permission;
mod put_back;
mod resume;
mod schedule;
mod services;
mod sorting;
mod stored_closure;

pub(crate) use self::{
    assignment::{Assignment, LaneFlag},
    services::Services,
    sorting::all_muted,
};

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use shared::{ChannelId, shutdown::CancellationToken, text::chain};
use tokio::{sync::mpsc, time::sleep};

use self::{
    admission::Admission,
    closure_watch::ClosureWatch,
    deliver::deliver,
    inbox::Inbox,
    interruption::Interruption,
    schedule::{NextStep, Schedule},
    sorting::Sorter,
};
use super::{
    backoff::{Backoff, News},
    journal::Journal,
    record::Record,
};

/// How long a post may go on after sorting beside it has failed.
const SORTS_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A service that is away is away for all lanes, and only one of them logs it.
static INTERRUPTIONS: News = News::new();

/// Works until there is nothing left to do and no wake-up can come any more.
pub(crate) async fn run(services: Arc<Services>, mut assignment: Assignment) {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    loop {
        let error = match serve(&services, &mut assignment, &mut backoff).await {
            Ok(()) | Err(Interruption::Stopping) => return,
            Err(Interruption::BadToken(_)) => return services.bad_token.cancel(),
            Err(Interruption::Failed(error)) => error,
        };
        let wait = backoff.next();
        metrics::counter!("sentry_bot_lane_interruptions_total").increment(1);
        if INTERRUPTIONS.is_news() {
            tracing::warn!(retry_in = ?wait, "lanes start over, such as this channel's: {}", chain(&error));
        } else {
            tracing::debug!(retry_in = ?wait, "the channel's lane starts over: {error:#}");
        }
        tokio::select! {
            () = async {
                services.queue.back_after(wait).await;
                services.retry_turns.turn().await;
            } => {}
            () = assignment.lease_stop.cancelled() => return,
        }
    }
}

async fn serve(
    services: &Services,
    assignment: &mut Assignment,
    backoff: &mut Backoff,
) -> Result<(), Interruption> {
    let Assignment { channel, lease_stop, wakes, reopenings, closed, untold } = assignment;
    let (mut lane, unfinished) = Lane::open(services, *channel, lease_stop, closed.clone()).await?;
    lane.learn_early().await;
    lane.inbox.catch_up().await?;
    // Copies of its alerts may wait in other channels already.
    lane.sorter.resume(&mut lane.inbox).await?;
    // The predecessor's record comes first. Its alerts still wait, and would be
    // posted a second time.
    if let Some(record) = unfinished {
        lane.resume(record, wakes).await?;
        succeeded(services, backoff);
    }
    let mut has_sorted = false;
    while !lease_stop.is_cancelled() {
        lane.closure.follow(lane.inbox.is_behind(), lane.inbox.backlog().len()).await?;
        lane.inbox.refill().await?;
        lane.inbox.remove_copies().await?;
        lane.bury_unreadable().await?;
        lane.tell_muted(wakes).await?;
        untold.set(lane.sorter.has_untold());
        if lane.inbox.backlog().is_empty() {
            // More may wait behind alerts that cannot be read.
            if !lane.inbox.is_behind()
                && !lane.closure.is_following()
                && lane.idle(wakes, reopenings).await?.is_break()
            {
                return Ok(lane.journal.clear().await?);
            }
        } else if lane.sorter.has_work(&lane.inbox) && !(has_sorted && lane.post_is_due()) {
            lane.sort().await?;
            has_sorted = true;
        } else if let Some(next_step) = lane.next_step(wakes).await? {
            if !closed.is_set() {
                // Events from before this step cannot open a channel that it
                // finds closed.
                *reopenings = reopenings.resubscribe();
            }
            lane.step(next_step, wakes).await?;
            succeeded(services, backoff);
            has_sorted = false;
        }
    }
    Err(Interruption::Stopping)
}

/// Notes that a whole step succeeded. Opening a lane alone proves little.
fn succeeded(services: &Services, backoff: &mut Backoff) {
    backoff.reset();
    services.retry_turns.succeeded();
}

/// A channel's lane at work.
struct Lane<'a> {
    services: &'a Services,
    channel: ChannelId,
    lease_stop: &'a CancellationToken,
    journal: Journal,
    inbox: Inbox<'a>,
    sorter: Sorter<'a>,
    schedule: Schedule<'a>,
    closure: ClosureWatch<'a>,
}

impl<'a> Lane<'a> {
    /// Opens the lane. Also returns the record that a predecessor left, perhaps
    /// this pod before a crash.
    async fn open(
        services: &'a Services,
        channel: ChannelId,
        lease_stop: &'a CancellationToken,
        closed: LaneFlag,
    ) -> anyhow::Result<(Self, Option<Record>)> {
        let inbox = Inbox::open(services, channel).await?;
        let lanes_bucket = services.lanes_bucket.clone();
        let (journal, unfinished) = Journal::open(lanes_bucket, channel, inbox.stream().to_owned()).await?;
        let closure = ClosureWatch::open(services, channel, closed).await?;
        let schedule = Schedule::new(services, channel, lease_stop);
        let mut sorter = Sorter::new(services, channel);
        if journal.sorts() {
            sorter.open(inbox.stream()).await?;
        }
        Ok((Self { services, channel, lease_stop, journal, inbox, sorter, schedule, closure }, unfinished))
    }

    /// Does one post or edit, or ends the alerts that may not be posted. It is
    /// built once it may be sent, from all alerts that wait at that time.
    async fn step(
        &mut self,
        next_step: NextStep,
        wakes: &mut mpsc::Receiver<()>,
    ) -> Result<(), Interruption> {
        let Some(admitted) = self.admit().await? else { return Ok(()) };
        if self.inbox.is_unplaced() {
            // The rules have changed.
            return Ok(());
        }
        let guild = match admitted {
            Admission::Closed(_, closed) => return self.bury_closed(&self.inbox.staying(), closed).await,
            admitted => admitted.guild(),
        };
        let Some(guild) = guild else { return Ok(()) };
        if let Some(rules) = self.inbox.places().rules() {
            self.journal.forget_hits(rules);
        }
        let record = match next_step {
            NextStep::Post => self.compose(guild).await?,
            NextStep::Edit => self.compose_edit(guild).await?,
        };
        let Some(record) = record else { return Ok(()) };
        let kept_by = match next_step {
            NextStep::Post => self.inbox.places().kept_by(&record.sequences()),
            NextStep::Edit => BTreeMap::new(),
        };
        let record = record.kept_by(kept_by);
        // This comes before the request. After a crash a successor repeats
        // exactly this post, and Discord recognises it by its nonce.
        self.journal.write(&record).await?;
        self.send(record, false, wakes).await
    }

    /// What to do now, as [`Schedule::next`]. `None` also when there may be something
    /// to sort.
    async fn next_step(&mut self, wakes: &mut mpsc::Receiver<()>) -> Result<Option<NextStep>, Interruption> {
        let Self { inbox, sorter, schedule, .. } = self;
        let sorts = sorter.is_open();
        let known = inbox.places().rules().cloned();
        let rules = tokio::select! {
            biased;
            next = schedule.next(inbox, wakes, sorts) => return Ok(next?),
            rules = sorter.unsorted(known), if sorts => rules,
        };
        if let Some(rules) = rules {
            inbox.learn(&rules);
        }
        Ok(None)
    }

    /// Whether a post may be sent now. What waits to leave is sorted beside it: a storm
    /// for other channels must not hold it up.
    fn post_is_due(&self) -> bool {
        !self.inbox.is_unplaced() && self.schedule.post_is_due(self.inbox.backlog())
    }

    /// Sorts some of the alerts, or ends those that may not be sorted.
    async fn sort(&mut self) -> Result<(), Interruption> {
        let Some(guild) = self.admit().await?.and_then(|admitted| admitted.guild()) else { return Ok(()) };
        self.journal.settle().await?;
        self.sorter.work(&mut self.inbox, guild).await
    }

    /// Learns the rules before the alerts are read, if the channel has any. Without
    /// an answer they are sorted later.
    async fn learn_early(&mut self) {
        if self.sorter.is_open()
            && let Ok(rules) = self.services.authority.rules(self.channel).await
        {
            self.inbox.learn(&rules);
        }
    }

    /// Sends a record that is in the journal. `may_have_been_posted`: a
    /// predecessor may have sent it.
    async fn send(
        &mut self,
        record: Record,
        may_have_been_posted: bool,
        wakes: &mut mpsc::Receiver<()>,
    ) -> Result<(), Interruption> {
        let Self { services, channel, lease_stop, inbox, sorter, closure, .. } = self;
        inbox.take_off(record.sequences());
        let (landed, unsorted) = (CancellationToken::new(), CancellationToken::new());
        let delivering = async {
            let outcome = tokio::select! {
                outcome = deliver(services, *channel, lease_stop, &record, may_have_been_posted) => Some(outcome),
                // What goes elsewhere must not wait for a post. The lane starts over,
                // and repeats the request that is cut off here.
                () = async { unsorted.cancelled().await; sleep(SORTS_AGAIN_AFTER).await } => None,
            };
            landed.cancel();
            outcome
        };
        let sorting = async {
            let sorted = sorter.sort_beside(inbox, closure, wakes, &landed).await;
            if sorted.is_err() {
                unsorted.cancel();
            }
            sorted
        };
        let (outcome, sorted) = tokio::join!(delivering, sorting);
        inbox.land();
        let Some(outcome) = outcome.transpose()? else { return sorted };
        if record.tells.is_empty() {
            self.finish(record, outcome).await?;
        } else {
            self.finish_telling(record, outcome).await?;
        }
        sorted
    }
}
