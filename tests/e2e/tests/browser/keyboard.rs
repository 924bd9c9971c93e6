//! The page without a mouse.

use harness::{
    browser::{Screen, keys},
    wait::{SOON, wait_for},
};

use crate::scene::{SECRET, Scene};

impl Scene {
    /// Presses Tab until this has the focus, as somebody does who does not see the page.
    async fn tab_to(&self, role: &str, name: &str) {
        let mut passed = Vec::new();
        loop {
            let focus = self.browser.focus().await;
            if focus == (role.to_owned(), name.to_owned()) {
                return;
            }
            passed.push(focus);
            assert!(passed.len() < 40, "Tab does not reach the {role} {name:?}, but {passed:?}");
            self.browser.press(&keys::TAB.to_string()).await;
        }
    }

    async fn until_focused(&self, role: &str, name: &str) {
        wait_for(&format!("the {role} {name:?} has the focus"), SOON, || async {
            (self.browser.focus().await == (role.to_owned(), name.to_owned())).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_authorized_without_a_mouse() {
    let Some(scene) = Scene::open(Screen::DESKTOP).await else { return };
    scene.stack.channel("quiet");
    let (enter, down) = (keys::ENTER, keys::DOWN);
    scene.tab_to("combobox", "Message #alerts").await;
    scene.browser.press("/sentry channel auth").await;
    scene.until_says("[role=option]", "/sentry channel authorize").await;
    scene.browser.press(&format!("{down}{enter}")).await;
    scene.until_says("[role=option]", "channel:").await;
    scene.browser.press(&format!("{down}{enter}")).await;
    scene.until_says("[role=option]", "#alerts").await;
    scene.browser.press("#al").await;
    scene.browser.press(&format!("{down}{enter}{enter}")).await;
    scene.until_says("#messages .ephemeral", "is now authorized").await;

    scene.tab_to("button", "quiet").await;
    scene.browser.press(&enter.to_string()).await;
    scene.until_says("#channel", "quiet").await;
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_and_the_menu_of_a_phone_work_without_a_mouse() {
    let Some(scene) = Scene::authorized(Screen::PHONE).await else { return };
    let (enter, escape) = (keys::ENTER, keys::ESCAPE);
    scene.tab_to("combobox", "Message #alerts").await;
    scene.browser.press("/sentry channel secret channel:#alerts").await;
    scene.browser.press(&format!("{escape}{enter}")).await;
    scene.until_focused("textbox", SECRET).await;
    scene.browser.press(&escape.to_string()).await;
    scene.until_focused("combobox", "Message #alerts").await;

    scene.tab_to("button", "Channels").await;
    scene.browser.press(&enter.to_string()).await;
    scene.until_focused("button", "alerts").await;
    scene.browser.press(&escape.to_string()).await;
    scene.until_focused("button", "Channels").await;
    scene.close().await;
}
