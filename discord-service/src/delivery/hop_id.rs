//! The id of an alert's hop from its home to the target of a rule.

use shared::ChannelId;

/// Begins the `Nats-Msg-Id` of every hop.
pub(crate) const PREFIX: &str = "route.";

/// Names one alert of one home. It is the same however often the hop is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HopId {
    home: ChannelId,
    /// When the home's stream was made. Sequences repeat in another one.
    stamp: u64,
    /// Its sequence in the home.
    sequence: u64,
}

impl HopId {
    /// Of the home's alert with this sequence in the stream that was made then, in
    /// JetStream's words.
    pub(crate) fn new(home: ChannelId, stream: &str, sequence: u64) -> Self {
        Self { home, stamp: stamp(stream), sequence }
    }

    /// The `Nats-Msg-Id` of the hop to this target.
    pub(crate) fn message_id(&self, target: ChannelId) -> String {
        format!("{PREFIX}{}", self.key(target))
    }

    /// The key in the bucket [`shared::wire::ROUTED`].
    pub(crate) fn key(&self, target: ChannelId) -> String {
        let Self { home, stamp, sequence } = self;
        format!("{target}.{home}.{stamp}.{sequence}")
    }

    /// Reads what [`Self::message_id`] wrote for this target.
    pub(crate) fn parse(id: &str, target: ChannelId) -> Option<Self> {
        let mut parts = id.strip_prefix(PREFIX)?.split('.');
        let own = parts.next()?.parse() == Ok(target);
        let (home, stamp, sequence) = (parts.next()?, parts.next()?, parts.next()?);
        let hop =
            Self { home: home.parse().ok()?, stamp: stamp.parse().ok()?, sequence: sequence.parse().ok()? };
        (own && parts.next().is_none()).then_some(hop)
    }
}

/// The time at which a stream was made, as a number.
fn stamp(stream: &str) -> u64 {
    let made = chrono::DateTime::parse_from_rfc3339(stream).ok();
    made.and_then(|made| made.timestamp_nanos_opt()).map_or(0, i64::unsigned_abs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_by_its_target_alone() {
        let (home, target) = (ChannelId::new(7), ChannelId::new(8));
        let hop = HopId::new(home, "2026-11-28T12:00:00.000000001Z", 5);
        let id = hop.message_id(target);
        assert_eq!(id, "route.8.7.1795867200000000001.5");
        assert_eq!(HopId::parse(&id, target), Some(hop));
        assert_eq!(HopId::parse(&id, home), None);
        for other in ["route.8.7.1.5.6", "route.8.7.1", "8.7.1.5", "route.8.7.x.5"] {
            assert_eq!(HopId::parse(other, target), None, "{other}");
        }
    }
}
