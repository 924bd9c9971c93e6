//! Publishes the copies of alerts that go to other channels.
//!
//! A copy's id is made of the home's stream and sequence. JetStream stores it once
//! for some minutes. Beyond that, the target's lane recognises a second copy: the
//! first one waits, or its id is in the bucket [`shared::wire::ROUTED`].

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use shared::{Alert, ChannelId, alert::Routing, wire};

use super::{Inbox, Sorter, record::Hop};
use crate::{
    delivery::{hop_id::HopId, issue::IssueKey, ports::Copy},
    direct_get::BATCH,
};

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
        let quiet = hop.to.quiet.is_some();
        let routing = Routing { home: Some(self.channel), ping: hop.to.ping, stranded: None, quiet };
        Copy {
            id: self.id(inbox, hop.sequence).message_id(hop.to.target),
            alert: Alert { channel: hop.to.target, routing, ..alert.clone() },
        }
    }

    /// Leaves out hops whose copy a predecessor published before the target was full.
    async fn leave_out_published(&self, inbox: &Inbox<'_>, full: &mut BTreeSet<Hop>) -> anyhow::Result<()> {
        let targets: BTreeSet<ChannelId> = full.iter().map(|hop| hop.to.target).collect();
        for target in targets {
            let waiting = self.waiting_copies(target).await?;
            let is_waiting = |hop: &Hop| {
                hop.to.target == target && waiting.contains(&self.id(inbox, hop.sequence).message_id(target))
            };
            full.retain(|hop| !is_waiting(hop));
        }
        // In this order: a copy that is done leaves the queue last.
        let asked = full.iter().map(|hop| async {
            let key = self.id(inbox, hop.sequence).key(hop.to.target);
            anyhow::Ok(self.services.routed.get(&key).await?.map(|_| *hop))
        });
        let asked: Vec<_> = asked.collect();
        let done: Vec<Option<Hop>> = stream::iter(asked).buffered(IN_FLIGHT).try_collect().await?;
        let done: BTreeSet<Hop> = done.into_iter().flatten().collect();
        full.retain(|hop| !done.contains(hop));
        Ok(())
    }

    /// The ids of all copies that wait in a channel.
    async fn waiting_copies(&self, target: ChannelId) -> anyhow::Result<BTreeSet<String>> {
        let (queue, subject) = (&self.services.queue, wire::alert_subject(target));
        let (mut waiting, mut from) = (BTreeSet::new(), 1);
        loop {
            let read = queue.read(&subject, from, BATCH).await?;
            let mut messages = read.messages;
            if !read.more || messages.is_empty() {
                // A replica that lags lacks the newest, so the leader is asked too.
                let last = messages.last().map_or(from, |last| last.sequence + 1);
                let Some(next) = queue.first(&subject, last).await? else {
                    waiting.extend(messages.into_iter().filter_map(|stored| stored.hop_id));
                    return Ok(waiting);
                };
                messages.push(next);
            }
            from = messages.last().map_or(from, |last| last.sequence + 1);
            waiting.extend(messages.into_iter().filter_map(|stored| stored.hop_id));
        }
    }

    fn id(&self, inbox: &Inbox<'_>, sequence: u64) -> HopId {
        HopId::new(self.channel, inbox.stream(), sequence)
    }
}
