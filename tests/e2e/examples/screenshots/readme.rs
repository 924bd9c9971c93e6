//! The pictures of the README.

use std::path::Path;

use harness::browser::Screen;
use sandbox_discord::Config;
use serde_json::json;

use crate::studio::Studio;

/// Alerts of several kinds. The last one is shown in full.
const ALERTS: [&str; 3] = [
    "legacy/74_minified_js.json",
    "platform/event_alert.triggered_cron.json",
    "legacy/11_python_exception.json",
];

/// Scrolls to the message with the most alerts.
const LARGEST_MESSAGE: &str = "
    const alerts = (message) => message.querySelectorAll('.embed').length;
    const all = [...document.querySelectorAll('#messages .message')];
    all.sort((one, other) => alerts(other) - alerts(one))[0].scrollIntoView();
";

/// Writes them into the folder.
pub(crate) async fn paint(folder: &Path) {
    let studio = Studio::open("modern", Config::default()).await;
    let alerts = studio.stack.authorized_channel("alerts").await;
    for fixture in ALERTS {
        studio.send(alerts, json!({ "fixture": fixture })).await;
    }
    let sharp = |screen: Screen| Screen { scale: 2, ..screen };
    let desktop = Screen { width: 1180, height: 760, ..sharp(Screen::DESKTOP) };
    studio.look_at(alerts, "alerts", "open", desktop).await;
    studio.shoot(&folder.join("sandbox.webp"), None).await;

    let storm = studio.stack.authorized_channel("storm").await;
    studio.send(storm, json!({ "storm": 60 })).await;
    studio.look_at(storm, "storm", "closed", sharp(Screen::PHONE)).await;
    studio.browser.run(LARGEST_MESSAGE, json!([])).await;
    studio.shoot(&folder.join("storm-phone.webp"), None).await;
}
