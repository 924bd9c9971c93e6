//! How a closed channel heals: when it is tried again, and what follows then.

use std::time::Duration;

use rand::Rng as _;
use shared::ChannelId;
use tokio::time::Instant;

use super::{
    ClosedFlag, interruption::Interruption, put_back::put_back, services::Services,
    stored_closure::StoredClosure,
};
use crate::{
    authority::ChannelStanding,
    closure::{Closure, Following},
    discord::{DiscordError, codes},
    reopening::Reopening,
};

/// Tries after GUILD_CREATE are spread over this.
const SPREAD: Duration = Duration::from_secs(60);
/// The permissions are looked at once more so long after they did not suffice,
/// since what is known of a guild may be some seconds old. A try that Discord
/// might refuse waits as long while too much was refused.
const LOOK_AGAIN: Duration = Duration::from_secs(8);
/// How often the bot looks for one reason: the first look may be at what was known before.
const LOOKS: u8 = 3;
/// Clocks differ: a time-out is over so long after its end.
const MARGIN_MS: i64 = 500;
/// Dead letters that follow at once.
const FOLLOW_AT_ONCE: usize = 100;

/// Whether the channel is closed, and when to look whether it still is.
pub(super) struct ClosureWatch<'a> {
    services: &'a Services,
    channel: ChannelId,
    stored: StoredClosure,
    flag: ClosedFlag,
    /// The channel is closed, but may be open now: the next post is a try.
    try_now: bool,
    look_at: Option<Instant>,
    /// How many looks are left for the present reason.
    looks_left: u8,
}

impl<'a> ClosureWatch<'a> {
    /// What happened while nobody had the channel was not heard: if it is closed,
    /// there is a look soon.
    pub(super) async fn open(
        services: &'a Services,
        channel: ChannelId,
        flag: ClosedFlag,
    ) -> anyhow::Result<Self> {
        let stored = StoredClosure::open(services.journals.clone(), channel).await?;
        let look_at = stored.known().filter(|closure| closure.is_closed()).map(|closure| {
            let soon = soon(SPREAD);
            timer(closure.timed_out_until_ms).map_or(soon, |end| end.min(soon))
        });
        flag.set(look_at.is_some());
        Ok(Self { services, channel, stored, flag, try_now: false, look_at, looks_left: LOOKS })
    }

    /// When to look whether the bot may post again, if that is to be looked at.
    pub(super) const fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    /// Whether the channel is closed, as the dispatcher is told.
    pub(super) fn is_flagged(&self) -> bool {
        self.flag.is_set()
    }

    /// Discord has said no: until a try succeeds, alerts are dead letters at once.
    /// Returns why, for them.
    pub(super) async fn close(&mut self, words: &str) -> anyhow::Result<String> {
        let access = match self.services.authority.standing(self.channel).await {
            Ok(ChannelStanding::Authorized(guild)) => self.services.access.of(guild, self.channel).await.ok(),
            _ => None,
        };
        let (access, pauses) = (access.unwrap_or_default(), &self.services.pauses);
        let closure = Closure::new(words, &access, self.stored.known(), now_ms(), pauses);
        let why = closure.why.clone();
        self.try_now = false;
        self.look_at = timer(closure.timed_out_until_ms);
        self.looks_left = LOOKS;
        self.stored.set(closure).await?;
        self.flag.set(true);
        Ok(why)
    }

    /// Whether Discord finds a message empty because it leaves out the embeds of a
    /// bot without Embed Links: the channel refuses, and not the message.
    /// <https://github.com/discord/discord-api-docs/issues/2601>
    pub(super) async fn drops_embeds(&self, refused: &DiscordError) -> bool {
        matches!(refused, DiscordError::Refused { code: codes::EMPTY_MESSAGE, .. }) && !self.may_post().await
    }

    /// Whether nothing is in the way, as far as Discord tells.
    async fn may_post(&self) -> bool {
        let Ok(ChannelStanding::Authorized(guild)) = self.services.authority.standing(self.channel).await
        else {
            return false;
        };
        self.services.access.of(guild, self.channel).await.is_ok_and(|access| access.suffices())
    }

    /// Why alerts are dead letters at once, if they are.
    pub(super) async fn closed(&mut self) -> anyhow::Result<Option<String>> {
        let closure = self.stored.read().await?.filter(|closure| closure.is_closed());
        self.flag.set(closure.is_some());
        let Some(closure) = closure else { return Ok(None) };
        let (why, due) = (closure.why.clone(), closure.is_due(now_ms()));
        if !due && !self.try_now {
            return Ok(Some(why));
        }
        if self.services.discord.may_be_refused() {
            return Ok(None);
        }
        self.look_at.get_or_insert_with(|| Instant::now() + LOOK_AGAIN);
        Ok(Some(why))
    }

    /// Discord shows an edit. It takes edits where it takes no posts, so this opens
    /// the channel only if nothing is in the way.
    pub(super) async fn reopen_after_edit(&mut self) -> anyhow::Result<()> {
        if self.stored.known().is_none_or(|closure| !closure.is_closed()) {
            return Ok(());
        }
        if self.try_now || self.may_post().await { self.reopen().await } else { Ok(()) }
    }

    /// Discord shows a post: a channel that was closed is open, and the dead letters
    /// of that time follow.
    pub(super) async fn reopen(&mut self) -> anyhow::Result<()> {
        let Some(closure) = self.stored.known().filter(|closure| closure.is_closed()).cloned() else {
            return Ok(());
        };
        let last = self.services.dead_letters.last().await?;
        tracing::info!("Discord lets the bot post again");
        self.try_now = false;
        self.look_at = None;
        self.stored.set(closure.followed_by(Following { next: 1, last })).await?;
        self.flag.set(false);
        Ok(())
    }

    /// Whether dead letters follow that are still to be put back.
    pub(super) fn is_following(&self) -> bool {
        self.stored.known().is_some_and(|closure| !closure.is_closed())
    }

    /// Puts some of the dead letters back that follow, while there is room for them:
    /// the lane keeps all that waits, and that is no more than half of what may.
    pub(super) async fn follow(&mut self, is_behind: bool, waiting: usize) -> anyhow::Result<()> {
        let following = self.stored.known().and_then(|closure| closure.following);
        let room = !is_behind && waiting <= self.services.backlog_max / 2;
        let Some(following) = following.filter(|_| room) else {
            return Ok(());
        };
        let Some(closure) = self.stored.read().await?.cloned() else { return Ok(()) };
        let next = put_back(self.services, self.channel, following, FOLLOW_AT_ONCE).await?;
        if next > following.last {
            return self.stored.clear().await;
        }
        self.stored.set(closure.followed_by(Following { next, ..following })).await
    }

    /// Something happened that may have opened the channel. `None`: the lane missed
    /// some of it.
    pub(super) async fn hear(&mut self, reopening: Option<&Reopening>) {
        let Some(closure) = self.stored.known().filter(|closure| closure.is_closed()) else { return };
        let at = match reopening {
            None => Instant::now(),
            Some(reopening) if self.concerns(reopening, closure).await => {
                soon(if reopening.spread { SPREAD } else { Duration::ZERO })
            }
            Some(_) => return,
        };
        self.look_at = Some(self.look_at.map_or(at, |before| before.min(at)));
        self.looks_left = LOOKS;
    }

    async fn concerns(&self, reopening: &Reopening, closure: &Closure) -> bool {
        match self.services.authority.guild(self.channel).await {
            Some(guild) if guild != reopening.guild => false,
            Some(guild) => {
                closure.parent.is_none() || reopening.concerns(guild, self.channel, closure.parent)
            }
            // It was never seen: it may be anywhere.
            None => true,
        }
    }

    /// Looks whether the bot may post again. If so the channel is tried at once:
    /// with what waits, or with the oldest dead letter.
    pub(super) async fn look(&mut self, nothing_waits: bool) -> Result<(), Interruption> {
        self.look_at = None;
        let closure = self.stored.read().await?.filter(|closure| closure.is_closed()).cloned();
        self.flag.set(closure.is_some());
        let Some(closure) = closure else { return Ok(()) };
        self.services.authority.forget_hidden(self.channel).await;
        let ChannelStanding::Authorized(guild) = self.services.authority.standing(self.channel).await? else {
            self.look_later(None);
            return Ok(());
        };
        let access = self.services.access.of(guild, self.channel).await;
        if access.as_ref().is_ok_and(|access| access.suffices()) {
            return Ok(self.try_soon(nothing_waits).await?);
        }
        if let Ok(access) = &access {
            let found = closure.clone().found(access);
            if found != closure {
                self.stored.set(found).await?;
            }
        }
        // A time-out has become longer, or what is known is some seconds old.
        self.look_later(access.ok().and_then(|access| timer(access.timed_out_until_ms)));
        Ok(())
    }

    /// Nothing is in the way any more: the next post is a try.
    async fn try_soon(&mut self, nothing_waits: bool) -> anyhow::Result<()> {
        if !self.services.discord.may_be_refused() {
            self.look_at = Some(Instant::now() + LOOK_AGAIN);
            return Ok(());
        }
        self.try_now = true;
        if nothing_waits {
            let last = self.services.dead_letters.last().await?;
            put_back(self.services, self.channel, Following { next: 1, last }, 1).await?;
        }
        Ok(())
    }

    /// Looks again at the end of a time-out, else a little later if it may.
    fn look_later(&mut self, end: Option<Instant>) {
        self.looks_left = self.looks_left.saturating_sub(1);
        let again = (self.looks_left > 0).then(|| Instant::now() + LOOK_AGAIN);
        self.look_at = end.or(again);
    }
}

/// Some instant within this time, so that not all lanes ask at once.
fn soon(within: Duration) -> Instant {
    Instant::now() + within.mul_f64(rand::rng().random())
}

fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// The instant at which this time-out is over.
fn timer(until_ms: Option<i64>) -> Option<Instant> {
    let left_ms = until_ms?.saturating_add(MARGIN_MS).saturating_sub(now_ms()).max(0);
    Instant::now().checked_add(Duration::from_millis(left_ms.unsigned_abs()))
}
