//! `mute` and `unmute`, and the button.

use chrono::Utc;
use sandbox_discord::{Channel, Guild, Message, Target, permissions};
use serde_json::{Value, json};
use shared::ChannelId;

use crate::{
    rules::both_authorized,
    slash::{REFUSAL, connected, shown, text, used},
    stage::Stage,
    status::lanes,
};

const MUTE: &str = "sentry mute";
const UNMUTE: &str = "sentry unmute";

/// Mutes in the office and returns the answer with its button.
async fn mute(stage: &Stage, options: &[(&str, &str)]) -> Message {
    used(stage, stage.moderator, stage.office, MUTE, options).await
}

fn button(message: &Message) -> &Value {
    &message.json["components"][0]["components"][0]
}

/// Whether the store still has the mute.
async fn is_kept(stage: &Stage, number: u64) -> bool {
    let rules = stage.store.rules_now(ChannelId::new(stage.office)).await.expect("the store is there");
    rules.mutes.iter().any(|mute| mute.number == number)
}

#[tokio::test]
async fn a_mute_is_said_in_words_listed_checked_and_ended() {
    let connected = connected().await;
    let stage = &connected.stage;
    let (by, office) = (stage.moderator, stage.office);
    both_authorized(stage).await;
    let before = Utc::now().timestamp();
    let made = mute(stage, &[("for", "8h"), ("environment", "prod*"), ("reason", "a `deploy`")]).await;
    let kept = stage.store.rules_now(ChannelId::new(office)).await.expect("the store is there");
    let until = kept.mutes[0].until_ms / 1_000;
    assert!((before + 28_800..=Utc::now().timestamp() + 28_800).contains(&until), "{until}");
    let words = format!("alerts in `prod*` until <t:{until}:f>, by <@{by}>: `a ˋdeployˋ`");
    let first = made.content().lines().next().expect("a line");
    assert_eq!(first, format!("Mute 1: {words}"));
    assert_eq!(button(&made)["label"], "Unmute");

    let check = [("environment", "production")];
    let check = text(stage, by, office, "sentry rule check", &check).await;
    assert_eq!(
        check,
        format!(
            "No rule matches: the alert stays here\nThat is for an error in `production`, without project or level.\nBut mute 1 keeps it quiet: {words}"
        )
    );
    let list = used(stage, by, office, "sentry rule list", &[]).await;
    let line = format!("**1** {words} · no alerts yet");
    assert_eq!(list.embeds()[0]["fields"], json!([{"name": "Mutes", "value": line, "inline": false}]));
    let status = used(stage, by, office, "sentry status", &[]).await;
    let fields = status.embeds()[0]["fields"].to_string();
    assert!(fields.contains("Dropped by Rules") && fields.contains(&line), "{fields}");

    assert_eq!(text(stage, by, office, UNMUTE, &[("number", "1")]).await, "Mute 1 has ended");
    assert_eq!(text(stage, by, office, UNMUTE, &[("number", "1")]).await, "Mute 1 has ended already");
    assert_eq!(
        text(stage, by, office, UNMUTE, &[("number", "2")]).await,
        format!("<#{office}> has no mute 2")
    );
    let all = mute(stage, &[("for", "1h")]).await;
    assert!(all.content().starts_with("Mute 2: all alerts until "), "{}", all.content());
    assert!(all.content().contains(&format!("\nThis mutes all of <#{office}>.\n")), "{}", all.content());
    let issue = mute(stage, &[("for", "7d"), ("issue", "https://acme.sentry.io/issues/42/")]).await;
    assert!(issue.content().starts_with("Mute 3: issue `42` until "), "{}", issue.content());
}

#[tokio::test]
async fn a_mute_after_a_loss_of_the_rules_takes_no_number_that_is_still_counted() {
    let connected = connected().await;
    let stage = &connected.stage;
    both_authorized(stage).await;
    let counts = json!({"counts": {"mutes": {"3": {"count": 5, "last_ms": 1}}}});
    let key = format!("{}.sorting", stage.office);
    lanes(stage).await.put(key, counts.to_string().into()).await.expect("written");
    let made = mute(stage, &[("for", "1h")]).await;
    assert!(made.content().starts_with("Mute 4: "), "{}", made.content());
}

#[tokio::test]
async fn the_button_ends_its_mute_and_goes() {
    let connected = connected().await;
    let stage = &connected.stage;
    let (by, office) = (stage.moderator, stage.office);
    both_authorized(stage).await;
    let made = mute(stage, &[("for", "1h"), ("kind", "cron")]).await;
    let id = button(&made)["custom_id"].as_str().expect("an id").to_owned();

    // Time has passed since the command.
    let moderator = Target::Member(by);
    stage.sandbox.set_overwrite(office, moderator, 0, permissions::MANAGE_MESSAGES);
    let press = || stage.sandbox.press(by, office, made.id, &id);
    let refused = shown(&press().expect("it is there")).await;
    assert_eq!(refused.content(), REFUSAL);
    assert!(is_kept(stage, 1).await);
    stage.sandbox.set_overwrite(office, moderator, 0, 0);

    // Somebody taps twice.
    let presses = [press().expect("it is there"), press().expect("it is there")];
    let mut answers = Vec::new();
    for press in &presses {
        let answer = press.answer().await.expect("answered within three seconds");
        assert_eq!((answer.kind, &answer.data["components"]), (7, &json!([])));
        answers.push(answer.data["content"].as_str().expect("text").to_owned());
    }
    answers.sort_unstable();
    assert_eq!(answers, ["Mute 1 has ended", "Mute 1 has ended already"]);
    press().expect_err("the button is gone");
    assert!(!is_kept(stage, 1).await);
}

#[tokio::test]
async fn a_forged_button_gives_nobody_a_right() {
    let connected = connected().await;
    let stage = &connected.stage;
    both_authorized(stage).await;
    mute(stage, &[("for", "1h")]).await;
    let elsewhere = stage.sandbox.add_guild(Guild::new("elsewhere", stage.owner));
    let foreign = stage.sandbox.add_channel(elsewhere, Channel::text("foreign"));
    let ids = [
        format!("unmute:{}:1", stage.office),
        format!("unmute:{foreign}:1"),
        format!("unmute:{}:9", stage.office),
    ];
    let buttons: Vec<_> =
        ids.iter().map(|id| json!({"type": 2, "style": 2, "label": "x", "custom_id": id})).collect();
    let body = json!({"content": "x", "components": [{"type": 1, "components": buttons}]});
    let posted = stage.discord.try_create_message(ChannelId::new(stage.alerts), &body).await;
    let message = posted.expect("it is posted").expect("no limit delays it");
    let press =
        |user, id: &str| stage.sandbox.press(user, stage.alerts, message, id).expect("it has the button");
    assert_eq!(shown(&press(stage.member, &ids[0])).await.content(), REFUSAL);
    let moderator = Target::Member(stage.moderator);
    stage.sandbox.set_overwrite(stage.office, moderator, 0, permissions::MANAGE_MESSAGES);
    assert_eq!(shown(&press(stage.moderator, &ids[0])).await.content(), REFUSAL);
    let other = shown(&press(stage.owner, &ids[1])).await;
    assert_eq!(other.content(), "That channel belongs to another server.");
    let answer = press(stage.owner, &ids[2]).answer().await.expect("answered");
    assert_eq!(answer.data["content"], format!("<#{}> has no mute 9", stage.office));
    assert!(is_kept(stage, 1).await);
}
