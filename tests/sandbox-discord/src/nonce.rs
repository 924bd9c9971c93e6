//! `enforce_nonce`: a repeat within the window is answered with the first
//! message and creates none.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// The nonces of the bot's recent messages. Discord's reference speaks of "the
/// same author", so the channel does not matter. A nonce that comes again in
/// another channel is also answered with the first message.
#[derive(Debug, Default)]
pub(crate) struct Nonces(HashMap<String, Used>);

#[derive(Debug)]
struct Used {
    channel: u64,
    message: u64,
    at: Instant,
}

impl Nonces {
    /// The channel and the message that this nonce made within the window.
    pub(crate) fn find(&mut self, nonce: &str, window: Duration) -> Option<(u64, u64)> {
        self.0.retain(|_, used| used.at.elapsed() < window);
        self.0.get(nonce).map(|used| (used.channel, used.message))
    }

    pub(crate) fn remember(&mut self, nonce: &str, channel: u64, message: u64) {
        self.0.insert(nonce.to_owned(), Used { channel, message, at: Instant::now() });
    }

    /// Forgets all, as when the window has passed.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}
