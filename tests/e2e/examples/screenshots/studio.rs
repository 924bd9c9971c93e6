//! The product and a browser, set up for pictures.

use std::{path::Path, time::Duration};

use e2e::Stack;
use harness::{
    browser::{Area, Browser, Format, Screen},
    wait::{SOON, wait_for},
};
use sandbox_discord::Config;
use serde_json::{Value, json};

/// How long alerts of a storm may take.
const LONG: Duration = Duration::from_secs(120);

/// Where pictures are made.
#[derive(Debug)]
pub(crate) struct Studio {
    pub(crate) stack: Stack,
    pub(crate) browser: Browser,
}

impl Studio {
    /// Starts all of it, with alerts in this style.
    pub(crate) async fn open(style: &str, sandbox: Config) -> Self {
        let browser = Browser::start().await.expect("pictures need Chromium");
        let stack = Stack::builder().sandbox(sandbox).discord("ALERT_STYLE", style).start().await;
        Self { stack, browser }
    }

    /// Sends as the page does: `{"fixture": "legacy/…"}` or `{"storm": 60}`, with times that end now.
    pub(crate) async fn send(&self, channel: u64, payload: Value) {
        let url = format!("{}/sandbox/demo/send", self.stack.sandbox.url());
        let body = json!({ "channel": channel.to_string(), "payload": payload, "as_now": true });
        let answer = reqwest::Client::new().post(url).json(&body).send().await.expect("the sandbox answers");
        let answer: Value = answer.json().await.expect("in JSON");
        let taken =
            answer["answers"].as_array().is_some_and(|all| all.iter().all(|one| one["status"] == 200));
        assert!(taken, "{payload}: {answer}");
        self.stack.until_drained(LONG).await;
    }

    /// Opens a channel on this screen and waits until all of its messages are drawn.
    pub(crate) async fn look_at(&self, channel: u64, name: &str, panel: &str, screen: Screen) {
        self.browser.show_on(screen).await;
        // A new query loads the page again.
        let look = format!("panel={panel}&width={}&dark={}", screen.width, screen.dark);
        self.browser.open(&format!("{}/?{look}#{name}", self.stack.sandbox.url())).await;
        let drawn = "return [document.getElementById('channel').textContent, document.querySelectorAll('#messages .message').length]";
        wait_for("the channel is drawn", SOON, || async {
            let found = self.browser.run(drawn, json!([])).await;
            (found == json!([name, self.stack.sandbox.message_count(channel)])).then_some(())
        })
        .await;
    }

    /// Writes a picture of what the selector finds, or of the whole screen.
    pub(crate) async fn shoot(&self, file: &Path, selector: Option<&str>) {
        let area = match selector {
            Some(selector) => Some(self.area(selector).await),
            None => None,
        };
        let format =
            if file.extension().is_some_and(|kind| kind == "webp") { Format::WebP(70) } else { Format::Png };
        let picture = self.browser.picture(area, format).await;
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(file, picture).expect("the picture is written");
    }

    async fn area(&self, selector: &str) -> Area {
        let script = "const { x, y, width, height } = document.querySelector(arguments[0]).getBoundingClientRect(); return [x, y, width, height]";
        let found = self.browser.run(script, json!([selector])).await;
        let number = |index: usize| found[index].as_f64().unwrap_or_default();
        Area { x: number(0), y: number(1), width: number(2), height: number(3) }
    }
}
