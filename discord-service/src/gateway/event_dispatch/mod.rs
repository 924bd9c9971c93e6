//! From an event of the gateway to the handler of what somebody did.

use std::{future::Future, sync::Arc};

use shared::{ChannelId, GuildId, UserId};
use tokio_util::task::TaskTracker;

use super::{
    concurrency_limits::{ConcurrencyLimit, ConcurrencyPermit, ConcurrencyQuota, EventSource},
    events_in_flight::Handling,
    handler::{Handler, Typed},
    interaction::{InteractionCreate, Invoked, Wants},
    protocol::{MessageCreate, TYPED_KINDS},
};
use crate::lease::Fence;

/// Typed commands. A channel has so many because a successor hears those of some
/// seconds at once.
const TYPED: ConcurrencyQuota = ConcurrencyQuota { in_all: 1_024, guild: 32, channel: 16, member: 12 };
/// Slash commands and modals.
const INTERACTIONS: ConcurrencyQuota = ConcurrencyQuota { in_all: 1_024, guild: 32, channel: 32, member: 6 };
/// Completions: a client asks for one at each key.
const COMPLETIONS: ConcurrencyQuota = ConcurrencyQuota { in_all: 256, guild: 16, channel: 16, member: 3 };
/// Interactions that are told that there is no room. That is one quick request,
/// which counts towards none of the bot's limits.
const TURNED_AWAY: ConcurrencyQuota =
    ConcurrencyQuota { in_all: 1_024, guild: 256, channel: 256, member: 256 };

/// Hands events to the handler, in tasks of their own.
pub(super) struct EventDispatcher {
    handler: Arc<dyn Handler>,
    typed: ConcurrencyLimit,
    interactions: ConcurrencyLimit,
    completions: ConcurrencyLimit,
    turned_away: ConcurrencyLimit,
    tasks: TaskTracker,
}

/// What an event holds while it is handled.
struct EventGuard {
    permit: ConcurrencyPermit,
    fence: Fence,
    handling: Handling,
    /// What is done with `handling` at the end.
    end: fn(Handling),
}

impl EventDispatcher {
    pub(super) fn new(handler: Arc<dyn Handler>) -> Self {
        Self {
            handler,
            typed: ConcurrencyLimit::new(TYPED),
            interactions: ConcurrencyLimit::new(INTERACTIONS),
            completions: ConcurrencyLimit::new(COMPLETIONS),
            turned_away: ConcurrencyLimit::new(TURNED_AWAY),
            tasks: TaskTracker::new(),
        }
    }

    /// Hands on the commands that somebody typed in a guild, and drops everything
    /// else: nearly all that is said takes no room. What is not answered when the
    /// pod loses its leases is left to a successor: a pod that was frozen must not
    /// answer after it.
    pub(super) fn take(&self, message: MessageCreate, bot: u64, fence: Fence, handling: Handling) {
        let Some(typed) = typed(message, bot).filter(|typed| self.handler.is_command(typed)) else {
            return;
        };
        let source =
            EventSource { guild: Some(typed.guild), channel: Some(typed.channel), user: typed.author };
        match self.typed.try_acquire(source) {
            Some(permit) => {
                let answer = |handler: Arc<dyn Handler>| async move { handler.typed(typed).await };
                self.hand_on(EventGuard { permit, fence, handling, end: Handling::end_command }, answer);
            }
            None => dropped(typed.id),
        }
    }

    /// Hands on the use of a command. Where there is no room for it, that is said.
    pub(super) fn invoke(&self, interaction: InteractionCreate, bot: u64, fence: Fence, handling: Handling) {
        let Some(invoked) = interaction.invoked(bot) else {
            return;
        };
        let source = source(&invoked);
        let completes = matches!(invoked.wants, Wants::Complete(..));
        let limit = if completes { &self.completions } else { &self.interactions };
        if let Some(permit) = limit.try_acquire(source) {
            // To complete a word twice undoes nothing.
            let end = if completes { drop } else { Handling::end_command };
            let answer = |handler: Arc<dyn Handler>| async move { handler.invoked(invoked).await };
            return self.hand_on(EventGuard { permit, fence, handling, end }, answer);
        }
        dropped(invoked.id);
        if let Some(permit) = self.turned_away.try_acquire(source).filter(|_| !completes) {
            let turn_away = |handler: Arc<dyn Handler>| async move { handler.turned_away(invoked).await };
            self.hand_on(EventGuard { permit, fence, handling, end: drop }, turn_away);
        }
    }

    /// Begins to handle something.
    fn hand_on<F>(&self, guard: EventGuard, handle: impl FnOnce(Arc<dyn Handler>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let EventGuard { permit, fence, handling, end } = guard;
        let handled = handle(Arc::clone(&self.handler));
        self.tasks.spawn(async move {
            let _ = fence.while_held(handled).await;
            drop(permit);
            end(handling);
        });
    }

    /// Waits until everything that was handed on has been handled.
    pub(super) async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn source(invoked: &Invoked) -> EventSource {
    let place = invoked.place.as_ref();
    EventSource {
        guild: place.map(|place| place.guild),
        channel: place.map(|place| place.channel),
        user: invoked.user,
    }
}

fn dropped(event: u64) {
    metrics::counter!("sentry_bot_gateway_messages_dropped_total").increment(1);
    tracing::debug!(
        event.id = event,
        "too much is being handled for this member, channel or guild: dropped one"
    );
}

/// `None` for private messages, for what bots, webhooks and Discord itself
/// post, and where there is no text (or none that we may see).
fn typed(message: MessageCreate, bot: u64) -> Option<Typed> {
    let by_a_person = !message.author.bot && message.webhook_id.is_none();
    if !by_a_person || !TYPED_KINDS.contains(&message.kind) || message.content.is_empty() {
        return None;
    }
    Some(Typed {
        id: message.id,
        guild: message.guild_id?.parse::<GuildId>().ok()?,
        channel: ChannelId::new(message.channel_id),
        author: UserId::new(message.author.id),
        content: message.content,
        bot: UserId::new(bot),
    })
}

#[cfg(test)]
mod tests;
