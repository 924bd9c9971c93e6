//! Sends a recorded post or edit to Discord until Discord has decided on it.
//! The lane does not change here. [`super::finish`] draws the consequences.

use std::time::Duration;

use shared::{ChannelId, shutdown::CancellationToken};
use tokio::time::{Instant, sleep};

use super::{
    interruption::Interruption,
    permission::{self, Objection},
    services::Services,
};
use crate::{
    delivery::{
        backoff::{Backoff, News},
        record::Record,
        trace::Posting,
    },
    discord::{DiscordError, Edited},
};

/// How long a request in flight may take after the lease should be given up.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// A post is given up after it has failed for this long while Discord answered
/// others.
const ALONE: Duration = Duration::from_secs(5 * 60);

/// If Discord is away, it is away for all lanes, and only one of them logs it.
static UNCONFIRMED: News = News::new();

/// The outcome of a recorded post or edit. `may_have_been_posted`: Discord may
/// show it, though it never confirmed that.
#[derive(Debug)]
pub(super) enum SendOutcome {
    /// Discord shows it in this message.
    Shown(u64),
    /// Discord refused it.
    Refused { error: DiscordError, may_have_been_posted: bool },
    /// Only this post fails. `all_4xx`: Discord answered each attempt with a
    /// 4xx, so it surely does not show it.
    GivenUp { error: DiscordError, all_4xx: bool },
    /// It may no longer be sent.
    Forbidden { objection: Objection, may_have_been_posted: bool },
    /// Discord confirmed no edit of this message.
    EditUnconfirmed { message: u64, error: DiscordError, may_have_been_posted: bool },
    /// Discord takes no edit of this message before then: it is too old.
    EditTooOld { message: u64, until: Instant },
    /// Discord's limits leave no room for the edit now.
    EditPutOff,
}

/// What Discord did with one attempt.
enum AttemptResult {
    /// Discord shows this message.
    Message(u64),
    /// Nothing: it answered 429.
    NotYet,
    /// Nothing: this message is too old to be edited before then.
    TooOldUntil(u64, Instant),
}

/// Sends the recorded request until Discord has decided. `may_have_been_posted`:
/// a predecessor may have sent it.
pub(super) async fn deliver(
    services: &Services,
    channel: ChannelId,
    lease_stop: &CancellationToken,
    record: &Record,
    may_have_been_posted: bool,
) -> Result<SendOutcome, Interruption> {
    let posting = Posting::begin(&record.traces);
    let outcome =
        Sending::new(services, channel, lease_stop, record, may_have_been_posted).until_decided().await?;
    match outcome {
        SendOutcome::Shown(_) => posting.end(true),
        SendOutcome::Refused { .. } | SendOutcome::GivenUp { .. } | SendOutcome::EditUnconfirmed { .. } => {
            posting.end(false);
        }
        // Discord has not decided.
        SendOutcome::Forbidden { .. } | SendOutcome::EditTooOld { .. } | SendOutcome::EditPutOff => {}
    }
    Ok(outcome)
}

/// A record on its way to Discord.
struct Sending<'a> {
    services: &'a Services,
    channel: ChannelId,
    lease_stop: &'a CancellationToken,
    record: &'a Record,
    /// An earlier attempt may have succeeded.
    may_have_been_posted: bool,
    all_4xx: bool,
    failing_since: Option<Instant>,
    backoff: Backoff,
}

impl<'a> Sending<'a> {
    fn new(
        services: &'a Services,
        channel: ChannelId,
        lease_stop: &'a CancellationToken,
        record: &'a Record,
        may_have_been_posted: bool,
    ) -> Self {
        let backoff = Backoff::of_requests();
        let (all_4xx, failing_since) = (!may_have_been_posted, None);
        Self { services, channel, lease_stop, record, may_have_been_posted, all_4xx, failing_since, backoff }
    }

    async fn until_decided(&mut self) -> Result<SendOutcome, Interruption> {
        // The lane has just checked a new post, but not a repeated one.
        let mut checked = !self.may_have_been_posted;
        loop {
            if self.had_to_wait().await {
                if self.lease_stop.is_cancelled() {
                    return Err(Interruption::Stopping);
                }
                checked = false;
            }
            if !checked
                && let Some(objection) =
                    permission::objection(self.services, self.channel, self.record).await?
            {
                return Ok(SendOutcome::Forbidden {
                    objection,
                    may_have_been_posted: self.may_have_been_posted,
                });
            }
            checked = false;
            let attempt = tokio::select! {
                attempt = self.attempt() => attempt,
                // A successor repeats the request that is cut off here.
                () = last_moment(self.lease_stop) => return Err(Interruption::Stopping),
            };
            if let Some(outcome) = self.judge(attempt).await? {
                return Ok(outcome);
            }
        }
    }

    async fn attempt(&self) -> Result<AttemptResult, DiscordError> {
        let (discord, channel) = (&self.services.discord, self.channel);
        let Some(message) = self.record.edits else {
            let created = discord.post(channel, &self.record.body).await?;
            return Ok(created.map_or(AttemptResult::NotYet, AttemptResult::Message));
        };
        Ok(match discord.edit(channel, message, &self.record.body).await? {
            Edited::Done => AttemptResult::Message(message),
            Edited::NotYet => AttemptResult::NotYet,
            Edited::TooOldUntil(until) => AttemptResult::TooOldUntil(message, until),
        })
    }

    /// The outcome, or `None` if there should be another attempt. An edit is
    /// tried once, so that posts do not wait for it.
    async fn judge(
        &mut self,
        attempt: Result<AttemptResult, DiscordError>,
    ) -> Result<Option<SendOutcome>, Interruption> {
        Ok(match attempt {
            Ok(AttemptResult::Message(message)) => Some(SendOutcome::Shown(message)),
            Ok(AttemptResult::TooOldUntil(message, until)) => {
                Some(SendOutcome::EditTooOld { message, until })
            }
            Ok(AttemptResult::NotYet) | Err(DiscordError::NotSent) => {
                self.record.edits.is_some().then_some(SendOutcome::EditPutOff)
            }
            Err(DiscordError::BadToken(error)) => return Err(error.into()),
            Err(error @ DiscordError::Refused { .. }) => {
                Some(SendOutcome::Refused { error, may_have_been_posted: self.may_have_been_posted })
            }
            Err(error @ DiscordError::Unavailable { answered_4xx, .. }) => {
                self.may_have_been_posted |= !answered_4xx;
                self.all_4xx &= answered_4xx;
                match self.record.edits {
                    Some(message) => Some(SendOutcome::EditUnconfirmed {
                        message,
                        error,
                        may_have_been_posted: self.may_have_been_posted,
                    }),
                    None => self.unconfirmed(error).await?,
                }
            }
        })
    }

    /// Waits before the next attempt at an unconfirmed post, or gives it up.
    async fn unconfirmed(&mut self, error: DiscordError) -> Result<Option<SendOutcome>, Interruption> {
        let since = *self.failing_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= ALONE && self.services.discord.others_succeed(self.channel).await {
            return Ok(Some(SendOutcome::GivenUp { error, all_4xx: self.all_4xx }));
        }
        let wait = self.backoff.next();
        metrics::counter!("sentry_bot_post_retries_total").increment(1);
        if UNCONFIRMED.is_news() {
            tracing::warn!(retry_in = ?wait, "posts are not confirmed yet, such as this channel's: {error}");
        } else {
            tracing::debug!(retry_in = ?wait, "a post is not confirmed yet: {error}");
        }
        tokio::select! {
            () = sleep(wait) => Ok(None),
            () = self.lease_stop.cancelled() => Err(Interruption::Stopping),
        }
    }

    /// Waits until Discord would take a post or an edit. Returns whether that
    /// took time.
    async fn had_to_wait(&self) -> bool {
        let free = async {
            match self.record.edits {
                Some(_) => self.services.discord.until_edit_free(self.channel).await,
                None => self.services.discord.until_free(self.channel).await,
            }
        };
        tokio::pin!(free);
        if futures::poll!(&mut free).is_ready() {
            return false;
        }
        tokio::select! {
            () = free => {}
            () = self.lease_stop.cancelled() => {}
        }
        true
    }
}

/// Returns a moment after the lease should be given up. That is time for an
/// answer on its way, but not for a rate limit.
async fn last_moment(lease_stop: &CancellationToken) {
    lease_stop.cancelled().await;
    sleep(LAST_MOMENT).await;
}
