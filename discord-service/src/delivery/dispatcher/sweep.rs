//! The look through the whole stream for alerts without a wake-up. They are
//! from before the start, or from a time without a connection to NATS.
//!
//! It runs beside everything else. While NATS is slow to list its subjects,
//! wake-ups still reach their lanes.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures::FutureExt as _;
use shared::{ChannelId, text::chain, wire};

use super::lanes::Lanes;
use crate::{
    closure,
    dead_letters::{Cause, DeadLetterReason},
    delivery::{lane::Services, queue::Listing},
    direct_get::BATCH,
};

/// A lane ends after this long without work.
const IDLE: Duration = Duration::from_secs(60);

/// What a sweep found.
pub(super) struct SweepFindings {
    waiting: Listing,
    /// Closed channels, if the sweep looked for them.
    closed: Vec<ChannelId>,
}

impl Lanes {
    /// Starts a sweep, unless one is under way.
    pub(super) fn sweep(&mut self) {
        if self.sweeps.is_empty() {
            self.look_through(false);
        }
    }

    /// Starts a sweep in any case, for partitions that are new to this pod. It
    /// also looks for closed channels, which have a lane even if nothing waits.
    pub(super) fn sweep_all(&mut self) {
        self.look_through(true);
    }

    fn look_through(&mut self, with_closed: bool) {
        let (queue, journals) = (self.queue.clone(), self.journals.clone());
        let sweep = async move {
            let found = async {
                let waiting = queue.list().await?;
                let closed = if with_closed { closure::all(&journals).await? } else { Vec::new() };
                anyhow::Ok(SweepFindings { waiting, closed })
            };
            let found = found.await;
            found.inspect_err(|error| tracing::debug!("cannot sweep: {error:#}")).ok()
        };
        self.sweeps.push(sweep.boxed());
    }

    /// Wakes the lanes that the findings are for.
    pub(super) fn swept(&mut self, SweepFindings { waiting, closed }: SweepFindings) {
        for channel in closed {
            self.wake(channel);
        }
        let Listing { subjects, oldest_age } = waiting;
        let held = subjects.into_iter().filter(|(subject, _)| self.has(partition_of(subject)));
        let held: Vec<(String, usize)> = held.collect();
        metrics::gauge!("sentry_bot_channels_waiting").set(held.len() as f64);
        let alerts: usize = held.iter().map(|(_, alerts)| alerts).sum();
        metrics::gauge!("sentry_bot_alerts_waiting").set(alerts as f64);
        metrics::gauge!("sentry_bot_oldest_alert_age_seconds").set(oldest_age.as_secs_f64());
        for (subject, _) in held {
            match lane_of(&subject) {
                Some(channel) => self.wake(channel),
                // The next sweep waits for this, so that nothing is buried
                // twice at once.
                None => {
                    let burial = bury_strays(self.services.clone(), subject);
                    self.sweeps.push(burial.map(|()| None).boxed());
                }
            }
        }
        self.put_away_idle(IDLE);
    }
}

/// Makes dead letters of messages on a subject that no lane reads. Not our code
/// wrote them.
async fn bury_strays(services: Arc<Services>, subject: String) {
    let cause = Cause::new(DeadLetterReason::Unreadable, format!("no channel has the subject {subject}"));
    let buried = async {
        let stream = services.queue.state(&subject).await?.stream;
        let strays = services.queue.read(&subject, 1, BATCH).await?.messages;
        let sequences: BTreeSet<u64> = strays.iter().map(|stray| stray.sequence).collect();
        let channel = wire::subject_channel(&subject).unwrap_or(ChannelId::new(0));
        services.dead_letters.bury(channel, strays, &cause).await?;
        services.queue.remove(&stream, &subject, &sequences, None).await
    };
    if let Err(error) = buried.await {
        tracing::warn!(%subject, "cannot remove what no lane reads: {}", chain(&error));
    }
}

/// The channel whose lane reads this subject.
fn lane_of(subject: &str) -> Option<ChannelId> {
    let channel = wire::subject_channel(subject)?;
    (wire::alert_subject(channel) == subject).then_some(channel)
}

/// The partition whose owner looks after this subject: the one in its name, or
/// 0 if it is not a subject of ours.
fn partition_of(subject: &str) -> u64 {
    let named = subject.split('.').nth(1).and_then(|number| number.parse().ok());
    named.filter(|number| *number < wire::PARTITIONS).unwrap_or(0)
}
