use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{super::events_in_flight::EventsInFlight, *};

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
async fn handled(flood: impl FnOnce(&EventDispatcher, &dyn Fn() -> Handling)) -> Slow {
    let (gate, number) = (Semaphore::new(0), AtomicU32::default);
    let slow = Slow { gate, typed: number(), invoked: number(), turned_away: number() };
    let slow = Arc::new(slow);
    let events = EventDispatcher::new(slow.clone());
    flood(&events, &|| EventsInFlight::default().begin(1));
    slow.gate.add_permits(1);
    events.drain().await;
    drop(events);
    Arc::into_inner(slow).expect("nothing is handled any more")
}

#[tokio::test]
async fn a_flood_in_one_guild_is_cut_off_and_leaves_room_for_another_and_for_slash_commands() {
    let handled = handled(|events, handling| {
        for user in 0..500 {
            let typed = json!({"author": {"id": user.to_string()}, "channel_id": user.to_string()});
            events.take(message(typed), 9, Fence::always(), handling());
            events.invoke(interaction(2, 3, user), 9, Fence::always(), handling());
            events.invoke(interaction(4, 3, user), 9, Fence::always(), handling());
        }
        events.take(message(json!({"guild_id": "4"})), 9, Fence::always(), handling());
        events.invoke(interaction(2, 4, 1), 9, Fence::always(), handling());
    })
    .await;
    assert_eq!(handled.typed.into_inner(), TYPED.guild + 1);
    assert_eq!(handled.invoked.into_inner(), INTERACTIONS.guild + 1 + COMPLETIONS.guild);
    assert_eq!(handled.turned_away.into_inner(), TURNED_AWAY.guild);
}

#[tokio::test]
async fn what_is_no_command_takes_no_room() {
    let handled = handled(|events, handling| {
        for _ in 0..500 {
            events.take(message(json!({"content": "hello"})), 9, Fence::always(), handling());
        }
        events.take(message(json!({})), 9, Fence::always(), handling());
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
