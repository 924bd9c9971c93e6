//! Sorts while a request to Discord is under way, so that no alert for another
//! channel waits for it.

use std::sync::Arc;

use shared::shutdown::CancellationToken;
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, sleep, sleep_until},
};

use super::Sorter;
use crate::{
    delivery::lane::{
        admission::admission, closure_watch::ClosureWatch, inbox::Inbox, interruption::Interruption,
    },
    rules::ChannelRules,
};

/// How often to look for changed rules meanwhile.
const LOOK: Duration = Duration::from_millis(250);

impl Sorter<'_> {
    /// Returns when there may be something to sort: with the rules, if they have
    /// changed, or when what had to wait may be tried again.
    pub(in crate::delivery::lane) async fn unsorted(
        &self,
        known: Option<Arc<ChannelRules>>,
    ) -> Option<Arc<ChannelRules>> {
        loop {
            match self.held_until() {
                Some(until) if until < Instant::now() + LOOK => {
                    sleep_until(until).await;
                    return None;
                }
                _ => sleep(LOOK).await,
            }
            let rules = self.services.authority.rules(self.channel).await.ok();
            let is_new = |rules: &Arc<_>| known.as_ref().is_none_or(|known| !Arc::ptr_eq(rules, known));
            if let Some(rules) = rules.filter(is_new) {
                return Some(rules);
            }
        }
    }

    /// Sorts what comes until `landed`, and then finishes its batch: a write whose
    /// answer is lost would end the lane.
    pub(in crate::delivery::lane) async fn sort_beside(
        &mut self,
        inbox: &mut Inbox<'_>,
        closure: &mut ClosureWatch<'_>,
        wakes: &mut mpsc::Receiver<()>,
        landed: &CancellationToken,
    ) -> Result<(), Interruption> {
        if !self.is_open() {
            return Ok(());
        }
        self.sort_until(inbox, closure, wakes, landed).await
    }

    async fn sort_until(
        &mut self,
        inbox: &mut Inbox<'_>,
        closure: &mut ClosureWatch<'_>,
        wakes: &mut mpsc::Receiver<()>,
        landed: &CancellationToken,
    ) -> Result<(), Interruption> {
        while !landed.is_cancelled() {
            let known = inbox.places().rules().is_some();
            if known
                && self.has_work(inbox)
                // Otherwise the lane's next step says what becomes of it.
                && let Ok(admission) = admission(self.services, self.channel, inbox, closure).await
                && let Some(guild) = admission.guild()
            {
                self.work(inbox, guild).await?;
                continue;
            }
            tokio::select! {
                biased;
                () = landed.cancelled() => return Ok(()),
                Some(()) = wakes.recv() => tokio::select! {
                    biased;
                    read = inbox.read_after_wake_up() => read?,
                    () = landed.cancelled() => return Ok(()),
                },
                () = sleep(LOOK) => {
                    if let Ok(rules) = self.services.authority.rules(self.channel).await {
                        inbox.learn(&rules);
                    }
                }
            }
        }
        Ok(())
    }
}
