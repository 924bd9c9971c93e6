//! The product, and somebody in front of the sandbox's page.

use e2e::Stack;
use harness::{
    browser::{Browser, Screen},
    wait::{SOON, wait_for},
};
use serde_json::{Value, json};

/// The page, opened by the owner in `#alerts`.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) browser: Browser,
    pub(crate) stack: Stack,
    /// `#alerts`, not yet authorized.
    pub(crate) alerts: u64,
}

impl Scene {
    /// Starts all of it. Without Chromium the test is skipped: none.
    pub(crate) async fn open(screen: Screen) -> Option<Self> {
        let browser = Browser::start().await?;
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let stack = Stack::builder().ingress("SECRETS_KEY", key).discord("SECRETS_KEY", key).start().await;
        let alerts = stack.channel("alerts");
        browser.show_on(screen).await;
        browser.open(&stack.sandbox.url()).await;
        let scene = Self { browser, stack, alerts };
        wait_for("the page knows the commands", SOON, || async {
            let commands = "return fetch('/sandbox/state').then((answer) => answer.json()).then((state) => state.commands.length)";
            (scene.browser.run(commands, json!([])).await != 0).then_some(())
        })
        .await;
        Some(scene)
    }

    /// The same with `#alerts` authorized.
    pub(crate) async fn authorized(screen: Screen) -> Option<Self> {
        let scene = Self::open(screen).await?;
        scene
            .stack
            .command(scene.stack.owner, &format!("!sentry channel authorize <#{}>", scene.alerts))
            .await;
        Some(scene)
    }

    /// Writes a line and sends it with the mouse.
    pub(crate) async fn send(&self, text: &str) {
        self.browser.fill("combobox", "Message #alerts", text).await;
        self.browser.click("button", "Send").await;
    }

    /// Chooses this payload in the panel and sends it.
    pub(crate) async fn send_as_sentry(&self, payload: &str) {
        self.browser.click("option", payload).await;
        self.browser.click("button", "Send payload").await;
    }

    /// Waits until the panel counts so many.
    pub(crate) async fn until_counted(&self, counter: &str, count: u64) {
        self.until_says(&format!("#count-{counter}"), &count.to_string()).await;
    }

    /// The visible text of what a selector finds.
    pub(crate) async fn text(&self, selector: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map((node) => node.innerText)";
        let found = self.browser.run(script, json!([selector])).await;
        let texts = found.as_array().into_iter().flatten();
        texts.map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Waits until something that the selector finds says this.
    pub(crate) async fn until_says(&self, selector: &str, words: &str) -> String {
        wait_for(&format!("{selector} says {words:?}"), SOON, || async {
            self.text(selector).await.into_iter().find(|text| text.contains(words))
        })
        .await
    }

    /// A value that a script returns.
    pub(crate) async fn value(&self, script: &str) -> Value {
        self.browser.run(script, json!([])).await
    }

    /// Ends it. Nothing may have left loopback, and the page may not have complained.
    pub(crate) async fn close(self) {
        self.stack.assert_clean();
        assert_eq!(self.browser.complaints().await, Vec::<String>::new());
        self.browser.close().await.assert_local();
    }
}

/// The input of the form that asks for a client secret.
pub(crate) const SECRET: &str = "Client Secret of the integration in Sentry";
