//! How quickly one post of a channel follows another.
//!
//! In a burst the first alerts would take the few posts that Discord allows in
//! a window, one or two in each, and the rest would wait for the next window. So
//! the less is left of a window, the longer a post waits after the last one for
//! more alerts to join it. One that has come alone, or that is full, waits for
//! nothing.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::{lane::Lane, post::EMBEDS};

/// What the pause would be at the end of a window; it grows with the square of
/// what is used. With five posts in a window: 20, 80, 180 and 320 ms.
const LONGEST: Duration = Duration::from_millis(500);
/// How often to look meanwhile whether the post is full.
const PEEK: Duration = Duration::from_millis(20);

/// The pause after a post when this share of the window is used.
fn pause(used: f64) -> Duration {
    LONGEST.mul_f64((used * used).clamp(0.0, 1.0))
}

impl Lane<'_> {
    /// Until when the next post waits for more, if it does.
    pub(super) fn held_until(&self) -> Option<Instant> {
        let until = self.last_post? + pause(self.around.discord.used(self.channel));
        let full = || self.backlog.embeds_to_post().take(EMBEDS).count() == EMBEDS;
        (until > Instant::now() && !full()).then_some(until)
    }

    /// Waits a part of that time.
    pub(super) async fn hold(&self, until: Instant) {
        sleep_until(until.min(Instant::now() + PEEK)).await;
    }
}
