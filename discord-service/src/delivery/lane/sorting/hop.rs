//! Publishes the copies of alerts that go to other channels.
//!
//! A copy's id is made of the home's stream and sequence. JetStream stores it once
//! for some minutes. Beyond that, the target's lane recognises a second copy: the
//! first one waits, or its id is in the bucket [`shared::wire::ROUTED`].

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use shared::{Alert, ChannelId, alert::Routing, wire};

use super::{Inbox, Sorter, record::Hop};
use crate::delivery::{hop_id::HopId, issue::IssueKey, ports::Copy};

/// How many ids are looked up at once.
const IN_FLIGHT: usize = 64;

impl Sorter<'_> {
    /// Publishes these hops. Returns those whose target is full. `resumed`: a
    /// predecessor may have published some.
    pub(super) async fn publish(
        &mut self,
        inbox: &Inbox<'_>,
        hops: &[Hop],
        alerts: &BTreeMap<u64, Alert>,
        resumed: bool,
    ) -> anyhow::Result<BTreeSet<Hop>> {
        let hops: Vec<(Hop, &Alert)> =
            hops.iter().filter_map(|hop| Some((*hop, alerts.get(&hop.sequence)?))).collect();
        if hops.is_empty() {
            return Ok(BTreeSet::new());
        }
        let by_rule = hops.iter().filter(|(hop, _)| hop.to.rule.is_some());
        let issues = by_rule.filter_map(|(hop, alert)| Some((IssueKey::of(alert)?, hop.to.target)));
        // Before the first copy: changes of the issue must find it.
        self.issues.add(self.services.messages.bucket(), &issues.collect()).await?;
        let copies = hops.iter().map(|(hop, alert)| self.copy(inbox, *hop, alert)).collect();
        let stored = self.services.queue.publish(copies).await?;
        let full = hops.into_iter().zip(stored).filter(|(_, stored)| !stored);
        let mut full: BTreeSet<Hop> = full.map(|((hop, _), _)| hop).collect();
        if resumed && !full.is_empty() {
            self.leave_out_published(inbox, &mut full).await?;
        }
        Ok(full)
    }

    fn copy(&self, inbox: &Inbox<'_>, hop: Hop, alert: &Alert) -> Copy {
        let routing = Routing { home: Some(self.channel), ping: hop.to.ping, stranded: None };
        Copy {
            id: self.id(inbox, hop.sequence).message_id(hop.to.target),
            alert: Alert { channel: hop.to.target, routing, ..alert.clone() },
        }
    }

    /// Leaves out hops whose copy a predecessor published before the target was full.
    async fn leave_out_published(&self, inbox: &Inbox<'_>, full: &mut BTreeSet<Hop>) -> anyhow::Result<()> {
        // A copy comes after the alert, in the same stream.
        let Some(first) = full.first().map(|hop| hop.sequence) else { return Ok(()) };
        let targets: BTreeSet<ChannelId> = full.iter().map(|hop| hop.to.target).collect();
        let mut waiting = BTreeSet::new();
        for target in targets {
            let subject = wire::alert_subject(target);
            let mut from = first + 1;
            // The leader is asked for each: a replica might not show a copy.
            while let Some(stored) = self.services.queue.first(&subject, from).await? {
                from = stored.sequence + 1;
                waiting.extend(stored.hop_id);
            }
        }
        let published = |hop: &Hop| waiting.contains(&self.id(inbox, hop.sequence).message_id(hop.to.target));
        full.retain(|hop| !published(hop));
        // In this order: a copy that is done leaves the queue last.
        let asked = full.iter().map(|hop| {
            let key = self.id(inbox, hop.sequence).key(hop.to.target);
            async move { anyhow::Ok((*hop, self.services.routed.get(&key).await?.is_some())) }
        });
        let asked: Vec<_> = asked.collect();
        let done: Vec<(Hop, bool)> = stream::iter(asked).buffered(IN_FLIGHT).try_collect().await?;
        let left = done.into_iter().filter(|(_, is_done)| !is_done);
        *full = left.map(|(hop, _)| hop).collect();
        Ok(())
    }

    fn id(&self, inbox: &Inbox<'_>, sequence: u64) -> HopId {
        HopId::new(self.channel, inbox.stream(), sequence)
    }
}
