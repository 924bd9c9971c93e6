//! What a channel's lane has posted so far. It is part of the lane's record, so
//! each post writes it at no cost. It counts each post once, even if a
//! successor confirms it.

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use shared::ChannelId;

use crate::kv::Bucket;

/// Counts since the channel's first alert. Times are in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Tally {
    /// Alerts that are shown in Discord.
    pub posted: u64,
    /// When the last of them was posted.
    pub posted_ms: Option<i64>,
    /// When the last alert that was posted had been received.
    pub received_ms: Option<i64>,
}

impl Tally {
    /// Counts a post of this many alerts. The last of them was received at this
    /// time.
    pub(crate) fn count(&mut self, alerts: usize, received_ms: i64) {
        self.posted = self.posted.saturating_add(alerts as u64);
        self.posted_ms = Some(chrono::Utc::now().timestamp_millis());
        self.received_ms = self.received_ms.max(Some(received_ms));
    }

    /// The tally in a record of whichever version.
    pub(crate) fn read(record: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct WithTally {
            #[serde(default)]
            tally: Tally,
        }
        serde_json::from_slice::<WithTally>(record).map(|record| record.tally).unwrap_or_default()
    }
}

/// The tally of a channel. `bucket` is [`shared::wire::LANES`].
///
/// # Errors
/// When NATS is away.
pub async fn of(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<Tally> {
    let record = bucket.get(&channel.to_string()).await.context("cannot read the lane's record")?;
    Ok(record.map(|record| Tally::read(&record)).unwrap_or_default())
}
