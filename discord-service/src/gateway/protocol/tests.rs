use super::*;

#[test]
fn a_message_is_read_from_what_is_used_of_it_alone() {
    let text = r#"{"op":0,"s":3,"t":"MESSAGE_CREATE","d":{"id":"1","channel_id":"2","guild_id":"3","type":0,
        "author":{"id":"4","username":"x","news":{}},"content":"hi","mentions":[7]}}"#;
    let envelope: Envelope = serde_json::from_str(text).expect("an envelope");
    assert_eq!((envelope.op, envelope.s, envelope.t.as_deref()), (0, Some(3), Some("MESSAGE_CREATE")));
    let message: MessageCreate = data(text).expect("a message");
    assert_eq!((message.id, message.author.id, message.author.bot), (1, 4, false));
}

#[test]
fn identify_is_as_documented() {
    let identify = Identify {
        token: "t",
        shard: [0, 2],
        intents: intents(true),
        properties: Properties::new(),
        presence: Presence::playing("!sentry h"),
    };
    let json = serde_json::to_value(Message { op: op::IDENTIFY, d: identify }).expect("JSON");
    assert_eq!(json["d"]["intents"], 1 | 1 << 9 | 1 << 15);
    assert_eq!(json["d"]["presence"]["activities"][0], serde_json::json!({"name": "!sentry h", "type": 0}));
    assert_eq!(json["d"]["shard"], serde_json::json!([0, 2]));
}
