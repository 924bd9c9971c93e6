//! Sorts while a request to Discord is under way, so that no alert for another
//! channel waits for it.

use std::sync::Arc;

use shared::{GuildId, shutdown::CancellationToken};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, sleep, sleep_until},
};

use super::Sorter;
use crate::{
    authority::ChannelStanding,
    delivery::lane::{
        closure_watch::ClosureWatch, inbox::Inbox, interruption::Interruption, permission::judging_keys,
    },
    rules::ChannelRules,
};

/// How often to look for changed rules meanwhile.
const LOOK: Duration = Duration::from_millis(250);

impl Sorter<'_> {
    /// Returns when there may be something to sort: with the rules, if they have
    /// changed, or when what had to wait may be tried again. Also returns when the
    /// end of a mute must be told.
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
            if self.ended(rules.as_deref()).is_some() {
                return None;
            }
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
                && let Some(guild) = self.admitted(inbox, closure).await
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

    /// The channel's guild, if all that waits may be posted. Otherwise the lane's next
    /// step says what becomes of it.
    async fn admitted(&self, inbox: &mut Inbox<'_>, closure: &mut ClosureWatch<'_>) -> Option<GuildId> {
        let authority = &self.services.authority;
        if !inbox.backlog().waiting_before(self.services.oldest_ms()).is_empty() {
            return None;
        }
        let ChannelStanding::Authorized(guild) = authority.standing(self.channel).await.ok()? else {
            return None;
        };
        if closure.closed().await.ok()?.is_some() {
            return None;
        }
        let homes = inbox.backlog().homes();
        let keys = judging_keys(self.services, self.channel, homes).await.ok()?;
        inbox.backlog_mut().distrusted(&keys).is_none().then_some(guild)
    }
}
