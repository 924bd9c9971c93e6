//! Nobody is kept out, and nothing is cut off: light and dark, wide and narrow.

use harness::browser::Screen;
use sentry_sender::{Webhook, body::Exception};

use crate::scene::Scene;

const SCREENS: [Screen; 4] = [Screen::DESKTOP, Screen::DESKTOP.light(), Screen::PHONE, Screen::PHONE.light()];

impl Scene {
    async fn assert_usable(&self, what: &str) {
        for screen in SCREENS {
            self.browser.show_on(screen).await;
            assert_eq!(self.browser.barriers().await, Vec::<String>::new(), "{what} on {screen:?}");
            let width = self.value("return document.documentElement.scrollWidth").await;
            assert!(width.as_u64() <= Some(screen.width.into()), "{what} on {screen:?} is {width} wide");
        }
        self.browser.show_on(Screen::DESKTOP).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_no_barrier() {
    let Some(scene) = Scene::authorized(Screen::DESKTOP).await else { return };
    for level in ["error", "warning", "info"] {
        let exception = Exception::new(format!("KeyError: '{level}'")).level(level).issue(level);
        scene.stack.accepted(scene.alerts, &Webhook::legacy(exception.json())).await;
    }
    scene.send("/sentry status").await;
    scene.until_says("#messages .ephemeral", "Only you can see this").await;
    scene.until_says("#messages .embed", "KeyError: 'info'").await;
    scene.assert_usable("a channel").await;

    scene.browser.fill("combobox", "Message #alerts", "/sentry").await;
    scene.until_says("[role=option]", "/sentry channel authorize").await;
    scene.assert_usable("a list of suggestions").await;

    scene.send("/sentry channel secret channel:#alerts").await;
    scene.browser.element("dialog", "Client secret for #alerts").await;
    scene.assert_usable("a form").await;
    scene.close().await;
}
