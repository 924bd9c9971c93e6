//! What may become of the waiting alerts, by their age and by what the store and
//! Discord say about their channel.

use std::collections::BTreeSet;

use shared::{ChannelId, GuildId};

use super::{
    Lane,
    closure_watch::ClosureWatch,
    expiry::expired_cause,
    inbox::Inbox,
    interruption::Interruption,
    permission::{judging_keys, revoked_cause},
    services::Services,
};
use crate::{
    authority::ChannelStanding,
    dead_letters::{Cause, DeadLetterReason},
};

/// What may become of the waiting alerts.
#[derive(Debug)]
pub(super) enum Admission {
    /// They may be posted in this guild.
    Open(GuildId),
    /// Discord does not let the bot post them, for this reason. They may still leave
    /// for other channels of the guild, if that is known.
    Closed(Option<GuildId>, Closed),
    /// These of them become dead letters first.
    Dead(BTreeSet<u64>, Cause),
    /// They come from strangers.
    Dropped,
    /// It must be asked again.
    Unknown,
}

/// Why Discord does not let the bot post.
#[derive(Debug)]
pub(super) enum Closed {
    /// It refused a post, or shows what the bot lacks.
    Noted(String),
    /// It does not show the channel to the bot. The text is Discord's.
    Hidden(String),
}

impl Admission {
    /// The guild in which rules may send the alerts elsewhere.
    pub(super) const fn guild(&self) -> Option<GuildId> {
        match self {
            Self::Open(guild) => Some(*guild),
            Self::Closed(guild, _) => *guild,
            Self::Dead(..) | Self::Dropped | Self::Unknown => None,
        }
    }
}

/// What may become of the alerts that wait in this inbox.
pub(super) async fn admission(
    services: &Services,
    channel: ChannelId,
    inbox: &mut Inbox<'_>,
    closure: &mut ClosureWatch<'_>,
) -> Result<Admission, Interruption> {
    let authority = &services.authority;
    let expired = inbox.backlog().waiting_before(services.oldest_ms());
    // A stranger's alerts leave no trace, at any age. The bucket of known
    // channels tells strangers without the store, so other alerts expire
    // even while the store is away.
    if !expired.is_empty() && authority.was_authorized(channel).await? {
        return Ok(Admission::Dead(expired, expired_cause()));
    }
    let admission = match authority.standing(channel).await? {
        // From now on the channel is known.
        ChannelStanding::Authorized(_) if !expired.is_empty() => Admission::Unknown,
        ChannelStanding::Authorized(guild) => match closure.closed().await? {
            None => Admission::Open(guild),
            Some(why) => Admission::Closed(Some(guild), Closed::Noted(why)),
        },
        ChannelStanding::Unreachable(words) => {
            let closed = match closure.closed().await? {
                Some(why) => Closed::Noted(why),
                None => Closed::Hidden(words),
            };
            Admission::Closed(authority.guild(channel).await, closed)
        }
        ChannelStanding::NotAuthorized if authority.was_authorized(channel).await? => {
            Admission::Dead(inbox.backlog().sequences().collect(), revoked_cause())
        }
        ChannelStanding::NotAuthorized => Admission::Dropped,
    };
    if admission.guild().is_none() {
        return Ok(admission);
    }
    let homes = inbox.backlog().homes();
    let keys = judging_keys(services, channel, homes).await?;
    Ok(match inbox.backlog_mut().distrusted(&keys) {
        Some((why, sequences)) => Admission::Dead(sequences, why.cause()),
        None => admission,
    })
}

impl Lane<'_> {
    /// What may become of the waiting alerts, if they may be sorted. Then the rules are
    /// learned. Otherwise ends those that may not.
    pub(super) async fn admit(&mut self) -> Result<Option<Admission>, Interruption> {
        let Self { services, channel, inbox, closure, .. } = self;
        match admission(services, *channel, inbox, closure).await? {
            Admission::Dead(sequences, cause) => self.bury(&sequences, &cause).await?,
            Admission::Dropped => self.drop_all().await?,
            Admission::Closed(None, closed) => {
                let all = self.inbox.backlog().sequences().collect();
                self.bury_closed(&all, closed).await?;
            }
            Admission::Unknown => {}
            admitted @ (Admission::Open(_) | Admission::Closed(..)) => {
                self.learn_rules().await?;
                return Ok(Some(admitted));
            }
        }
        Ok(None)
    }

    async fn learn_rules(&mut self) -> Result<(), Interruption> {
        let rules = self.services.authority.rules(self.channel).await?;
        self.inbox.learn(&rules);
        if self.inbox.places().has_rules() && !self.sorter.is_open() {
            if !self.journal.sorts() {
                self.journal.note_sorts().await?;
            }
            self.sorter.open(self.inbox.stream()).await?;
        }
        Ok(())
    }

    /// Makes dead letters of these alerts, because the channel is closed.
    pub(super) async fn bury_closed(
        &mut self,
        sequences: &BTreeSet<u64>,
        closed: Closed,
    ) -> Result<(), Interruption> {
        let why = match closed {
            Closed::Noted(why) => why,
            Closed::Hidden(words) => self.closure.close(&words).await?,
        };
        Ok(self.bury(sequences, &Cause::new(DeadLetterReason::Unreachable, why)).await?)
    }
}
