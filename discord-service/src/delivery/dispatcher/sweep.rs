//! Looks through the whole stream for what no wake-up announced: alerts from before
//! the start, or stored while NATS was out of reach.
//!
//! It runs beside everything else. While NATS is slow to list its subjects,
//! wake-ups still reach their lanes.

use std::{collections::BTreeSet, sync::Arc};

use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use shared::{ChannelId, text::chain, wire};

use crate::{
    closure,
    dead_letters::{Cause, DeadLetterReason},
    delivery::{
        lane::{Services, all_muted},
        queue::{DeliveryQueue, Listing},
    },
    direct_get::BATCH,
    kv::Bucket,
};

/// What a look found.
pub(super) struct SweepFindings {
    waiting: Listing,
    /// Closed channels, and those with mutes whose end must be told, if the look was
    /// for them too.
    quiet: Vec<ChannelId>,
}

/// The looks through the stream.
pub(super) struct Sweep {
    queue: DeliveryQueue,
    lanes_bucket: Bucket,
    services: Arc<Services>,
    /// Looks, and burials of what they found.
    under_way: FuturesUnordered<BoxFuture<'static, Ended>>,
    /// A look for quiet channels has failed, so the next one is for them too.
    quiet_missed: bool,
}

/// What was under way.
enum Ended {
    Found(SweepFindings),
    Failed { with_quiet: bool },
    Buried,
}

impl Sweep {
    pub(super) fn new(queue: DeliveryQueue, lanes_bucket: Bucket, services: Arc<Services>) -> Self {
        Self { queue, lanes_bucket, services, under_way: FuturesUnordered::new(), quiet_missed: false }
    }

    /// Begins a look, unless something is under way.
    pub(super) fn look(&mut self) {
        if self.under_way.is_empty() {
            let with_quiet = std::mem::take(&mut self.quiet_missed);
            self.begin(with_quiet);
        }
    }

    /// Begins a look in any case, because the pod has new partitions. It is also for
    /// channels that have a lane though nothing waits.
    pub(super) fn look_for_quiet_too(&mut self) {
        self.begin(true);
    }

    fn begin(&mut self, with_quiet: bool) {
        let (queue, lanes_bucket) = (self.queue.clone(), self.lanes_bucket.clone());
        let look = async move {
            let found = async {
                let waiting = queue.list().await?;
                let mut quiet = Vec::new();
                if with_quiet {
                    quiet = closure::all(&lanes_bucket).await?;
                    quiet.extend(all_muted(&lanes_bucket).await?);
                }
                anyhow::Ok(SweepFindings { waiting, quiet })
            };
            match found.await {
                Ok(found) => Ended::Found(found),
                Err(error) => {
                    tracing::debug!("cannot sweep: {error:#}");
                    Ended::Failed { with_quiet }
                }
            }
        };
        self.under_way.push(look.boxed());
    }

    /// What the next look finds; none while no look is under way.
    pub(super) async fn next(&mut self) -> Option<SweepFindings> {
        while let Some(ended) = self.under_way.next().await {
            match ended {
                Ended::Found(found) => return Some(found),
                Ended::Failed { with_quiet } => self.quiet_missed |= with_quiet,
                Ended::Buried => {}
            }
        }
        None
    }

    /// The channels of this pod's partitions that need a lane. `has` says whether the
    /// pod has a partition.
    pub(super) fn channels(
        &self,
        SweepFindings { waiting, quiet }: SweepFindings,
        has: impl Fn(u64) -> bool,
    ) -> Vec<ChannelId> {
        let Listing { subjects, oldest_age } = waiting;
        let held = subjects.into_iter().filter(|(subject, _)| has(partition_of(subject)));
        let held: Vec<(String, usize)> = held.collect();
        metrics::gauge!("sentry_bot_channels_waiting").set(held.len() as f64);
        let alerts: usize = held.iter().map(|(_, alerts)| alerts).sum();
        metrics::gauge!("sentry_bot_alerts_waiting").set(alerts as f64);
        metrics::gauge!("sentry_bot_oldest_alert_age_seconds").set(oldest_age.as_secs_f64());
        let mut channels = quiet;
        for (subject, _) in held {
            match channel_of(&subject) {
                Some(channel) => channels.push(channel),
                // The next look waits for that: nothing is to be buried twice at once.
                None => {
                    let burial = bury_strays(self.services.clone(), subject);
                    self.under_way.push(burial.map(|()| Ended::Buried).boxed());
                }
            }
        }
        channels
    }
}

/// Messages on a subject that no lane reads: none of ours wrote them.
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
fn channel_of(subject: &str) -> Option<ChannelId> {
    let channel = wire::subject_channel(subject)?;
    (wire::alert_subject(channel) == subject).then_some(channel)
}

/// The partition whose owner looks after this subject: the one in its name, or
/// 0 if it is not a subject of ours.
fn partition_of(subject: &str) -> u64 {
    let named = subject.split('.').nth(1).and_then(|number| number.parse().ok());
    named.filter(|number| *number < wire::PARTITIONS).unwrap_or(0)
}
