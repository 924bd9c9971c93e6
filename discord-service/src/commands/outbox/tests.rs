use shared::{ChannelId, UserId};

use super::*;

fn typed(id: u64) -> Typed {
    Typed {
        id,
        guild: GuildId::new(1),
        channel: ChannelId::new(2),
        author: UserId::new(3),
        content: String::new(),
        bot: UserId::new(4),
    }
}

#[test]
fn a_reply_refers_to_the_message_and_pings_only_its_author() {
    assert_eq!(
        body(&typed(5), &"hello @everyone".into(), true),
        json!({
            "content": "hello @everyone",
            "allowed_mentions": {"parse": [], "replied_user": true},
            "message_reference":
                {"message_id": "5", "channel_id": "2", "guild_id": "1", "fail_if_not_exists": false},
            "nonce": "r5",
            "enforce_nonce": true,
        })
    );
}

#[test]
fn an_embed_stands_alone_and_may_go_without_reference() {
    let body = body(&typed(5), &Reply::Embed(json!({"title": "x"})), false);
    assert_eq!(body["embeds"], json!([{"title": "x"}]));
    assert_eq!((body.get("content"), body.get("message_reference")), (None, None));
}

#[test]
fn a_nonce_is_never_longer_than_discord_takes() {
    let body = body(&typed(u64::MAX), &"x".into(), true);
    assert!(body["nonce"].as_str().expect("text").len() <= 25);
}
