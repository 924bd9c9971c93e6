//! Buttons below the bot's messages.

use serde_json::json;
use shared::ChannelId;

use crate::{
    slash::{connected, shown},
    stage::Stage,
};

/// A message of the bot with these buttons; its id.
async fn message(stage: &Stage, custom_ids: &[&str]) -> u64 {
    let button = |id| json!({ "type": 2, "style": 2, "label": "x", "custom_id": id });
    let buttons: Vec<_> = custom_ids.iter().map(button).collect();
    let body = json!({ "content": "an alert", "components": [{ "type": 1, "components": buttons }] });
    let created = stage.discord.try_create_message(ChannelId::new(stage.alerts), &body).await;
    created.expect("it is posted").expect("no limit delays it")
}

#[tokio::test]
async fn a_press_is_answered_in_time_also_while_nats_hangs_and_a_button_of_another_build_too() {
    let connected = connected().await;
    let stage = &connected.stage;
    let message = message(stage, &["stack-trace", "of-another-build"]).await;
    let press = async |button: &str| {
        let pressed = stage.sandbox.press(stage.member, stage.alerts, message, button);
        shown(&pressed.expect("it has the button")).await.content().to_owned()
    };
    let gone = "The stack trace is no longer kept: open the issue in Sentry";
    assert_eq!(press("stack-trace").await, gone);
    let unknown = "I do not know this button, or no longer. Please open the issue in Sentry.";
    assert_eq!(press("of-another-build").await, unknown);
    stage.nats.pause();
    assert_eq!(press("stack-trace").await, "The store is unavailable. Please try again in a minute.");
    stage.nats.unpause();
}
