//! Which shard of the gateway.

/// One of the parts into which Discord splits a bot's guilds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShardId {
    pub(super) id: u32,
    pub(super) total: u32,
}
