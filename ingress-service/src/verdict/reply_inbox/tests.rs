use std::time::Duration;

use harness::nats::NatsServer;
use tokio::time::timeout;

use super::*;

#[tokio::test]
async fn replies_find_those_who_asked_and_silence_leaves_nothing_behind() {
    let nats = NatsServer::start().await;
    let replies = ReplyInbox::listen(nats.client().await).await.expect("a subscription");
    assert!(replies.ask("nobody", "?".into()).await.is_none(), "nobody listens");

    let server = nats.client().await;
    let mut silent = server.subscribe("silent").await.expect("a subscription");
    let mut echo = server.subscribe("echo").await.expect("a subscription");
    // A round trip: NATS knows of both subscriptions.
    assert!(server.request("nobody", "?".into()).await.is_err(), "nobody listens");
    let answering = async {
        while let Some(message) = echo.next().await {
            let reply = message.reply.expect("a place for the reply");
            server.publish(reply, message.payload).await.expect("NATS is there");
        }
    };
    let asking = async {
        for question in ["a", "b"] {
            let reply = replies.ask("echo", question.into()).await.expect("a reply");
            assert_eq!(reply.payload, question.as_bytes());
        }
        for _ in 0..50 {
            let reply = timeout(Duration::from_millis(1), replies.ask("silent", "?".into())).await;
            assert!(reply.is_err(), "nobody replied");
        }
    };
    tokio::select! { () = answering => {}, () = asking => {} }
    assert!(silent.next().await.is_some(), "it was asked");
    assert!(lock(&replies.waiting).is_empty());
}
