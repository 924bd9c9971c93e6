use serde_json::{Value, json};

use super::*;

const BOT: u64 = 9;

fn told(name: &str, data: &Value) -> Option<Reopening> {
    let text = json!({"op": 0, "s": 3, "t": name, "d": data}).to_string();
    read(name, &text).expect("it can be read").and_then(|change| change.reopening(BOT))
}

fn of(channels: Option<&[u64]>, spread: bool) -> Option<Reopening> {
    let channels = channels.map(|ids| ids.iter().map(|id| ChannelId::new(*id)).collect());
    Some(Reopening { guild: GuildId::new(1), channels, spread, deleted: Vec::new() })
}

#[test]
fn each_event_that_may_open_a_channel_says_which() {
    let channel = json!({"id": "2", "guild_id": "1", "parent_id": "5", "type": 0, "name": "x"});
    for name in ["CHANNEL_UPDATE", "THREAD_CREATE", "THREAD_UPDATE"] {
        assert_eq!(told(name, &channel), of(Some(&[2]), false), "{name}");
    }
    for name in ["CHANNEL_DELETE", "THREAD_DELETE"] {
        let gone = told(name, &channel).expect("all pods hear it");
        assert_eq!(
            (gone.deleted.as_slice(), gone.opens()),
            ([ChannelId::new(2)].as_slice(), false),
            "{name}"
        );
    }
    let role = json!({"guild_id": "1", "role": {"id": "3"}, "role_id": "3"});
    for name in ["GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE"] {
        assert_eq!(told(name, &role), of(None, false), "{name}");
    }
    assert_eq!(told("GUILD_CREATE", &json!({"id": "1", "channels": [7]})), of(None, true));
    let sync = json!({"guild_id": "1", "channel_ids": ["2", "4"], "threads": [], "members": []});
    assert_eq!(told("THREAD_LIST_SYNC", &sync), of(Some(&[2, 4]), false));
    assert_eq!(told("THREAD_LIST_SYNC", &json!({"guild_id": "1"})), of(None, false));
}

#[test]
fn only_what_concerns_the_bot_counts() {
    let member = |id: &str| json!({"guild_id": "1", "user": {"id": id}, "roles": []});
    assert_eq!(told("GUILD_MEMBER_UPDATE", &member("9")), of(None, false));
    assert_eq!(told("GUILD_MEMBER_UPDATE", &member("8")), None);
    assert_eq!(told("GUILD_MEMBER_UPDATE", &json!({"guild_id": "1"})), None);
    let added = |ids: &[&str]| {
        let members: Vec<_> = ids.iter().map(|id| json!({"user_id": id})).collect();
        json!({"id": "2", "guild_id": "1", "added_members": members})
    };
    assert_eq!(told("THREAD_MEMBERS_UPDATE", &added(&["8", "9"])), of(Some(&[2]), false));
    assert_eq!(told("THREAD_MEMBERS_UPDATE", &added(&["8"])), None);
    assert_eq!(told("THREAD_MEMBERS_UPDATE", &json!({"id": "2", "guild_id": "1"})), None);
    assert_eq!(told("GUILD_CREATE", &json!({"id": "1", "unavailable": true})), None);
    assert_eq!(told("GUILD_CREATE", &json!({"id": "1", "unavailable": false})), of(None, true));
    assert_eq!(told("TYPING_START", &json!({"guild_id": "1", "channel_id": "2"})), None);
}

#[test]
fn an_event_in_another_shape_is_an_error() {
    for (name, data) in [
        ("GUILD_CREATE", json!({"id": 1})),
        ("CHANNEL_UPDATE", json!({"id": "2"})),
        ("THREAD_LIST_SYNC", json!({"guild_id": "1", "channel_ids": "2"})),
        ("GUILD_ROLE_UPDATE", json!(null)),
        ("GUILD_MEMBER_UPDATE", json!({"guild_id": "x", "user": {"id": "9"}})),
    ] {
        let text = json!({"op": 0, "t": name, "d": data}).to_string();
        assert!(read(name, &text).is_err(), "{text}");
    }
}
