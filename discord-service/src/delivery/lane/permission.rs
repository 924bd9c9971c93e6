//! Whether alerts may be posted now, by what the store and Discord say.

use std::collections::{BTreeMap, BTreeSet};

use shared::{ChannelId, GuildId, UserId};

use super::{expiry::expired_cause, interruption::Interruption, services::Services};
use crate::{
    authority::{ChannelStanding, Entitlement},
    dead_letters::{Cause, DeadLetterReason},
    delivery::record::{Mention, Record},
    trust::{Distrust, JudgingKeys},
};

/// Why a recorded post must not be sent.
#[derive(Debug)]
pub(super) enum Objection {
    /// Its alerts are dead letters for this cause.
    Dead(Cause),
    /// Discord does not show the channel to the bot. The text is Discord's.
    Unreachable(String),
}

/// Why the recorded request must not be sent, if so. Much can change while it
/// waits for Discord, or for a successor.
pub(super) async fn objection(
    services: &Services,
    channel: ChannelId,
    record: &Record,
) -> Result<Option<Objection>, Interruption> {
    if record.since_ms.1 < services.oldest_ms() {
        return Ok(Some(Objection::Dead(expired_cause())));
    }
    let guild = match services.authority.standing(channel).await? {
        ChannelStanding::Authorized(guild) => guild,
        ChannelStanding::NotAuthorized => return Ok(Some(Objection::Dead(revoked_cause()))),
        ChannelStanding::Unreachable(words) => return Ok(Some(Objection::Unreachable(words))),
    };
    for Mention { user, project } in &record.mentions {
        if let Some(cause) = mention_cause(services, guild, Some(user), project).await? {
            return Ok(Some(Objection::Dead(cause)));
        }
    }
    let homes = record.admissions().filter_map(|(admission, _)| admission.home).collect();
    let keys = judging_keys(services, channel, homes).await?;
    let distrusted = record.admissions().find_map(|(on, received_ms)| keys.distrust(&on, received_ms));
    Ok(distrusted.map(Distrust::cause).map(Objection::Dead))
}

/// The keys by which alerts of this channel are judged. Rules of `homes` sent some
/// alerts here.
pub(super) async fn judging_keys(
    services: &Services,
    channel: ChannelId,
    homes: BTreeSet<ChannelId>,
) -> Result<JudgingKeys, Interruption> {
    let own = services.authority.trust(channel).await?;
    let mut keys = JudgingKeys { own, homes: BTreeMap::new() };
    for home in homes {
        keys.homes.insert(home, services.authority.trust(home).await?);
    }
    Ok(keys)
}

/// Why this user must not be mentioned for this project, if so.
pub(super) async fn mention_cause(
    services: &Services,
    guild: GuildId,
    user: Option<&UserId>,
    project: &str,
) -> Result<Option<Cause>, Interruption> {
    let Some(user) = user else { return Ok(None) };
    Ok(match services.authority.entitlement(guild, *user, project).await? {
        Entitlement::Entitled => None,
        Entitlement::NoProject => Some("the mentioned user has no project in this guild"),
        Entitlement::OtherProject(_) => Some("the mentioned user is registered to another project"),
    }
    .map(|why| Cause::new(DeadLetterReason::Mention, why)))
}

pub(super) fn revoked_cause() -> Cause {
    Cause::new(DeadLetterReason::Revoked, "the channel is no longer authorized: authorize it again")
}
