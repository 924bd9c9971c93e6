//! How a closed channel heals: when it is tried again, and what follows then.

use std::time::Duration;

use rand::Rng as _;
use tokio::time::Instant;

use super::{
    closing::{Closing, Following},
    lane::{Interruption, Lane},
};
use crate::{authority::Standing, dead_letters::DeadLetter, discord::DiscordError, reopening::Reopening};

/// Discord's code for a message without content.
const CANNOT_SEND_EMPTY: u32 = 50006;

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

impl Lane<'_> {
    /// Discord has said no: until a try succeeds, alerts are dead letters at once.
    pub(super) async fn close(&mut self, words: &str) -> anyhow::Result<String> {
        let access = match self.around.authority.standing(self.channel).await {
            Ok(Standing::Authorized(guild)) => self.around.access.of(guild, self.channel).await.ok(),
            _ => None,
        };
        let (now_ms, pauses) = (now_ms(), &self.around.pauses);
        let access = access.unwrap_or_default();
        let closing = Closing::new(words, &access, self.blockade.known(), now_ms, pauses);
        let why = closing.why.clone();
        self.try_now = false;
        self.look_at = timer(closing.timed_out_until_ms);
        self.looks_left = LOOKS;
        self.blockade.set(closing).await?;
        self.flag.set(true);
        Ok(why)
    }

    /// Whether Discord finds a message empty because it leaves out the embeds of a
    /// bot without Embed Links: the channel refuses, and not the message.
    /// <https://github.com/discord/discord-api-docs/issues/2601>
    pub(super) async fn drops_embeds(&self, refused: &DiscordError) -> bool {
        matches!(refused, DiscordError::Refused { code: CANNOT_SEND_EMPTY, .. }) && !self.may_post().await
    }

    /// Whether nothing is in the way, as far as Discord tells.
    async fn may_post(&self) -> bool {
        let Ok(Standing::Authorized(guild)) = self.around.authority.standing(self.channel).await else {
            return false;
        };
        self.around.access.of(guild, self.channel).await.is_ok_and(|access| access.suffices())
    }

    /// Why alerts are dead letters at once, if they are.
    pub(super) async fn closed(&mut self) -> anyhow::Result<Option<String>> {
        let closing = self.blockade.read().await?.filter(|closing| closing.is_closed());
        self.flag.set(closing.is_some());
        let Some(closing) = closing else { return Ok(None) };
        let (why, due) = (closing.why.clone(), closing.is_due(now_ms()));
        if !due && !self.try_now {
            return Ok(Some(why));
        }
        if self.around.discord.may_be_refused() {
            return Ok(None);
        }
        self.look_at.get_or_insert_with(|| Instant::now() + LOOK_AGAIN);
        Ok(Some(why))
    }

    /// An edit is shown. Discord takes edits where it takes no posts, so this opens
    /// the channel only if nothing is in the way.
    pub(super) async fn reopen_after_edit(&mut self) -> anyhow::Result<()> {
        if self.blockade.known().is_none_or(|closing| !closing.is_closed()) {
            return Ok(());
        }
        if self.try_now || self.may_post().await { self.reopen().await } else { Ok(()) }
    }

    /// A post is shown: a channel that was closed is open, and the dead letters of
    /// that time follow.
    pub(super) async fn reopen(&mut self) -> anyhow::Result<()> {
        let Some(closing) = self.blockade.known().filter(|closing| closing.is_closed()).cloned() else {
            return Ok(());
        };
        let last = self.around.dead_letters.last().await?;
        tracing::info!(channel.id = %self.channel, "Discord lets the bot post again");
        self.try_now = false;
        self.look_at = None;
        self.blockade.set(closing.followed_by(Following { next: 1, last })).await?;
        self.flag.set(false);
        Ok(())
    }

    /// Whether dead letters follow that are still to be put back.
    pub(super) fn is_following(&self) -> bool {
        self.blockade.known().is_some_and(|closing| !closing.is_closed())
    }

    /// Puts some of the dead letters back that follow, while there is room for them.
    pub(super) async fn follow(&mut self) -> anyhow::Result<()> {
        let following = self.blockade.known().and_then(|closing| closing.following);
        let room = !self.behind && self.backlog.len() <= self.around.backlog_max / 2;
        let Some(following) = following.filter(|_| room) else {
            return Ok(());
        };
        let Some(closing) = self.blockade.read().await?.cloned() else { return Ok(()) };
        let next = self.put_back(following, FOLLOW_AT_ONCE).await?;
        if next > following.last {
            return self.blockade.lift().await;
        }
        self.blockade.set(closing.followed_by(Following { next, ..following })).await
    }

    /// Puts so many dead letters back into the queue, the oldest first. Returns
    /// where it goes on.
    async fn put_back(&self, Following { next, last }: Following, most: usize) -> anyhow::Result<u64> {
        let letters = &self.around.dead_letters;
        let page = letters.unreachable(self.channel, next).await?;
        if page.is_empty() {
            return Ok(last + 1);
        }
        let (mut next, mut back) = (next, 0);
        for (sequence, letter) in page {
            if sequence > last || back == most {
                break;
            }
            next = sequence + 1;
            if let Some(DeadLetter { alert: Some(alert), .. }) =
                letter.filter(|letter| letter.follows(self.oldest_ms()))
            {
                letters.put_back(sequence, &alert).await?;
                back += 1;
            }
        }
        Ok(next)
    }

    /// Something happened that may have opened the channel.
    pub(super) async fn hear(&mut self, told: Option<&Reopening>) -> Result<(), Interruption> {
        let Some(closing) = self.blockade.known().filter(|closing| closing.is_closed()) else {
            return Ok(());
        };
        let at = match told {
            // Some were missed.
            None => Instant::now(),
            Some(told) => {
                let concerned = match self.around.authority.guild(self.channel).await {
                    Some(guild) if guild != told.guild => false,
                    Some(guild) => {
                        closing.parent.is_none() || told.concerns(guild, self.channel, closing.parent)
                    }
                    // It was never seen: it may be anywhere.
                    None => true,
                };
                if !concerned {
                    return Ok(());
                }
                soon(if told.spread { SPREAD } else { Duration::ZERO })
            }
        };
        self.look_at = Some(self.look_at.map_or(at, |before| before.min(at)));
        self.looks_left = LOOKS;
        Ok(())
    }

    /// Looks whether the bot may post again. If so the channel is tried at once:
    /// with what waits, or with the oldest dead letter.
    pub(super) async fn look(&mut self) -> Result<(), Interruption> {
        self.look_at = None;
        let closing = self.blockade.read().await?.filter(|closing| closing.is_closed()).cloned();
        self.flag.set(closing.is_some());
        let Some(closing) = closing else { return Ok(()) };
        self.around.authority.look_again(self.channel).await;
        let Standing::Authorized(guild) = self.around.authority.standing(self.channel).await? else {
            self.look_later(None);
            return Ok(());
        };
        let access = self.around.access.of(guild, self.channel).await;
        if access.as_ref().is_ok_and(|access| access.suffices()) {
            if !self.around.discord.may_be_refused() {
                self.look_at = Some(Instant::now() + LOOK_AGAIN);
                return Ok(());
            }
            self.try_now = true;
            if self.backlog.is_empty() {
                let last = self.around.dead_letters.last().await?;
                self.put_back(Following { next: 1, last }, 1).await?;
            }
            return Ok(());
        }
        if let Ok(access) = &access {
            let found = closing.clone().found(access);
            if found != closing {
                self.blockade.set(found).await?;
            }
        }
        // A time-out has become longer, or what is known is some seconds old.
        self.look_later(access.ok().and_then(|access| timer(access.timed_out_until_ms)));
        Ok(())
    }

    /// Looks again at the end of a time-out, else a little later if it may.
    fn look_later(&mut self, end: Option<Instant>) {
        self.looks_left = self.looks_left.saturating_sub(1);
        let again = (self.looks_left > 0).then(|| Instant::now() + LOOK_AGAIN);
        self.look_at = end.or(again);
    }

    /// When to look, of a channel that is found closed as the lane begins. What
    /// happened while nobody had the channel was not heard.
    pub(super) fn set_timer(&mut self) {
        let closing = self.blockade.known().filter(|closing| closing.is_closed());
        self.flag.set(closing.is_some());
        self.looks_left = LOOKS;
        self.look_at = closing.map(|closing| {
            let soon = soon(SPREAD);
            timer(closing.timed_out_until_ms).map_or(soon, |end| end.min(soon))
        });
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
