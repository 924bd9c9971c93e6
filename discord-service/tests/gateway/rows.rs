//! Connections that fail in a row: how long the next waits, when a session is
//! given up, and what readiness says meanwhile.

use std::time::Duration;

use crate::{
    scene::Client,
    script::{Greeting, Script},
};

#[tokio::test]
async fn sessions_that_were_ready_and_dropped_lengthen_no_wait() {
    let mut script = Script::start().await;
    let client = Client::start(&script.url(), "token").await;
    let (mut connected, greeting) = script.next().await;
    assert_eq!(greeting, Greeting::Identify([0, 1]));
    for round in 1..=3 {
        connected.ready().await;
        client.is_ready().await;
        assert!(connected.user_agent.starts_with("DiscordBot (https://"), "{}", connected.user_agent);
        // Cut without a word, and then Discord does not know the session any more.
        drop(connected);
        let (mut resuming, greeting) = script.next().await;
        assert_eq!(greeting, Greeting::Resume);
        let dropped = resuming.since;
        resuming.invalid_session().await;
        let (next, greeting) = script.next().await;
        assert_eq!(greeting, Greeting::Identify([0, 1]));
        // What is left of Discord's pause between two IDENTIFYs.
        let waited = next.since - dropped;
        assert!(waited < Duration::from_millis(7_000), "round {round}: {waited:?}");
        connected = next;
    }
    client.ends().await;
}

#[tokio::test]
async fn only_tries_in_a_row_give_a_session_up_and_readiness_says_what_is_down() {
    let mut script = Script::start().await;
    let client = Client::start(&script.url(), "token").await;
    let (mut connected, _) = script.next().await;
    connected.ready().await;
    client.is_ready().await;
    connected.close(4000).await;
    for _ in 0..2 {
        let (resuming, greeting) = script.next().await;
        assert_eq!(greeting, Greeting::Resume);
        drop(resuming);
    }
    let (mut connected, greeting) = script.next().await;
    assert_eq!(greeting, Greeting::Resume, "two tries are not enough");
    let words = client.readiness_says("shard 0: down since 2").await;
    assert!(words.ends_with("Z, reconnecting: closed without a word"), "{words}");
    connected.dispatch(2, "RESUMED", &serde_json::json!({})).await;
    client.is_ready().await;
    connected.close(4000).await;
    let words = client.readiness_says("(2 times in ten minutes), reconnecting: closed with 4000").await;
    assert!(words.contains("unknown error"), "{words}");
    for _ in 0..2 {
        let (resuming, greeting) = script.next().await;
        assert_eq!(greeting, Greeting::Resume);
        drop(resuming);
    }
    let (_connected, greeting) = script.next().await;
    assert_eq!(greeting, Greeting::Resume, "four in all, but only two in a row");
    client.ends().await;
}
