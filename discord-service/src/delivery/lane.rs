//! One channel's lane: takes what waits for the channel, one post at a time.
//!
//! The order of steps is what makes a crash at any moment safe; the crash
//! points are gone through in docs/ARCHITECTURE.md, "Why nothing is lost".

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use shared::{ChannelId, GuildId, clock, process::BadToken, shutdown::CancellationToken, text::chain, wire};
use tokio::{
    sync::{
        broadcast::{self, error::RecvError},
        mpsc,
    },
    time::{Instant, sleep_until},
};

use super::{
    backlog::Backlog,
    backoff::{Backoff, News},
    blockade::Blockade,
    closing::Pauses,
    edit::{Trouble, Work},
    ending::{expired_cause, revoked_cause},
    issue::IssueKey,
    journal::Journal,
    messages::{Entry, Messages},
    ports::{AccessApi, AlertStream, Bucket, MessageApi, Rights},
    record::{Record, Resume, State},
    recovery::Recovery,
    room::{Room, Share},
};
use crate::{
    authority::{AskAgain, Standing},
    dead_letters::{Cause, LetterStream, Reason},
    render::Style,
    reopening::Reopening,
};

/// What is away is away for all lanes: one of them says so.
static INTERRUPTIONS: News = News::new();

/// What all lanes share.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) queue: Arc<dyn AlertStream>,
    pub(crate) recovery: Arc<Recovery>,
    pub(crate) room: Room,
    pub(crate) dead_letters: Arc<dyn LetterStream>,
    pub(crate) journals: Arc<dyn Bucket>,
    pub(crate) messages: Messages,
    pub(crate) authority: Arc<dyn Rights>,
    pub(crate) discord: Arc<dyn MessageApi>,
    pub(crate) access: Arc<dyn AccessApi>,
    /// When a closed channel is tried again.
    pub(crate) pauses: Pauses,
    /// How many alerts may wait for a channel.
    pub(crate) backlog_max: usize,
    pub(crate) style: Style,
    pub(crate) max_age: Duration,
    pub(crate) shutdown: CancellationToken,
    /// Cancelled when Discord refuses the bot's token.
    pub(crate) bad_token: CancellationToken,
}

/// What a lane hears.
pub(crate) struct Ears {
    /// Something came. Closed to put the lane away.
    pub(crate) wakes: mpsc::Receiver<()>,
    /// What may open the channel again.
    pub(crate) told: broadcast::Receiver<Arc<Reopening>>,
}

/// Says whether a lane's channel is closed: then it is not put away.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClosedFlag(Arc<AtomicBool>);

impl ClosedFlag {
    pub(super) fn set(&self, closed: bool) {
        self.0.store(closed, Ordering::Relaxed);
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why a lane starts over.
#[derive(Debug, thiserror::Error)]
pub(super) enum Interruption {
    /// The process ends: a successor goes on.
    #[error("stopping")]
    Stopping,
    /// The token is not valid: the process must end.
    #[error(transparent)]
    BadToken(#[from] BadToken),
    /// Something behind is away, or another pod owns the channel now.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

impl From<AskAgain> for Interruption {
    fn from(error: AskAgain) -> Self {
        match error {
            AskAgain::BadToken(error) => error.into(),
            other => Self::Failed(other.into()),
        }
    }
}

/// Works until there is nothing left to do and no wake-up can come any more.
pub(crate) async fn run(around: Arc<Surroundings>, channel: ChannelId, mut ears: Ears, flag: ClosedFlag) {
    let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
    loop {
        let error = match serve(&around, channel, &mut ears, &flag, &mut backoff).await {
            Ok(()) | Err(Interruption::Stopping) => return,
            Err(Interruption::BadToken(_)) => return around.bad_token.cancel(),
            Err(Interruption::Failed(error)) => error,
        };
        let wait = backoff.next();
        metrics::counter!("sentry_bot_lane_interruptions_total").increment(1);
        if INTERRUPTIONS.is_news() {
            tracing::warn!(channel.id = %channel, retry_in = ?wait, "lanes start over, such as this channel's: {}", chain(&error));
        } else {
            tracing::debug!(channel.id = %channel, retry_in = ?wait, "the channel's lane starts over: {error:#}");
        }
        tokio::select! {
            () = async {
                around.queue.back_after(wait).await;
                around.recovery.turn().await;
            } => {}
            () = around.shutdown.cancelled() => return,
        }
    }
}

async fn serve(
    around: &Surroundings,
    channel: ChannelId,
    ears: &mut Ears,
    flag: &ClosedFlag,
    backoff: &mut Backoff,
) -> Result<(), Interruption> {
    let (mut lane, unfinished) = Lane::open(around, channel, flag.clone()).await?;
    let Ears { wakes, told } = ears;
    lane.catch_up().await?;
    if let Some(record) = unfinished {
        lane.resume(record).await?;
        done(around, backoff);
    }
    while !around.shutdown.is_cancelled() {
        lane.follow().await?;
        lane.refill().await?;
        lane.bury_unreadable().await?;
        if !lane.backlog.is_empty() {
            if let Some(work) = lane.next_work(wakes).await? {
                if !flag.is_set() {
                    // What came before this step cannot open a channel that it finds closed.
                    *told = told.resubscribe();
                }
                lane.step(work).await?;
                done(around, backoff);
            }
            continue;
        }
        if lane.is_following() {
            continue;
        }
        let look_at = lane.look_at;
        tokio::select! {
            wake = wakes.recv() => match wake {
                Some(()) => lane.look_again().await?,
                None => return Ok(lane.journal.clear().await?),
            },
            news = told.recv(), if flag.is_set() => match news {
                Ok(news) => lane.hear(Some(&news)).await?,
                Err(RecvError::Lagged(_)) => lane.hear(None).await?,
                Err(RecvError::Closed) => return Err(Interruption::Stopping),
            },
            () = sleep_until(look_at.unwrap_or_else(Instant::now)), if look_at.is_some() => lane.look().await?,
            () = around.shutdown.cancelled() => {}
        }
    }
    Err(Interruption::Stopping)
}

/// A whole step succeeded: that a lane could be opened says little.
fn done(around: &Surroundings, backoff: &mut Backoff) {
    backoff.reset();
    around.recovery.succeeded();
}

/// A channel's state while its lane is at work.
pub(super) struct Lane<'a> {
    pub(super) around: &'a Surroundings,
    pub(super) channel: ChannelId,
    pub(super) journal: Journal,
    pub(super) backlog: Backlog,
    pub(super) share: Share,
    /// The stream holds more than there is room for.
    pub(super) behind: bool,
    /// Alerts that cannot be read, and why.
    pub(super) unreadable: BTreeMap<u64, String>,
    /// Alerts that Discord refused with their links.
    pub(super) without_links: BTreeSet<u64>,
    /// Where issues were told of, of those that wait for an edit.
    pub(super) known: HashMap<IssueKey, Entry>,
    pub(super) subject: String,
    /// The newest message that Discord found too old to be edited again before then.
    pub(super) too_old: Option<(u64, Instant)>,
    /// The next sequence to read.
    pub(super) cursor: u64,
    /// When the last post of this lane was confirmed.
    pub(super) last_post: Option<Instant>,
    /// Messages whose edit is not confirmed.
    pub(super) troubles: HashMap<u64, Trouble>,
    /// Alerts that such an edit may have told.
    pub(super) unsure: BTreeSet<u64>,
    pub(super) blockade: Blockade,
    pub(super) flag: ClosedFlag,
    /// The channel is closed, but may be open now: the next post is a try.
    pub(super) try_now: bool,
    /// When to look whether the bot may post again, and how often.
    pub(super) look_at: Option<Instant>,
    pub(super) looks_left: u8,
}

impl<'a> Lane<'a> {
    async fn open(
        around: &'a Surroundings,
        channel: ChannelId,
        flag: ClosedFlag,
    ) -> anyhow::Result<(Self, Option<Record>)> {
        let subject = wire::alert_subject(channel);
        let stream = around.queue.standing(&subject).await?.stream;
        let (journal, unfinished) = Journal::open(around.journals.clone(), channel, stream).await?;
        let mut lane = Self {
            around,
            channel,
            journal,
            backlog: Backlog::default(),
            share: around.room.share(),
            behind: false,
            unreadable: BTreeMap::new(),
            without_links: BTreeSet::new(),
            known: HashMap::new(),
            too_old: None,
            subject,
            cursor: 1,
            last_post: None,
            troubles: HashMap::new(),
            unsure: BTreeSet::new(),
            blockade: Blockade::open(around.journals.clone(), channel).await?,
            flag,
            try_now: false,
            look_at: None,
            looks_left: 0,
        };
        lane.set_timer();
        Ok((lane, unfinished))
    }

    /// Ends what a predecessor, perhaps this pod before a crash, began.
    async fn resume(&mut self, record: Record) -> Result<(), Interruption> {
        let sequences = record.sequences();
        let first_stands = match record.first() {
            Some(first) => self.around.queue.stands(first).await?,
            None => false,
        };
        match record.resume(first_stands) {
            // The predecessor did not come to note that down, nor to count it.
            Resume::Remove if record.state == State::Sending => Ok(self.confirm(record, None).await?),
            Resume::Remove => {
                self.forget(&sequences).await?;
                // Nor perhaps to remember it. Doing so again changes nothing.
                self.remember(record.message, record.shown.filter(|_| record.edits.is_none())).await;
                Ok(())
            }
            Resume::Bury(cause) => {
                let standing = self.standing(&sequences).await?;
                Ok(self.bury_decided(&standing, &cause).await?)
            }
            Resume::Repeat => {
                tracing::info!(channel.id = %self.channel, alerts = sequences.len(), "repeating an unfinished post");
                self.deliver(record, true).await
            }
        }
    }

    /// What was received before then, in milliseconds since 1970, is too old to be posted.
    pub(super) fn oldest_ms(&self) -> i64 {
        let max_age_ms = i64::try_from(self.around.max_age.as_millis()).unwrap_or(i64::MAX);
        clock::age_ms().saturating_sub(max_age_ms)
    }

    /// One post or edit, or one reason why there is none. It is made when it may
    /// go, of all that waits then and of what may be posted then.
    async fn step(&mut self, work: Work) -> Result<(), Interruption> {
        let expired = self.backlog.waiting_before(self.oldest_ms());
        // Strangers' alerts leave no trace, however old. That a channel is none is
        // known without the store, so what waits for the store expires all the same.
        if !expired.is_empty() && self.around.authority.was_authorized(self.channel).await? {
            return Ok(self.bury(&expired, &expired_cause()).await?);
        }
        match self.around.authority.standing(self.channel).await? {
            // It is known from now on.
            Standing::Authorized(_) if !expired.is_empty() => Ok(()),
            Standing::Authorized(guild) => match self.closed().await? {
                None => self.work(work, guild).await,
                Some(why) => Ok(self.bury_all(&Cause::new(Reason::Unreachable, why)).await?),
            },
            Standing::Unreachable(words) => {
                let why = match self.closed().await? {
                    Some(why) => why,
                    None => self.close(&words).await?,
                };
                Ok(self.bury_all(&Cause::new(Reason::Unreachable, why)).await?)
            }
            Standing::NotAuthorized if self.around.authority.was_authorized(self.channel).await? => {
                Ok(self.bury_all(&revoked_cause()).await?)
            }
            Standing::NotAuthorized => Ok(self.drop_all().await?),
        }
    }

    /// One post of what is still trusted, or the end of what is not.
    async fn work(&mut self, work: Work, guild: GuildId) -> Result<(), Interruption> {
        let kept = self.around.authority.trust(self.channel).await?;
        if let Some((why, sequences)) = self.backlog.distrusted(&kept) {
            return Ok(self.bury(&sequences, &why.cause()).await?);
        }
        if work == Work::Edit {
            return self.edit(guild).await;
        }
        let Some(record) = self.compose(guild).await? else { return Ok(()) };
        self.journal.write(&record).await?;
        self.deliver(record, false).await
    }
}
