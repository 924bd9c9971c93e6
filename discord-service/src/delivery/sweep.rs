//! The look through the whole stream for what no wake-up announced: alerts from
//! before the start, or published while NATS was out of reach.
//!
//! It goes on beside everything else: while NATS is slow to list its subjects,
//! wake-ups still reach their lanes.

use std::{collections::BTreeSet, time::Duration};

use futures::FutureExt as _;
use shared::{ChannelId, text::chain, wire};

use super::{Lanes, blockade, lane::Surroundings, lane_of, queue::Waiting};
use crate::{
    batch::BATCH,
    dead_letters::{Cause, Reason},
};

/// A lane without work for so long is put away.
const IDLE: Duration = Duration::from_secs(60);

impl Lanes {
    /// Looks through the stream, unless somebody does.
    pub(super) fn sweep(&mut self) {
        if self.sweeps.is_empty() {
            self.look_through(false);
        }
    }

    /// The same for what this pod did not have when the last look began, and for
    /// closed channels, which have a lane though nothing waits.
    pub(super) fn sweep_anew(&mut self) {
        self.look_through(true);
    }

    fn look_through(&mut self, anew: bool) {
        let (queue, journals) = (self.queue.clone(), self.journals.clone());
        let sweep = async move {
            let waiting = async {
                let waiting = queue.waiting().await?;
                let closed = if anew { blockade::all(&journals).await? } else { Vec::new() };
                anyhow::Ok(Waiting { closed, ..waiting })
            };
            let waiting = waiting.await;
            waiting.inspect_err(|error| tracing::debug!("cannot sweep: {error:#}")).ok()
        };
        self.sweeps.push(sweep.boxed());
    }

    /// Wakes the lanes of what was found.
    pub(super) fn swept(&mut self, Waiting { subjects, oldest_age, closed }: Waiting) {
        for channel in closed {
            self.wake(channel);
        }
        let held = |subject: &str| self.partitions.contains_key(&partition_of(subject));
        let held: Vec<(String, usize)> = subjects.into_iter().filter(|(subject, _)| held(subject)).collect();
        metrics::gauge!("sentry_bot_channels_waiting").set(held.len() as f64);
        let alerts: usize = held.iter().map(|(_, alerts)| alerts).sum();
        metrics::gauge!("sentry_bot_alerts_waiting").set(alerts as f64);
        metrics::gauge!("sentry_bot_oldest_alert_age_seconds").set(oldest_age.as_secs_f64());
        for (subject, _) in held {
            match lane_of(&subject) {
                Some(channel) => self.wake(channel),
                // The next look waits for that: nothing is to be buried twice at once.
                None => self.sweeps.push(bury_strays(self.around.clone(), subject).map(|()| None).boxed()),
            }
        }
        for handle in self
            .lanes
            .values_mut()
            .filter(|handle| handle.last_wake.elapsed() > IDLE && !handle.closed.is_set())
        {
            handle.wake = None;
        }
    }
}

/// Messages on a subject that no lane reads: none of ours wrote them.
async fn bury_strays(around: Surroundings, subject: String) {
    let cause = Cause::new(Reason::Unreadable, format!("no channel has the subject {subject}"));
    let buried = async {
        let stream = around.queue.standing(&subject).await?.stream;
        let strays = around.queue.read(&subject, 1, BATCH).await?.messages;
        let sequences: BTreeSet<u64> = strays.iter().map(|stray| stray.sequence).collect();
        let channel = wire::subject_channel(&subject).unwrap_or(ChannelId::new(0));
        around.dead_letters.bury(channel, strays, &cause).await?;
        around.queue.remove(&stream, &subject, &sequences, None).await
    };
    if let Err(error) = buried.await {
        tracing::warn!(%subject, "cannot remove what no lane reads: {}", chain(&error));
    }
}

/// The partition whose owner looks after this subject: the one that it names,
/// or 0 for what is no subject of ours.
fn partition_of(subject: &str) -> u64 {
    let named = subject.split('.').nth(1).and_then(|number| number.parse().ok());
    named.filter(|number| *number < wire::PARTITIONS).unwrap_or(0)
}
