//! What the pod that serves a shard of the gateway tells all pods: something
//! happened at Discord that may open a channel which refused alerts.
//!
//! It is advice, sent over core NATS: it may come twice, late or not at all, and
//! whoever hears it looks for itself whether the channel is open.

use serde::{Deserialize, Serialize};
use shared::{ChannelId, GuildId};

/// Something changed in a guild that may let the bot post where it could not.
/// Broadcast on [`shared::wire::REOPENING`] as
/// `{"guild":"1","channels":["2"],"spread":false}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reopening {
    /// Where it happened.
    #[serde(with = "text")]
    pub guild: GuildId,
    /// The channels and threads that changed, and with a channel its threads;
    /// `None` for all of the guild.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "texts")]
    pub channels: Option<Vec<ChannelId>>,
    /// Whether very many guilds may be told of at the same time, so that tries
    /// are to be spread over a minute.
    #[serde(default)]
    pub spread: bool,
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

    /// Whether this channel may be open now. `parent` is the channel of a thread.
    pub fn concerns(&self, guild: GuildId, channel: ChannelId, parent: Option<ChannelId>) -> bool {
        let names = |channels: &Vec<ChannelId>| {
            channels.contains(&channel) || parent.is_some_and(|parent| channels.contains(&parent))
        };
        self.guild == guild && self.channels.as_ref().is_none_or(names)
    }
}

/// An id as text, as Discord writes it.
pub(crate) mod text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<T: Display, S: Serializer>(id: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub(crate) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Ids as texts, or none.
mod texts {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use shared::ChannelId;

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Text(#[serde(with = "super::text")] ChannelId);

    pub(super) fn serialize<S>(ids: &Option<Vec<ChannelId>>, serializer: S) -> Result<S::Ok, S::Error>
    where
        S: Serializer,
    {
        match ids {
            Some(ids) => serializer.collect_seq(ids.iter().map(|id| Text(*id))),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D>(deserializer: D) -> Result<Option<Vec<ChannelId>>, D::Error>
    where
        D: Deserializer<'de>,
    {
        let ids = Option::<Vec<Text>>::deserialize(deserializer)?;
        Ok(ids.map(|ids| ids.into_iter().map(|Text(id)| id).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUILD: GuildId = GuildId::new(u64::MAX);

    fn of(channels: Option<&[u64]>) -> Reopening {
        let channels = channels.map(|ids| ids.iter().map(|id| ChannelId::new(*id)).collect());
        Reopening { guild: GUILD, channels, spread: false }
    }

    #[test]
    fn a_broadcast_is_read_as_it_was_written() {
        for told in [of(None), of(Some(&[])), of(Some(&[0, 7])), Reopening { spread: true, ..of(None) }] {
            assert_eq!(Reopening::decode(&told.encode()), Some(told));
        }
        let json = String::from_utf8(of(Some(&[7])).encode()).expect("text");
        assert_eq!(json, r#"{"guild":"18446744073709551615","channels":["7"],"spread":false}"#);
        assert!(!String::from_utf8_lossy(&of(None).encode()).contains("channels"));
    }

    #[test]
    fn a_later_build_may_say_more_and_what_is_unreadable_is_nothing() {
        let more = br#"{"guild":"1","why":{"role":"2"}}"#;
        let told = Reopening { guild: GuildId::new(1), ..of(None) };
        assert_eq!(Reopening::decode(more), Some(told));
        for unreadable in ["", "{}", "null", "1", r#"{"guild":1}"#, r#"{"guild":"1","channels":[2]}"#] {
            assert_eq!(Reopening::decode(unreadable.as_bytes()), None, "{unreadable}");
        }
    }

    #[test]
    fn it_concerns_the_channels_that_it_names_and_their_threads() {
        let (one, two) = (ChannelId::new(1), ChannelId::new(2));
        assert!(of(None).concerns(GUILD, one, None));
        assert!(of(Some(&[1])).concerns(GUILD, one, None));
        assert!(of(Some(&[1])).concerns(GUILD, two, Some(one)));
        assert!(!of(Some(&[1])).concerns(GUILD, two, None));
        assert!(!of(Some(&[])).concerns(GUILD, one, None));
        assert!(!of(None).concerns(GuildId::new(1), one, None));
    }
}
