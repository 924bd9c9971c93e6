use serde_json::{Value, from_value, json};

use super::*;

fn channel(json: Value) -> Channel {
    from_value::<WireChannel>(json).expect("a channel").into()
}

#[test]
fn a_channel_is_read_with_its_overwrites() {
    let channel = channel(json!({
        "id": "18446744073709551615", "type": 0, "guild_id": "1", "name": "alerts", "parent_id": null,
        "permission_overwrites": [
            {"id": "1", "type": 0, "allow": "0", "deny": "1024"},
            {"id": "7", "type": 1, "allow": "2048", "deny": "0"},
        ],
        "unknown": {"to": "this build"},
    }));
    assert_eq!(channel.id, ChannelId::new(u64::MAX));
    assert_eq!((channel.guild, channel.parent), (Some(GuildId::new(1)), None));
    assert_eq!(channel.overwrites.roles[&1].deny, Permissions::VIEW_CHANNEL);
    assert_eq!(channel.overwrites.members[&7].allow, Permissions::SEND_MESSAGES);
}

#[test]
fn kinds_are_told_apart() {
    let kind = |number: u32| channel(json!({"id": "1", "type": number})).kind;
    assert!([0, 5].into_iter().all(|number| kind(number) == Kind::Chat));
    assert!([2, 13].into_iter().all(|number| kind(number) == Kind::Voice));
    for (number, private) in [(10, false), (11, false), (12, true)] {
        assert_eq!(kind(number), Kind::Thread { locked: false, private });
    }
    assert!([1, 3, 4, 14, 15, 16, 99].into_iter().all(|number| kind(number) == Kind::Other));
    let locked = channel(json!({"id": "1", "type": 11, "thread_metadata": {"locked": true}}));
    assert_eq!(locked.kind, Kind::Thread { locked: true, private: false });
    let joined = |json| channel(json).joined;
    assert!(joined(json!({"id": "1", "type": 12, "member": {"flags": 0}})));
    assert!(!joined(json!({"id": "1", "type": 12})));
}

#[test]
fn a_member_is_read_with_the_end_of_a_time_out() {
    let wire: WireMember = from_value(json!({
        "roles": ["2", "3"], "communication_disabled_until": "2026-01-02T03:04:05.678000+00:00",
    }))
    .expect("a member");
    let member = wire.of(UserId::new(7));
    assert_eq!(member.roles, [2, 3]);
    assert_eq!(member.timed_out_until.map(|at| at.timestamp()), Some(1_767_323_045));
}

#[test]
fn a_guild_is_read_with_its_roles() {
    let wire: WireGuild = from_value(json!({
        "id": "1", "owner_id": "10",
        "roles": [
            {"id": "1", "permissions": "9223372036854775816"},
            {"id": "2", "permissions": "0", "tags": {"bot_id": "7"}, "mentionable": false},
            {"id": "3", "permissions": "0", "mentionable": true},
        ],
    }))
    .expect("a guild");
    let guild = Guild::from(wire);
    assert_eq!((guild.id, guild.owner), (GuildId::new(1), UserId::new(10)));
    assert_eq!(guild.bots, [(UserId::new(7), 2)].into());
    assert_eq!(guild.mentionable, [3].into());
    assert_eq!(guild.roles[&1], Permissions::ADMINISTRATOR, "bits that are not known do no harm");
}
