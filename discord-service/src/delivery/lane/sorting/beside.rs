//! Sorts while a request to Discord is under way, so that no alert for another
//! channel waits for it.

use std::sync::Arc;

use shared::shutdown::CancellationToken;
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, sleep_until},
};

use super::Sorter;
use crate::{
    delivery::{
        backoff::Backoff,
        lane::{admission::admission, closure_watch::ClosureWatch, inbox::Inbox, interruption::Interruption},
    },
    rules::ChannelRules,
};

/// How often to look for changed rules meanwhile.
const LOOK: Duration = Duration::from_millis(250);
/// The longest pause between two looks while the store is away.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// When to look for changed rules. It outlives each wait, because what wakes the lane
/// must not put a look off.
#[derive(Debug)]
pub(super) struct NextLook {
    at: Instant,
    backoff: Backoff,
}

impl NextLook {
    pub(super) fn new() -> Self {
        Self { at: Instant::now(), backoff: Backoff::new(LOOK, LONGEST_PAUSE) }
    }

    fn put_off(&mut self, found: bool) {
        let pause = if found { LOOK } else { self.backoff.next() };
        if found {
            self.backoff.reset();
        }
        self.at = Instant::now() + pause;
    }
}

impl Sorter<'_> {
    /// The rules, if it is time to look for them and they are known now.
    async fn look(&mut self) -> Option<Arc<ChannelRules>> {
        if Instant::now() < self.next_look.at {
            return None;
        }
        let rules = self.services.authority.rules(self.channel).await;
        self.next_look.put_off(rules.is_ok());
        rules.ok()
    }

    /// Returns when a mute has ended, or when what had to wait may be tried again.
    /// Returns the rules as soon as they have changed.
    pub(in crate::delivery::lane) async fn unsorted(
        &mut self,
        known: Option<Arc<ChannelRules>>,
    ) -> Option<Arc<ChannelRules>> {
        loop {
            match self.held_until() {
                Some(until) if until < self.next_look.at => {
                    sleep_until(until).await;
                    return None;
                }
                _ => sleep_until(self.next_look.at).await,
            }
            let rules = self.look().await;
            if !self.ended(rules.as_deref()).is_empty() {
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
            if let Some(rules) = self.look().await {
                inbox.learn(&rules);
            }
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
                () = sleep_until(self.next_look.at) => {}
            }
        }
        Ok(())
    }
}
