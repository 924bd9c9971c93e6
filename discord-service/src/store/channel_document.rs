//! What the store keeps for one channel in a document of its own, so that no channel's
//! change meets another's. A whole one is written, and only over what was read. One
//! that cannot be understood is an error: to overlook it would let alerts through.

use anyhow::ensure;
use serde::{Serialize, de::DeserializeOwned};
use shared::{
    trust::{self, ChannelTrust},
    wire,
};

use crate::rules::{self, ChannelRules};

/// One such document.
pub(super) trait ChannelDocument: Serialize + DeserializeOwned + Send + Sync {
    /// The collection in Firestore, and the bucket in NATS.
    const COLLECTION: &'static str;
    /// The version that this build writes.
    const VERSION: u32;

    /// The version of this one.
    fn version(&self) -> u32;

    /// Refuses what a newer build wrote: it may close the channel in a way that this
    /// build does not see.
    fn understood(self) -> anyhow::Result<Self> {
        ensure!(
            self.version() <= Self::VERSION,
            "{} was written by a newer version of the bot (v {})",
            Self::COLLECTION,
            self.version()
        );
        Ok(self)
    }
}

impl ChannelDocument for ChannelTrust {
    const COLLECTION: &'static str = wire::CHANNEL_TRUST;
    const VERSION: u32 = trust::VERSION;

    fn version(&self) -> u32 {
        self.v
    }
}

impl ChannelDocument for ChannelRules {
    const COLLECTION: &'static str = wire::CHANNEL_RULES;
    const VERSION: u32 = rules::VERSION;

    fn version(&self) -> u32 {
        self.v
    }
}
