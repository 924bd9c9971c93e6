//! What the pod that serves a shard of the gateway tells all pods. Something
//! happened at Discord that may open a channel which refused alerts. Or a channel
//! was deleted.
//!
//! It is advice, sent over core NATS, so it may come twice, late or not at all.
//! Each pod that hears it checks for itself whether the channel is open.

use serde::{Deserialize, Serialize};
use shared::{ChannelId, GuildId};

use crate::snowflake;

/// Something changed in a guild that may let the bot post where it could not.
/// Broadcast on [`shared::wire::REOPENING`] as
/// `{"guild":"1","channels":["2"],"spread":false}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// Where it happened.
    #[serde(with = "snowflake")]
    pub guild: GuildId,
    /// The channels and threads that changed, and with a channel its threads;
    /// `None` for all of the guild.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "channels")]
    pub channels: Option<Vec<ChannelId>>,
    /// Whether broadcasts about very many guilds may come at the same time. Then the
    /// pods spread their tries over a minute.
    #[serde(default)]
    pub spread: bool,
    /// The channels and threads that were deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "deleted")]
    pub deleted: Vec<ChannelId>,
}

impl Reopening {
    /// As it goes over NATS.
    pub fn encode(&self) -> Vec<u8> {
        // Numbers, texts and lists of them always become JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a broadcast; none where this build cannot read it.
    pub fn decode(payload: &[u8]) -> Option<Self> {
        serde_json::from_slice(payload).ok()
    }

    /// Whether any channel may be open now.
    pub fn opens(&self) -> bool {
        self.channels.as_ref().is_none_or(|channels| !channels.is_empty())
    }

    /// Whether this channel may be open now. `parent` is the channel of a thread.
    pub fn concerns(&self, guild: GuildId, channel: ChannelId, parent: Option<ChannelId>) -> bool {
        let names = |channels: &Vec<ChannelId>| {
            channels.contains(&channel) || parent.is_some_and(|parent| channels.contains(&parent))
        };
        self.guild == guild && self.channels.as_ref().is_none_or(names)
    }
}

/// The ids of channels, or none.
mod channels {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use shared::ChannelId;

    use crate::snowflake::Snowflake;

    pub(super) fn serialize<S>(ids: &Option<Vec<ChannelId>>, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
    {
        let ids = ids.as_ref().map(|ids| ids.iter().map(|id| Snowflake(*id)).collect::<Vec<_>>());
        ids.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D>(deserializer: D) -> Result<Option<Vec<ChannelId>>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let ids = Option::<Vec<Snowflake<ChannelId>>>::deserialize(deserializer)?;
        Ok(ids.map(|ids| ids.into_iter().map(|Snowflake(id)| id).collect()))
    }
}

/// The ids of channels.
mod deleted {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use shared::ChannelId;

    use crate::snowflake::Snowflake;

    pub(super) fn serialize<S: Serializer>(ids: &[ChannelId], serializer: S) -> Result<S::Ok, S::Error> {
        ids.iter().map(|id| Snowflake(*id)).collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<ChannelId>, D::Error> {
        let ids = Vec::<Snowflake<ChannelId>>::deserialize(deserializer)?;
        Ok(ids.into_iter().map(|Snowflake(id)| id).collect())
    }
}

#[cfg(test)]
mod tests;
