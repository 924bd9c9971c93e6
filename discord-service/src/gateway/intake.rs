//! From an event of the gateway to the handler of what somebody did.

use std::{future::Future, sync::Arc};

use shared::{ChannelId, GuildId, UserId};
use tokio_util::task::TaskTracker;

use super::{
    Handler, Invoked, Typed, Wants,
    interaction::InteractionCreate,
    room::{Room, Seat, Size, Source},
    unfinished::Handling,
    wire::{MessageCreate, TYPED_KINDS},
};
use crate::lease::Fence;

/// Typed commands. A channel has so many because a successor hears those of some
/// seconds at once.
const TYPED: Size = Size { in_all: 1_024, guild: 32, channel: 16, member: 12 };
/// Slash commands and modals.
const INTERACTIONS: Size = Size { in_all: 1_024, guild: 32, channel: 32, member: 6 };
/// Completions, of which a client asks for one a key.
const COMPLETIONS: Size = Size { in_all: 256, guild: 16, channel: 16, member: 3 };
/// Interactions that are told that there is no room. That is one quick request,
/// which counts towards none of the bot's limits.
const TURNED_AWAY: Size = Size { in_all: 1_024, guild: 256, channel: 256, member: 256 };

/// Hands them to the handler, in tasks of their own.
pub(super) struct Intake {
    handler: Arc<dyn Handler>,
    typed: Room,
    interactions: Room,
    completions: Room,
    turned_away: Room,
    tasks: TaskTracker,
}

impl Intake {
    pub(super) fn new(handler: Arc<dyn Handler>) -> Self {
        Self {
            handler,
            typed: Room::new(TYPED),
            interactions: Room::new(INTERACTIONS),
            completions: Room::new(COMPLETIONS),
            turned_away: Room::new(TURNED_AWAY),
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
        let source = Source { guild: Some(typed.guild), channel: Some(typed.channel), user: typed.author };
        match self.typed.seat(source) {
            Some(seat) => {
                self.hand_on(seat, fence, handling, |handler| async move { handler.typed(typed).await })
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
        let room = if completes { &self.completions } else { &self.interactions };
        if let Some(seat) = room.seat(source) {
            return self.hand_on(
                seat,
                fence,
                handling,
                |handler| async move { handler.invoked(invoked).await },
            );
        }
        dropped(invoked.id);
        if let Some(seat) = self.turned_away.seat(source).filter(|_| !completes) {
            let turn_away = |handler: Arc<dyn Handler>| async move { handler.turned_away(invoked).await };
            self.hand_on(seat, fence, handling, turn_away);
        }
    }

    /// Begins to handle something.
    fn hand_on<F>(
        &self,
        seat: Seat,
        fence: Fence,
        handling: Handling,
        handle: impl FnOnce(Arc<dyn Handler>) -> F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        let handled = handle(Arc::clone(&self.handler));
        self.tasks.spawn(async move {
            let _ = fence.while_held(handled).await;
            drop(seat);
            handling.end_command();
        });
    }

    /// Waits until everything that was handed on has been handled.
    pub(super) async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

fn source(invoked: &Invoked) -> Source {
    let place = invoked.place.as_ref();
    Source {
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
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use serde_json::{Value, json};
    use tokio::sync::Semaphore;

    use super::{super::unfinished::Unfinished, *};

    fn message(change: Value) -> MessageCreate {
        let mut json = json!({"id": "1", "channel_id": "2", "guild_id": "3", "type": 0,
            "author": {"id": "4"}, "content": "!sentry h"});
        for (key, value) in change.as_object().into_iter().flatten() {
            json[key] = value.clone();
        }
        serde_json::from_value(json).expect("a message")
    }

    fn interaction(kind: u8, guild: u64, user: u64) -> InteractionCreate {
        let json = json!({"id": "1", "application_id": "2", "token": "t", "type": kind,
            "guild_id": guild.to_string(), "channel_id": guild.to_string(),
            "member": {"user": {"id": user.to_string()}, "permissions": "0"},
            "data": {"name": "sentry", "options": [{"name": "x", "type": 3, "value": "", "focused": true}]}});
        serde_json::from_value(json).expect("an interaction")
    }

    /// Handles nothing until it has a permit for it.
    struct Slow {
        gate: Semaphore,
        typed: AtomicU32,
        invoked: AtomicU32,
        turned_away: AtomicU32,
    }

    #[async_trait::async_trait]
    impl Handler for Slow {
        fn is_command(&self, message: &Typed) -> bool {
            message.content.starts_with('!')
        }

        async fn typed(&self, _: Typed) {
            let _permit = self.gate.acquire().await;
            self.typed.fetch_add(1, Ordering::Relaxed);
        }

        async fn invoked(&self, _: Invoked) {
            let _permit = self.gate.acquire().await;
            self.invoked.fetch_add(1, Ordering::Relaxed);
        }

        async fn turned_away(&self, _: Invoked) {
            let _permit = self.gate.acquire().await;
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What is handled of what `flood` hands on.
    async fn handled(flood: impl FnOnce(&Intake, &dyn Fn() -> Handling)) -> Slow {
        let (gate, number) = (Semaphore::new(0), AtomicU32::default);
        let slow = Slow { gate, typed: number(), invoked: number(), turned_away: number() };
        let slow = Arc::new(slow);
        let intake = Intake::new(slow.clone());
        flood(&intake, &|| Unfinished::default().begin(1));
        slow.gate.add_permits(1);
        intake.drain().await;
        drop(intake);
        Arc::into_inner(slow).expect("nothing is handled any more")
    }

    #[tokio::test]
    async fn a_flood_in_one_guild_is_cut_off_and_leaves_room_for_another_and_for_slash_commands() {
        let handled = handled(|intake, handling| {
            for user in 0..500 {
                let typed = json!({"author": {"id": user.to_string()}, "channel_id": user.to_string()});
                intake.take(message(typed), 9, Fence::always(), handling());
                intake.invoke(interaction(2, 3, user), 9, Fence::always(), handling());
                intake.invoke(interaction(4, 3, user), 9, Fence::always(), handling());
            }
            intake.take(message(json!({"guild_id": "4"})), 9, Fence::always(), handling());
            intake.invoke(interaction(2, 4, 1), 9, Fence::always(), handling());
        })
        .await;
        assert_eq!(handled.typed.into_inner(), TYPED.guild + 1);
        assert_eq!(handled.invoked.into_inner(), INTERACTIONS.guild + 1 + COMPLETIONS.guild);
        assert_eq!(handled.turned_away.into_inner(), TURNED_AWAY.guild);
    }

    #[tokio::test]
    async fn what_is_no_command_takes_no_room() {
        let handled = handled(|intake, handling| {
            for _ in 0..500 {
                intake.take(message(json!({"content": "hello"})), 9, Fence::always(), handling());
            }
            intake.take(message(json!({})), 9, Fence::always(), handling());
        })
        .await;
        assert_eq!(handled.typed.into_inner(), 1);
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
