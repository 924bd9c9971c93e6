//! From a new channel to an alert, by clicks.

use harness::browser::Screen;
use sentry_sender::{Webhook, body::Exception};

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_authorizes_a_channel_and_sees_an_alert() {
    let Some(scene) = Scene::open(Screen::DESKTOP).await else { return };
    scene.send("/sentry channel authorize channel:#alerts").await;
    let answer = scene.until_says("#messages .ephemeral", "is now authorized").await;
    assert!(answer.contains("#alerts") && answer.contains("Only you can see this"), "{answer}");

    let webhook = Webhook::legacy(Exception::new("KeyError: 'customer_id'").project("backend-api").json());
    scene.stack.accepted(scene.alerts, &webhook).await;
    let embed = scene.until_says("#messages .embed", "KeyError: 'customer_id'").await;
    assert!(embed.contains("backend-api"), "{embed}");
    let link = scene.value("return document.querySelector('#messages .embed-title a').href").await;
    assert_eq!(link, "https://acme.sentry.io/issues/1/?referrer=webhooks_plugin");

    // What becomes of it is an edit of the same message.
    let before = scene.text("#messages .embed").await.len();
    scene
        .stack
        .accepted(scene.alerts, &e2e::issue_change("1", "KeyError: 'customer_id'", "resolved", "Jane"))
        .await;
    scene.until_says("#messages .edited", "(edited)").await;
    scene.until_says("#messages .embed", "Jane").await;
    assert_eq!(scene.text("#messages .embed").await.len(), before);
    scene.close().await;
}
