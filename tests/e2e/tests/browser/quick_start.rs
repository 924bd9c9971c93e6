//! From a new channel to an alert, by clicks.

use harness::browser::Screen;

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_authorizes_a_channel_and_sees_an_alert() {
    let Some(scene) = Scene::open(Screen::DESKTOP).await else { return };
    scene.send("/sentry channel authorize channel:#alerts").await;
    let answer = scene.until_says("#messages .ephemeral", "is now authorized").await;
    assert!(answer.contains("#alerts") && answer.contains("Only you can see this"), "{answer}");

    scene.send_as_sentry("python exception").await;
    scene.until_says("#sent", "1 × 200").await;
    let embed = scene.until_says("#messages .embed", "KeyError: 'customer_id'").await;
    assert!(embed.contains("backend-api"), "{embed}");
    let link = scene.value("return document.querySelector('#messages .embed-title a').href").await;
    let issue =
        link.as_str().and_then(|link| link.strip_prefix("https://acme.sentry.io/issues/")?.split('/').next());
    let issue = issue.expect("the title leads to the issue");
    scene.until_counted("posted", 1).await;

    // What becomes of it is an edit of the same message.
    let resolved = e2e::issue_change(issue, "KeyError: 'customer_id'", "resolved", "Jane");
    scene.stack.accepted(scene.alerts, &resolved).await;
    scene.until_says("#messages .edited", "(edited)").await;
    scene.until_says("#messages .embed", "Jane").await;
    assert_eq!(scene.text("#messages .embed").await.len(), 1);
    scene.close().await;
}
