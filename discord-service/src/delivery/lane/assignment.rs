//! What the dispatcher and one lane know of each other.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use shared::{ChannelId, shutdown::CancellationToken};
use tokio::sync::{broadcast, mpsc};

use crate::reopening::Reopening;

/// What the dispatcher gives to one lane.
pub(crate) struct Assignment {
    pub(crate) channel: ChannelId,
    /// Cancelled when the lease of the channel's partition must be given up,
    /// for another pod or because the process ends.
    pub(crate) lease_stop: CancellationToken,
    /// Wake-ups. Closed to end the lane.
    pub(crate) wakes: mpsc::Receiver<()>,
    /// Events that may open the channel again.
    pub(crate) reopenings: broadcast::Receiver<Arc<Reopening>>,
    pub(crate) closed: LaneFlag,
    pub(crate) untold: LaneFlag,
}

/// Tells the dispatcher why a lane must not end: its channel is closed, or the end of
/// a mute must be told.
#[derive(Debug, Clone, Default)]
pub(crate) struct LaneFlag(Arc<AtomicBool>);

impl LaneFlag {
    pub(super) fn set(&self, is_so: bool) {
        self.0.store(is_so, Ordering::Relaxed);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
