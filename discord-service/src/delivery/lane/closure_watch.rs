//! How a closed channel opens again: when to try it, and which dead letters
//! follow.

use std::time::Duration;

use rand::Rng as _;
use shared::ChannelId;
use tokio::time::Instant;

use super::{
    LaneFlag, interruption::Interruption, put_back::put_back, services::Services,
    stored_closure::StoredClosure,
};
use crate::{
    authority::ChannelStanding,
    closure::{Closure, Following},
    discord::{DiscordError, codes},
    reopening::Reopening,
};

/// Tries after GUILD_CREATE are spread over this time.
const SPREAD: Duration = Duration::from_secs(60);
/// How long until insufficient permissions are checked once more, because what
/// is known about a guild may be some seconds old. A try that Discord might
/// refuse waits as long if too much was refused.
const CHECK_AGAIN_AFTER: Duration = Duration::from_secs(8);
/// How often to check for one reason. The first check may still see the old
/// state.
const CHECKS: u8 = 3;
/// A time-out counts as over this long after its end, because clocks differ.
const MARGIN_MS: i64 = 500;
/// How many dead letters are put back at a time.
const FOLLOW_AT_ONCE: usize = 100;

/// Whether the channel is closed, and when to check again.
pub(super) struct ClosureWatch<'a> {
    services: &'a Services,
    channel: ChannelId,
    stored: StoredClosure,
    flag: LaneFlag,
    /// The channel is closed, but may be open now, so the next post is a try.
    try_now: bool,
    next_check: Option<Instant>,
    /// How many checks are left for the present reason.
    checks_left: u8,
}

impl<'a> ClosureWatch<'a> {
    /// Nobody heard the events while no pod had the channel. So a closed
    /// channel is checked soon.
    pub(super) async fn open(
        services: &'a Services,
        channel: ChannelId,
        flag: LaneFlag,
    ) -> anyhow::Result<Self> {
        let stored = StoredClosure::open(services.lanes_bucket.clone(), channel).await?;
        let next_check = stored.known().filter(|closure| closure.is_closed()).map(|closure| {
            let soon = soon(SPREAD);
            timer(closure.timed_out_until_ms).map_or(soon, |end| end.min(soon))
        });
        flag.set(next_check.is_some());
        Ok(Self { services, channel, stored, flag, try_now: false, next_check, checks_left: CHECKS })
    }

    /// When to check next whether the bot may post again, if at all.
    pub(super) const fn next_check(&self) -> Option<Instant> {
        self.next_check
    }

    /// Whether the dispatcher sees the channel as closed.
    pub(super) fn is_flagged(&self) -> bool {
        self.flag.is_set()
    }

    /// Closes the channel, because Discord refused. Until a try succeeds,
    /// alerts become dead letters at once. Returns their reason.
    pub(super) async fn close(&mut self, words: &str) -> anyhow::Result<String> {
        let access = match self.services.authority.standing(self.channel).await {
            Ok(ChannelStanding::Authorized(guild)) => self.services.access.of(guild, self.channel).await.ok(),
            _ => None,
        };
        let (access, pauses) = (access.unwrap_or_default(), &self.services.pauses);
        let closure = Closure::new(words, self.stored.known(), now_ms(), pauses).found(&access);
        let why = closure.why.clone();
        self.try_now = false;
        self.next_check = timer(closure.timed_out_until_ms);
        self.checks_left = CHECKS;
        self.stored.set(closure).await?;
        self.flag.set(true);
        Ok(why)
    }

    /// Whether Discord finds a message empty because it drops the embeds of a
    /// bot without Embed Links. Then the channel is at fault, and not the
    /// message. <https://github.com/discord/discord-api-docs/issues/2601>
    pub(super) async fn drops_embeds(&self, refused: &DiscordError) -> bool {
        matches!(refused, DiscordError::Refused { code: codes::EMPTY_MESSAGE, .. }) && !self.may_post().await
    }

    /// Whether the bot has all it needs to post, as far as Discord tells.
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
        self.next_check.get_or_insert_with(|| Instant::now() + CHECK_AGAIN_AFTER);
        Ok(Some(why))
    }

    /// Opens the channel after an edit, if the bot may also post. Discord may
    /// take an edit in a channel that takes no posts.
    pub(super) async fn reopen_after_edit(&mut self) -> anyhow::Result<()> {
        if self.stored.known().is_none_or(|closure| !closure.is_closed()) {
            return Ok(());
        }
        if self.try_now || self.may_post().await { self.reopen().await } else { Ok(()) }
    }

    /// Opens the channel after a post. The dead letters of the time when it was
    /// closed follow.
    pub(super) async fn reopen(&mut self) -> anyhow::Result<()> {
        let Some(closure) = self.stored.known().filter(|closure| closure.is_closed()).cloned() else {
            return Ok(());
        };
        let last = self.services.dead_letters.last().await?;
        tracing::info!("Discord lets the bot post again");
        self.try_now = false;
        self.next_check = None;
        self.stored.set(closure.followed_by(Following { next: 1, last })).await?;
        self.flag.set(false);
        Ok(())
    }

    /// Whether dead letters are left to put back.
    pub(super) fn is_following(&self) -> bool {
        self.stored.known().is_some_and(|closure| !closure.is_closed())
    }

    /// Puts some dead letters back, if the lane keeps all waiting alerts and
    /// they are at most half of the limit.
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

    /// Hears of an event that may have opened the channel. `None` if the lane
    /// missed some.
    pub(super) async fn hear(&mut self, reopening: Option<&Reopening>) {
        let Some(closure) = self.stored.known().filter(|closure| closure.is_closed()) else { return };
        let at = match reopening {
            None => Instant::now(),
            Some(reopening) if self.concerns(reopening, closure).await => {
                soon(if reopening.spread { SPREAD } else { Duration::ZERO })
            }
            Some(_) => return,
        };
        self.next_check = Some(self.next_check.map_or(at, |before| before.min(at)));
        self.checks_left = CHECKS;
    }

    async fn concerns(&self, reopening: &Reopening, closure: &Closure) -> bool {
        match self.services.authority.guild(self.channel).await {
            Some(guild) if guild != reopening.guild => false,
            Some(guild) => {
                closure.parent.is_none() || reopening.concerns(guild, self.channel, closure.parent)
            }
            // The channel was never seen, so it may be in any guild.
            None => true,
        }
    }

    /// Checks whether the bot may post again. If so, tries the channel at once,
    /// with a waiting alert or with the oldest dead letter.
    pub(super) async fn check(&mut self, nothing_waits: bool) -> Result<(), Interruption> {
        self.next_check = None;
        let closure = self.stored.read().await?.filter(|closure| closure.is_closed()).cloned();
        self.flag.set(closure.is_some());
        let Some(closure) = closure else { return Ok(()) };
        self.services.authority.forget_hidden(self.channel).await;
        let ChannelStanding::Authorized(guild) = self.services.authority.standing(self.channel).await? else {
            self.plan_check(None);
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
        // The time-out has become longer, or the known state is some seconds
        // old.
        self.plan_check(access.ok().and_then(|access| timer(access.timed_out_until_ms)));
        Ok(())
    }

    /// Makes the next post a try, because the bot may post again.
    async fn try_soon(&mut self, nothing_waits: bool) -> anyhow::Result<()> {
        if !self.services.discord.may_be_refused() {
            self.next_check = Some(Instant::now() + CHECK_AGAIN_AFTER);
            return Ok(());
        }
        self.try_now = true;
        if nothing_waits {
            let last = self.services.dead_letters.last().await?;
            put_back(self.services, self.channel, Following { next: 1, last }, 1).await?;
        }
        Ok(())
    }

    /// Plans the next check: at the end of a time-out, else a little later if
    /// checks are left.
    fn plan_check(&mut self, end: Option<Instant>) {
        self.checks_left = self.checks_left.saturating_sub(1);
        let again = (self.checks_left > 0).then(|| Instant::now() + CHECK_AGAIN_AFTER);
        self.next_check = end.or(again);
    }
}

/// A random instant within this time, so that not all lanes ask at once.
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
