//! The commands under `/sentry`: used in Discord's client, told by the gateway,
//! answered so that only the one who asked sees it.

use std::time::Duration;

use discord_service::commands::register_slash_commands;
use harness::wait::wait_for;
use sandbox_discord::{Channel, Invocation, Message, Target, permissions};
use serde_json::{Value, json};
use shared::{ChannelId, GuildId, shutdown::CancellationToken};

use crate::{
    gateway::Connected,
    stage::{Stage, config},
};

pub(crate) const CALLBACK: &str = "POST /interactions/{interaction_id}/{token}/callback";
pub(crate) const EDIT: &str = "PATCH /webhooks/{application_id}/{token}/messages/@original";
/// Longer than any command takes while all is well.
const ANSWERED: Duration = Duration::from_secs(30);
pub(crate) const REFUSAL: &str = "You have no sufficient permission in this guild to use this command. \
                       Please contact guild administrator.";

/// A guild whose members have the bot's slash commands.
pub(crate) async fn connected() -> Connected {
    let connected = Connected::to(config()).await;
    register(&connected.stage).await;
    connected
}

pub(crate) async fn register(stage: &Stage) {
    let registered =
        register_slash_commands(&stage.discord, &stage.commands.slash_id(), &CancellationToken::new()).await;
    registered.expect("the token is good");
}

/// The id under which Discord keeps `/sentry`.
pub(crate) async fn registered_id(stage: &Stage) -> String {
    let path = format!("/applications/{}/commands", stage.sandbox.bot());
    let commands: Value = stage.discord.get(&path, &path).await.expect("a list");
    commands[0]["id"].as_str().expect("an id").to_owned()
}

/// The answer, which nobody else sees and which pings nobody.
pub(crate) async fn shown(invocation: &Invocation) -> Message {
    let first = invocation.answer().await.expect("answered within three seconds");
    assert_eq!(first.data["flags"], 64, "{first:?}");
    let message = wait_for("what it says in the end", ANSWERED, || async {
        let message = invocation.message(ANSWERED).await.expect("a message");
        // A token is handed out before it is in force.
        (!message.content().starts_with("Making a new token")).then_some(message)
    })
    .await;
    assert_eq!(message.received["allowed_mentions"], json!({"parse": []}));
    assert!(message.pings.is_empty(), "pinged by {}", message.json);
    assert_eq!(message.json["flags"], 64, "{}", message.json);
    message
}

pub(crate) async fn used(
    stage: &Stage,
    user: u64,
    channel: u64,
    command: &str,
    options: &[(&str, &str)],
) -> Message {
    let invocation = stage.sandbox.slash(user, channel, command, options).expect("Discord lets them");
    let message = shown(&invocation).await;
    assert_eq!(stage.sandbox.unknown_requests(), [""; 0]);
    assert_eq!(stage.sandbox.messages(channel).len(), 0, "nobody else sees anything");
    message
}

pub(crate) async fn text(
    stage: &Stage,
    user: u64,
    channel: u64,
    command: &str,
    options: &[(&str, &str)],
) -> String {
    let message = used(stage, user, channel, command, options).await;
    assert!(message.embeds().is_empty(), "an embed: {}", message.json);
    message.content().to_owned()
}

/// The titles and values of the fields of the one embed.
pub(crate) async fn embed(stage: &Stage, user: u64, channel: u64, command: &str) -> (Value, Vec<String>) {
    let message = used(stage, user, channel, command, &[]).await;
    assert_eq!((message.content(), message.embeds().len()), ("", 1), "{}", message.json);
    let embed = &message.embeds()[0];
    let fields = embed["fields"].as_array().expect("fields").iter();
    (
        embed["title"].clone(),
        fields.map(|field| format!("{}: {}", field["name"], field["value"]).replace('"', "")).collect(),
    )
}

#[tokio::test]
async fn channels_are_authorized_shown_and_revoked() {
    let connected = connected().await;
    let stage = &connected.stage;
    let (by, office, id) = (stage.moderator, stage.office, stage.alerts.to_string());
    let channel = [("channel", id.as_str())];
    let sentry = registered_id(stage).await;
    let authorize = "sentry channel authorize";
    assert_eq!(text(stage, by, office, authorize, &[]).await, format!("<#{office}> is now authorized"));
    stage.store.revoke(GuildId::new(stage.guild), ChannelId::new(office)).await.expect("the store is there");
    assert_eq!(text(stage, by, office, authorize, &channel).await, format!("<#{id}> is now authorized"));
    assert!(stage.is_authorized(stage.alerts).await);
    assert_eq!(text(stage, by, office, authorize, &channel).await, format!("<#{id}> is already authorized"));

    let (title, fields) = embed(stage, by, office, "sentry channel show").await;
    assert_eq!(title, "***SENTRY CHANNEL AUTHORIZATION***");
    let [clickable, other] =
        ["authorize", "revoke"].map(|word| format!("</sentry channel {word}:{}> `channel:#example`", sentry));
    assert_eq!(fields[0], format!("Usage: {clickable}\\n{other}"));
    assert_eq!(fields[1], format!("Authorized Channels: <#{id}>"));

    let revoke = "sentry channel revoke";
    assert_eq!(text(stage, by, office, revoke, &channel).await, format!("Revoked access from <#{id}>"));
    assert!(!stage.is_authorized(stage.alerts).await);
    assert_eq!(text(stage, by, office, revoke, &channel).await, format!("<#{id}> is not yet authorized"));
    let mistaken = [("channel", "alerts")];
    let reply = "Please input the correct channel format, e.g. `#example`";
    assert_eq!(text(stage, by, office, revoke, &mistaken).await, reply);
}

#[tokio::test]
async fn projects_are_registered_shown_and_revoked_in_an_authorized_channel() {
    let connected = connected().await;
    let stage = &connected.stage;
    stage.authorize(stage.alerts).await;
    let (member, alerts) = (stage.member, stage.alerts);
    let (register, revoke) = ("sentry project register", "sentry project revoke");
    assert_eq!(text(stage, member, alerts, revoke, &[]).await, "You have no project to be revoked");
    let web = [("slug", "web")];
    assert_eq!(text(stage, member, alerts, register, &web).await, "Registered Sentry project: `web`");
    assert_eq!(
        text(stage, stage.owner, alerts, register, &web).await,
        format!("Sentry project: `web` is already registered to <@{member}>")
    );
    let (title, fields) = embed(stage, member, alerts, "sentry project show").await;
    assert_eq!(title, "***SENTRY PROJECT REGISTRATION***");
    assert_eq!(fields[1], "Registered Project: `web`");
    assert_eq!(text(stage, member, alerts, revoke, &[]).await, "Revoked Sentry project: `web`");
    assert_eq!(
        text(stage, member, alerts, register, &[("slug", "two words")]).await,
        "Please input the correct project slug, e.g. `project-name-slug`"
    );
}

#[tokio::test]
async fn help_and_replay_answer_in_an_authorized_channel() {
    let connected = connected().await;
    let stage = &connected.stage;
    let authorize = format!("</sentry channel authorize:{}>", registered_id(stage).await);
    let elsewhere = format!("This channel is not authorized. Use {authorize} to authorize channels.");
    for command in [
        "sentry help",
        "sentry project show",
        "sentry project revoke",
        "sentry replay",
        "sentry status",
        "sentry test",
    ] {
        assert_eq!(text(stage, stage.moderator, stage.office, command, &[]).await, elsewhere, "{command}");
    }
    stage.authorize(stage.office).await;
    let (title, fields) = embed(stage, stage.member, stage.office, "sentry help").await;
    assert_eq!(title, "***SENTRY HELP***");
    assert!(fields[0].contains(&format!("{authorize} `channel:#example`: ")), "{fields:?}");
    assert!(!fields.concat().contains("!sentry"), "{fields:?}");
    assert_eq!(text(stage, stage.member, stage.office, "sentry replay", &[]).await, REFUSAL);
    assert_eq!(
        text(stage, stage.moderator, stage.office, "sentry replay", &[]).await,
        "There is nothing to replay in this channel."
    );
    let (title, fields) = embed(stage, stage.member, stage.office, "sentry status").await;
    assert_eq!((title, fields[2].as_str()), ("***SENTRY STATUS***".into(), "Received: None"));
    let of = [("channel", stage.alerts.to_string())];
    let of: Vec<_> = of.iter().map(|(name, id)| (*name, id.as_str())).collect();
    assert_eq!(text(stage, stage.member, stage.office, "sentry status", &of).await, REFUSAL);
    let other = used(stage, stage.moderator, stage.office, "sentry status", &of).await;
    let description = format!("<#{}> is not authorized", stage.alerts);
    assert!(other.embeds()[0]["description"].as_str().expect("text").starts_with(&description));
    assert_eq!(text(stage, stage.member, stage.office, "sentry test", &[]).await, REFUSAL);
}

#[tokio::test]
async fn manage_messages_is_needed_here_and_in_the_channel_named() {
    let connected = connected().await;
    let stage = &connected.stage;
    let id = stage.alerts.to_string();
    let channel = [("channel", id.as_str())];
    for (command, options) in [
        ("sentry channel show", &[][..]),
        ("sentry channel authorize", &channel),
        ("sentry channel revoke", &channel),
    ] {
        assert_eq!(text(stage, stage.member, stage.office, command, options).await, REFUSAL, "{command}");
    }
    let moderator = Target::Member(stage.moderator);
    stage.sandbox.set_overwrite(stage.office, moderator, 0, permissions::MANAGE_MESSAGES);
    let authorize = "sentry channel authorize";
    assert_eq!(text(stage, stage.moderator, stage.office, authorize, &channel).await, REFUSAL);
    stage.sandbox.set_overwrite(stage.office, moderator, 0, 0);
    stage.sandbox.set_overwrite(stage.alerts, moderator, 0, permissions::MANAGE_MESSAGES);
    assert_eq!(text(stage, stage.moderator, stage.office, authorize, &channel).await, REFUSAL);
    assert!(!stage.is_authorized(stage.alerts).await);
}

#[tokio::test]
async fn rows_that_can_be_revoked_are_offered_to_those_who_may() {
    let connected = connected().await;
    let stage = &connected.stage;
    let hidden = Channel::text("hidden").deny(Target::Member(stage.moderator), permissions::ALL);
    let hidden = stage.sandbox.add_channel(stage.guild, hidden);
    let gone = stage.sandbox.add_channel(stage.guild, Channel::text("gone"));
    let thread = stage.sandbox.add_channel(stage.guild, Channel::thread(stage.alerts, "night shift"));
    let under = stage.sandbox.add_channel(stage.guild, Channel::thread(hidden, "under"));
    for channel in [stage.alerts, stage.office, hidden, gone, thread, under] {
        stage.authorize(channel).await;
    }
    stage.sandbox.remove_channel(gone);
    let offered = |user: u64, typed: &'static str| async move {
        let typed = [("channel", typed)];
        let invocation = stage
            .sandbox
            .autocomplete(user, stage.office, "sentry channel revoke", &typed, "channel")
            .expect("Discord asks");
        let answer = invocation.answer().await.expect("answered");
        assert_eq!(answer.kind, 8);
        answer.data["choices"].clone()
    };
    let alerts = json!({"name": "#alerts", "value": stage.alerts.to_string()});
    let office = json!({"name": "#office", "value": stage.office.to_string()});
    let stale = json!({"name": format!("{gone} (deleted)"), "value": gone.to_string()});
    let thread = json!({"name": "night shift (thread in #alerts)", "value": thread.to_string()});
    let mut all = offered(stage.moderator, "").await.as_array().expect("choices").clone();
    all.sort_by_key(|choice| choice["name"].to_string());
    assert_eq!(all, [alerts, office, stale.clone(), thread.clone()]);
    assert_eq!(offered(stage.moderator, "#offi").await[0]["name"], "#office");
    assert_eq!(offered(stage.moderator, "Night").await, json!([thread]));
    assert_eq!(offered(stage.moderator, "deleted").await, json!([stale]));
    assert_eq!(offered(stage.member, "").await, json!([]), "strangers learn nothing");
}

#[tokio::test]
async fn a_command_of_another_version_gets_a_hint_and_one_outside_guilds_a_refusal() {
    let connected = connected().await;
    let stage = &connected.stage;
    let older = json!([{"name": "sentry", "description": "an older one", "contexts": [0, 1], "options": [
        {"type": 1, "name": "help", "description": "help"},
        {"type": 1, "name": "stats", "description": "no longer there"},
    ]}]);
    let (put, path) =
        ("PUT".parse().expect("a method"), format!("/applications/{}/commands", stage.sandbox.bot()));
    let _: Value = stage.discord.send(put, &path, &path, &older).await.expect("taken");
    assert_eq!(
        text(stage, stage.owner, stage.office, "sentry stats", &[]).await,
        "I do not know this command, or no longer. Please reload Discord and try again."
    );
    let private = stage.sandbox.private_channel(stage.owner);
    assert_eq!(
        text(stage, stage.owner, private, "sentry help", &[]).await,
        "Please use this command in a channel of a server."
    );
}
