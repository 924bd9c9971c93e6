//! A storm, looked at on a phone.

use harness::browser::Screen;
use serde_json::json;

use crate::scene::Scene;

/// How high a message of ten alerts may be: two screens of a phone.
const HIGHEST: f64 = 2.0 * 844.0;

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_stays_readable_on_a_phone() {
    let Some(scene) = Scene::authorized(Screen::DESKTOP).await else { return };
    scene.browser.click("button", "Send the storm").await;
    scene.until_says("#sent", "60 × 200").await;
    scene.until_counted("accepted", 60).await;
    scene.until_counted("waiting", 0).await;
    let shown = scene.stack.until_shown(scene.alerts, 60, harness::wait::SOON).await;
    assert_eq!(shown.iter().map(|embed| embed.count).sum::<u64>(), 60);
    let messages = scene.stack.sandbox.messages(scene.alerts).len();
    assert!(messages < 12, "60 alerts are {messages} messages");

    scene.browser.show_on(Screen::PHONE).await;
    let sizes = "return [...document.querySelectorAll('#messages .message')].map((node) =>
        [node.querySelectorAll('.embed').length, node.getBoundingClientRect().height, node.scrollWidth])";
    for size in scene.browser.run(sizes, json!([])).await.as_array().expect("messages") {
        assert!(size[1].as_f64() <= Some(HIGHEST) && size[2].as_u64() <= Some(390), "{size}");
    }
    scene.close().await;
}
