//! What a lane does next, a post or an edit, and when.
//!
//! A post goes before an edit. Only the post of an issue that is back waits for the
//! edit of its earlier message, for a moment: see [`super::edit_schedule`].
//!
//! Discord allows few posts in a window. In a burst the first alerts would use
//! them up, one or two in each, and the rest would wait for the next window. So
//! the less is left of a window, the longer a post waits for more alerts. A
//! lone alert does not wait, and neither does a full post.

use std::time::Duration;

use futures::FutureExt as _;
use shared::{ChannelId, shutdown::CancellationToken};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{compose::MAX_EMBEDS, edit_schedule::EditSchedule, inbox::Inbox, services::Services};
use crate::delivery::backlog::Backlog;

/// The pause at the end of a window. It grows with the square of the used
/// share. With five posts in a window it is 20, 80, 180 and 320 ms.
const LONGEST: Duration = Duration::from_millis(500);
/// How often to check meanwhile whether the post is full.
const PEEK: Duration = Duration::from_millis(20);

/// What a lane does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NextStep {
    Post,
    Edit,
}

/// When the lane posts and when it edits.
pub(super) struct Schedule<'a> {
    services: &'a Services,
    channel: ChannelId,
    lease_stop: &'a CancellationToken,
    /// Which messages are edited, and when.
    pub(super) edits: EditSchedule<'a>,
    /// When Discord confirmed the last post of this lane.
    last_post: Option<Instant>,
}

impl<'a> Schedule<'a> {
    pub(super) fn new(services: &'a Services, channel: ChannelId, lease_stop: &'a CancellationToken) -> Self {
        let edits = EditSchedule::new(services, channel);
        Self { services, channel, lease_stop, edits, last_post: None }
    }

    /// Notes that Discord has confirmed a post.
    pub(super) fn posted(&mut self) {
        self.last_post = Some(Instant::now());
    }

    /// What to do now. `None` after a wait for Discord's limits, because more
    /// may have come meanwhile. `sorts`: some of that may not belong here.
    pub(super) async fn next(
        &mut self,
        inbox: &mut Inbox<'_>,
        wakes: &mut mpsc::Receiver<()>,
        sorts: bool,
    ) -> anyhow::Result<Option<NextStep>> {
        self.edits.sort(inbox.backlog_mut()).await?;
        self.edits.post_what_is_back(inbox.backlog_mut());
        if inbox.backlog().has_hushed() {
            return Ok(None);
        }
        let post = inbox.backlog().embeds_to_post().next().is_some();
        let edit = self.edits.next(inbox.backlog()).is_some();
        let held = self.held_until(inbox.backlog()).filter(|_| post);
        let posting = self.services.discord.until_free(self.channel);
        let editing = self.services.discord.until_edit_free(self.channel);
        tokio::pin!(posting, editing);
        let free = post && futures::poll!(&mut posting).is_ready();
        if free && held.is_none() {
            return Ok(Some(NextStep::Post));
        }
        if edit && futures::poll!(&mut editing).is_ready() {
            return Ok(Some(NextStep::Edit));
        }
        if let Some(until) = held.filter(|_| free) {
            sleep_until(until.min(Instant::now() + PEEK)).await;
            return Ok(None);
        }
        let held_edits = self.edits.held_until();
        tokio::select! {
            () = posting, if post => {}
            () = editing, if edit => {}
            () = sleep_until(held_edits.unwrap_or_else(Instant::now)), if held_edits.is_some() => {}
            // What comes for other channels must not wait for a post.
            Some(()) = wakes.recv(), if !post || sorts => inbox.read_after_wake_up().await?,
            () = self.lease_stop.cancelled() => {}
        }
        Ok(None)
    }

    /// Whether [`Self::next`] would say to post now.
    pub(super) fn post_is_due(&self, backlog: &Backlog) -> bool {
        backlog.embeds_to_post().next().is_some()
            && self.held_until(backlog).is_none()
            && self.services.discord.until_free(self.channel).now_or_never().is_some()
    }

    /// How long the next post waits for more alerts, if it does.
    fn held_until(&self, backlog: &Backlog) -> Option<Instant> {
        let until = self.last_post? + pause(self.services.discord.used(self.channel));
        let full = || backlog.embeds_to_post().take(MAX_EMBEDS).count() == MAX_EMBEDS;
        (until > Instant::now() && !full()).then_some(until)
    }
}

/// The pause after a post when this share of the window is used.
fn pause(used: f64) -> Duration {
    LONGEST.mul_f64((used * used).clamp(0.0, 1.0))
}
