//! Reads the outcome in Discord and in NATS.

use std::time::Duration;

use harness::wait::wait_for;
use shared::wire;

use super::Stack;
use crate::shown::{Shown, shown};

impl Stack {
    /// The embeds of alerts in the channel, in their order.
    pub fn shown(&self, channel: u64) -> Vec<Shown> {
        shown(&self.sandbox.messages(channel))
    }

    /// How many alerts are shown in the channel.
    pub fn alerts(&self, channel: u64) -> u64 {
        self.shown(channel).iter().map(|embed| embed.count).sum()
    }

    /// Waits until this many alerts are shown in the channel, each counted.
    pub async fn until_shown(&self, channel: u64, alerts: u64, limit: Duration) -> Vec<Shown> {
        wait_for(&format!("{alerts} alerts are shown"), limit, || async {
            let shown = self.shown(channel);
            (shown.iter().map(|embed| embed.count).sum::<u64>() >= alerts).then_some(shown)
        })
        .await
    }

    /// How many messages a stream of NATS holds.
    pub async fn stored(&self, stream: &str) -> u64 {
        let js = async_nats::jetstream::new(self.nats.client().await);
        let mut stream = js.get_stream(stream).await.expect("the stream exists");
        stream.info().await.expect("NATS answers").state.messages
    }

    /// Waits until nothing waits in the queue.
    pub async fn until_drained(&self, limit: Duration) {
        wait_for("the queue is empty", limit, || async {
            (self.stored(wire::ALERTS).await == 0).then_some(())
        })
        .await;
    }

    /// Waits until nothing waits in the queue, and checks that nothing became a dead
    /// letter and that the bot was careful.
    pub async fn assert_all_posted(&self, limit: Duration) {
        self.until_drained(limit).await;
        assert_eq!(self.stored(wire::DEAD_LETTERS).await, 0);
        self.assert_clean();
    }

    /// Checks at the end of every test that the bot sent Discord no unknown and
    /// no careless request.
    pub fn assert_clean(&self) {
        let stats = self.sandbox.stats();
        assert_eq!(stats.unknown_requests, Vec::<String>::new());
        assert_eq!(stats.violations, Vec::<String>::new());
        // Replies to commands may overlap.
        let doubled = stats.in_flight_max.iter().filter(|(_, posts)| **posts > 1);
        let doubled = doubled.map(|(channel, _)| *channel).filter(|channel| !self.shown(*channel).is_empty());
        assert_eq!(doubled.collect::<Vec<u64>>(), Vec::<u64>::new(), "two posts in flight in a channel");
    }
}
