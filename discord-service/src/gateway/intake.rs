//! From an event of the gateway to the handler of what somebody did.

use std::{future::Future, sync::Arc};

use shared::{ChannelId, GuildId, UserId};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::{
    Handler, Typed,
    interaction::InteractionCreate,
    unfinished::Handling,
    wire::{MessageCreate, TYPED_KINDS},
};
use crate::lease::Fence;

/// So many messages and interactions are handled at a time; all that is said in all servers of
/// the bot comes through here, and nearly all of it is no command.
const MAX_HANDLED: usize = 256;

/// Hands them to the handler, in tasks of their own.
pub(super) struct Intake {
    handler: Arc<dyn Handler>,
    room: Arc<Semaphore>,
    tasks: TaskTracker,
}

impl Intake {
    pub(super) fn new(handler: Arc<dyn Handler>) -> Self {
        Self { handler, room: Arc::new(Semaphore::new(MAX_HANDLED)), tasks: TaskTracker::new() }
    }

    /// Hands on what somebody typed in a guild, and drops everything else. What
    /// is not answered when the pod loses its leases is left to a successor: a
    /// pod that was frozen must not answer after it.
    pub(super) fn take(&self, message: MessageCreate, bot: u64, fence: Fence, handling: Handling) {
        let Some(typed) = typed(message, bot) else {
            return;
        };
        self.hand_on(typed.id, fence, handling, |handler| async move { handler.typed(typed).await });
    }

    /// Hands on the use of a command.
    pub(super) fn invoke(&self, interaction: InteractionCreate, bot: u64, fence: Fence, handling: Handling) {
        let Some(invoked) = interaction.invoked(bot) else {
            return;
        };
        self.hand_on(invoked.id, fence, handling, |handler| async move { handler.invoked(invoked).await });
    }

    /// Begins to handle the message or interaction of this id.
    fn hand_on<F>(
        &self,
        id: u64,
        fence: Fence,
        handling: Handling,
        handle: impl FnOnce(Arc<dyn Handler>) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            metrics::counter!("sentry_bot_gateway_messages_dropped_total").increment(1);
            tracing::debug!(event.id = id, "too many messages are being handled: dropped one");
            return;
        };
        let handled = handle(Arc::clone(&self.handler));
        self.tasks.spawn(async move {
            let _ = fence.while_held(handled).await;
            drop((room, handling));
        });
    }

    /// Waits until everything that was handed on has been handled.
    pub(super) async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
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
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::{Value, json};

    use super::{
        super::{Invoked, unfinished::Unfinished},
        *,
    };

    fn message(change: Value) -> MessageCreate {
        let mut json = json!({"id": "1", "channel_id": "2", "guild_id": "3", "type": 0,
            "author": {"id": "4"}, "content": "!sentry h"});
        for (key, value) in change.as_object().into_iter().flatten() {
            json[key] = value.clone();
        }
        serde_json::from_value(json).expect("a message")
    }

    /// Handles nothing until it has a permit for it.
    struct Slow(Arc<Semaphore>, Arc<AtomicUsize>);

    #[async_trait::async_trait]
    impl Handler for Slow {
        async fn typed(&self, _: Typed) {
            let _permit = self.0.acquire().await;
            self.1.fetch_add(1, Ordering::Relaxed);
        }

        async fn invoked(&self, _: Invoked) {}
    }

    #[tokio::test]
    async fn a_flood_is_cut_off_and_what_was_taken_is_handled_before_the_end() {
        let (gate, handled) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let intake = Intake::new(Arc::new(Slow(Arc::clone(&gate), Arc::clone(&handled))));
        for _ in 0..2 * MAX_HANDLED {
            intake.take(message(json!({})), 9, Fence::always(), Unfinished::default().begin(1));
        }
        gate.add_permits(1);
        intake.drain().await;
        assert_eq!(handled.load(Ordering::Relaxed), MAX_HANDLED);
    }

    #[test]
    fn only_what_a_person_typed_in_a_guild_is_handed_on() {
        let message = |change| typed(message(change), 9);
        let plain = message(json!({})).expect("a person typed it");
        assert_eq!((plain.id, plain.guild, plain.bot), (1, GuildId::new(3), UserId::new(9)));
        assert!(message(json!({"type": 19})).is_some(), "a reply");
        for dropped in [
            json!({"author": {"id": "4", "bot": true}}),
            json!({"webhook_id": "5"}),
            json!({"guild_id": null}),
            json!({"type": 7}),
            json!({"content": ""}),
        ] {
            assert!(message(dropped.clone()).is_none(), "{dropped}");
        }
    }
}
