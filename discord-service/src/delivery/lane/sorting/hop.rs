//! Publishes the copies of alerts that go to other channels.
//!
//! A copy's id is made of the home's stream and sequence. JetStream stores it once
//! for some minutes. Beyond that, the target's lane recognises a second copy: the
//! first one waits, or its id is in the bucket [`shared::wire::ROUTED`].

use std::collections::{BTreeMap, BTreeSet};

use shared::{Alert, ChannelId, alert::Routing, wire};

use super::{Inbox, Sorter, record::Hop};
use crate::delivery::{hop_id::HopId, issue::IssueKey, ports::Copy};

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
        let hops: Vec<Hop> = hops.iter().filter(|hop| alerts.contains_key(&hop.sequence)).copied().collect();
        if hops.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut copies = Vec::with_capacity(hops.len());
        for hop in &hops {
            let Some(alert) = alerts.get(&hop.sequence) else { continue };
            if hop.rule.is_some()
                && let Some(issue) = IssueKey::of(alert)
            {
                // Before the first copy: changes of the issue must find it.
                self.issues.add(self.services.messages.bucket(), &issue, hop.target).await?;
            }
            copies.push(self.copy(inbox, *hop, alert));
        }
        let stored = self.services.queue.publish(copies).await?;
        let full = hops.into_iter().zip(stored).filter(|(_, stored)| !stored).map(|(hop, _)| hop);
        let mut full: BTreeSet<Hop> = full.collect();
        if resumed && !full.is_empty() {
            self.leave_out_published(inbox, &mut full).await?;
        }
        Ok(full)
    }

    fn copy(&self, inbox: &Inbox<'_>, hop: Hop, alert: &Alert) -> Copy {
        let routing = Routing { home: Some(self.channel), ping: hop.ping, stranded: None };
        Copy {
            id: self.id(inbox, hop.sequence).message_id(hop.target),
            alert: Alert { channel: hop.target, routing, ..alert.clone() },
        }
    }

    /// Leaves out hops whose copy a predecessor published before the target was full.
    async fn leave_out_published(&self, inbox: &Inbox<'_>, full: &mut BTreeSet<Hop>) -> anyhow::Result<()> {
        let targets: BTreeSet<ChannelId> = full.iter().map(|hop| hop.target).collect();
        for target in targets {
            let subject = wire::alert_subject(target);
            let mut from = 1;
            let mut waiting = BTreeSet::new();
            // The leader is asked for each: a replica might not show a copy.
            while let Some(stored) = self.services.queue.first(&subject, from).await? {
                from = stored.sequence + 1;
                waiting.extend(stored.hop_id);
            }
            let of_target = full.iter().filter(|hop| hop.target == target).copied();
            for hop in of_target.collect::<Vec<_>>() {
                let id = self.id(inbox, hop.sequence);
                // In this order: a copy that is done leaves the queue last.
                if waiting.contains(&id.message_id(target))
                    || self.services.routed.get(&id.key(target)).await?.is_some()
                {
                    full.remove(&hop);
                }
            }
        }
        Ok(())
    }

    fn id(&self, inbox: &Inbox<'_>, sequence: u64) -> HopId {
        HopId::new(self.channel, inbox.stream(), sequence)
    }
}
