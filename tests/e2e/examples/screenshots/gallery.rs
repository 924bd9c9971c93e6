//! Every payload of the fixtures as it is shown, for people to look at.

use std::{path::Path, time::Duration};

use harness::{browser::Screen, workspace_root};
use sandbox_discord::{Config, Limit};
use sentry_sender::webhook::json_files;
use serde_json::json;

use crate::studio::Studio;

/// High enough for every message.
const DESKTOP: Screen = Screen { width: 1000, height: 8000, scale: 1, dark: true };
const PHONE: Screen = Screen { width: 390, height: 9000, scale: 1, dark: true };
/// What people type who set the bot up.
const COMMANDS: [&str; 5] =
    ["!sentry h", "!sentry status", "!sentry channel list", "!sentry doctor", "!sentry nonsense"];

/// Writes `<style>/<group>/<payload>.<screen>.png` into the folder.
pub(crate) async fn paint(folder: &Path) {
    for style in ["modern", "classic"] {
        let fast = Limit::new(1_000, Duration::from_secs(1));
        let sandbox = Config::default().clocks(|clocks| clocks.channel = fast);
        let studio = Studio::open(style, sandbox).await;
        let fixtures = workspace_root().join("tests/fixtures");
        for file in json_files(&fixtures).expect("the fixtures are there") {
            let path = file.strip_prefix(&fixtures).unwrap_or(&file).display().to_string();
            let channel = studio.stack.authorized_channel(&path.replace(['/', '.'], "-")).await;
            studio.send(channel, json!({ "fixture": path })).await;
            studio.paint(&folder.join(style), channel, &path).await;
        }
        let storm = studio.stack.authorized_channel("storm").await;
        studio.send(storm, json!({ "storm": 60 })).await;
        studio.paint(&folder.join(style), storm, "storm").await;
        let office = studio.stack.authorized_channel("commands").await;
        for command in COMMANDS {
            studio.stack.command_in(office, studio.stack.owner, command).await;
        }
        studio.paint(&folder.join(style), office, "commands").await;
    }
}

impl Studio {
    async fn paint(&self, folder: &Path, channel: u64, path: &str) {
        let name = path.replace(['/', '.'], "-");
        for (screen, kind) in [(DESKTOP, "desktop"), (PHONE, "phone")] {
            self.look_at(channel, &name, "closed", screen).await;
            self.shoot(&folder.join(format!("{path}.{kind}.png")), Some("#messages")).await;
        }
    }
}
