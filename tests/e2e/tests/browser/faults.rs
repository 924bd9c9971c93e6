//! Each fault that the panel switches on: what it does to an alert, and that the alert is there afterwards.

use harness::browser::Screen;

use crate::scene::Scene;

impl Scene {
    async fn switch(&self, fault: &str) {
        self.browser.click("switch", fault).await;
    }

    async fn until_embeds(&self, count: usize) {
        harness::wait::wait_for(&format!("{count} embeds are shown"), harness::wait::SOON, || async {
            (self.text("#messages .embed").await.len() == count).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_outlives_each_fault() {
    let Some(scene) = Scene::authorized(Screen::DESKTOP).await else { return };
    for (done, fault) in
        ["Discord's edge refuses (403 as text)", "Discord answers 500"].into_iter().enumerate()
    {
        scene.switch(fault).await;
        scene.send_as_sentry("python exception").await;
        scene.until_says("#sent", "1 × 20").await;
        scene.until_counted("waiting", 1).await;
        scene.switch(fault).await;
        scene.until_embeds(done + 1).await;
        scene.until_counted("waiting", 0).await;
    }

    scene.switch("The bot is timed out").await;
    scene.send_as_sentry("python exception").await;
    scene.until_counted("dead", 1).await;
    scene.switch("The bot is timed out").await;
    scene.until_embeds(3).await;

    scene.switch("NATS is stopped").await;
    scene.send_as_sentry("python exception").await;
    scene.until_says("#sent .bad", "1 × 503").await;
    scene.switch("NATS is stopped").await;
    scene.stack.ingress.ready().await;
    scene.stack.discord.ready().await;
    scene.send_as_sentry("python exception").await;
    scene.until_says("#sent .good", "1 × 20").await;
    scene.until_embeds(4).await;
    scene.close().await;
}
