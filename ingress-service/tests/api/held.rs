//! Requests wait for NATS while it restarts, and while the ingress begins.

use futures::future::join_all;
use harness::nats::NatsServer;
use shared::verdict::Verdict;

use crate::support::{CHANNEL, MINIMAL, Request, TestApp};

#[tokio::test]
async fn a_request_that_comes_before_nats_was_read_is_stored() {
    let app = TestApp::launch(NatsServer::start().await, &["--runtime-mode", "development"]).await;
    app.post(CHANNEL, MINIMAL).await.expect(202, r#"{"success":"202"}"#);
    assert_eq!(app.alerts().await.len(), 1);
}

#[tokio::test]
async fn a_restart_of_nats_loses_and_doubles_nothing() {
    const ALERTS: usize = 40;
    let mut app = TestApp::start_with(&["--runtime-mode", "development"])
        .await
        .decide(|_| Some(Verdict::Accepted))
        .await;
    let port = app.port;
    let sent = join_all((0..ALERTS).map(|n| async move {
        let body = MINIMAL.replace("shop", &format!("shop-{n}"));
        // Each to a channel of its own: there may be no verdict for a while.
        Request::post(&format!("/sentry-bot/channel?id={}", n + 1), body).send(port).await
    }));
    let restarted = async {
        app.nats.kill();
        app.nats.restart().await;
    };
    let (responses, ()) = tokio::join!(sent, restarted);
    for response in responses {
        assert!(matches!(response.status, 200 | 202), "{} {}", response.status, response.body);
    }
    let mut projects: Vec<_> = app.alerts().await.into_iter().map(|alert| alert.project).collect();
    projects.sort();
    projects.dedup();
    assert_eq!(app.alerts().await.len(), ALERTS);
    assert_eq!(projects.len(), ALERTS);
}
