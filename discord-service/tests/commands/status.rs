//! `status` and `test`, with what they look at put into NATS by hand.

use async_nats::jetstream::{self, kv};
use discord_service::gateway::Handler as _;
use sandbox_discord::{Channel, Guild};
use serde_json::json;
use shared::{
    Alert, ChannelId,
    refusal::{Reason, Refusal},
    wire,
};

use crate::stage::Stage;

const NOT_AUTHORIZED: &str =
    "This channel is not authorized. Use `!sentry channel authorize` to authorize channels.";
const NO_PERMISSION: &str = "You have no sufficient permission in this guild to use this command. \
                             Please contact guild administrator.";

async fn js(stage: &Stage) -> jetstream::Context {
    jetstream::new(stage.nats.client().await)
}

pub(crate) async fn lanes(stage: &Stage) -> kv::Store {
    js(stage).await.get_key_value(wire::LANES).await.expect("the bucket is there")
}

async fn publish(stage: &Stage, subject: String, payload: Vec<u8>) {
    // An acknowledgement comes only while this lives.
    let js = js(stage).await;
    let stored = js.publish(subject, payload.into()).await.expect("NATS takes it");
    stored.await.expect("JetStream stores it");
}

async fn refuse(stage: &Stage, channel: u64, reason: Reason, at_ms: i64) {
    let note = Refusal::new(reason, "", at_ms);
    publish(stage, wire::refusals_subject(ChannelId::new(channel), &note.line()), note.encode()).await;
}

async fn wait(stage: &Stage, channel: u64, received_ms: i64) {
    let alert = Alert::new("error", "web", ChannelId::new(channel), received_ms);
    publish(stage, wire::alert_subject(alert.channel), alert.encode()).await;
}

async fn die(stage: &Stage, channel: u64, reason: &str, detail: &str) {
    let letter = json!({"v": 1, "reason": reason, "detail": detail, "died_ms": now() - 5_000});
    let subject = wire::dead_letter_subject(reason, ChannelId::new(channel));
    publish(stage, subject, letter.to_string().into()).await;
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

async fn fields(stage: &Stage, user: u64, channel: u64, content: &str) -> Vec<(String, String)> {
    let (title, fields) = stage.embed(user, channel, content).await;
    assert_eq!(title, "***SENTRY STATUS***");
    fields
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    let found = fields.iter().find(|(field, _)| field.starts_with(name));
    &found.expect(name).1
}

#[tokio::test]
async fn status_counts_what_came_what_was_posted_and_what_waits() {
    let stage = Stage::set().await;
    stage.authorize(stage.alerts).await;
    let tally = json!({"tally": {"posted": 3, "posted_ms": now() - 120_500, "received_ms": now() - 121_000}});
    let bucket = lanes(&stage).await;
    bucket.put(stage.alerts.to_string(), tally.to_string().into()).await.expect("written");
    wait(&stage, stage.alerts, now() - 90_500).await;
    wait(&stage, stage.alerts, now() - 30_500).await;
    die(&stage, stage.alerts, "revoked", "why").await;
    let shown = fields(&stage, stage.member, stage.alerts, "!sentry status").await;
    assert!(value(&shown, "Last Received (UTC)").ends_with(", 30 s ago"), "{shown:?}");
    assert!(value(&shown, "Last Posted (UTC)").ends_with(", 2 min ago"), "{shown:?}");
    assert_eq!(value(&shown, "Received"), "6");
    assert_eq!(value(&shown, "Posted"), "3");
    assert_eq!(value(&shown, "Waiting"), "2, the oldest for 1 min");
    assert_eq!(value(&shown, "Dead Letters"), "1");
    assert!(shown.iter().all(|(name, _)| name != "Blocked by Discord"), "{shown:?}");
    let key = format!("{}.blocked", stage.alerts);
    bucket.put(key, "Missing Access".into()).await.expect("written");
    let shown = fields(&stage, stage.member, stage.alerts, "!sentry status").await;
    assert!(value(&shown, "Blocked by Discord").contains("View Channel"), "{shown:?}");
    assert!(value(&shown, "Blocked by Discord").contains("`Missing Access`"), "{shown:?}");
}

#[tokio::test]
async fn status_explains_the_last_refusal_of_each_kind_and_the_last_five_dead_letters() {
    let stage = Stage::set().await;
    stage.authorize(stage.alerts).await;
    let reasons = [
        Reason::Internal,
        Reason::NotJson,
        Reason::Schema,
        Reason::Token,
        Reason::UserWithoutProject,
        Reason::BacklogFull,
    ];
    for (number, reason) in (0..).zip(reasons) {
        refuse(&stage, stage.alerts, reason, now() - 60_500 + number).await;
        // A stranger can be refused for the same thing again and again.
        refuse(&stage, stage.alerts, Reason::Token, now() - 70_000 + number).await;
        refuse(&stage, stage.office, Reason::Source, now()).await;
    }
    for reason in ["expired", "revoked", "mention", "unreachable", "unreadable"] {
        die(&stage, stage.alerts, reason, "a `detail` of @everyone").await;
    }
    // Those of others stand between a channel's own.
    for number in 0..100 {
        die(&stage, stage.office, "refused", &number.to_string()).await;
    }
    die(&stage, stage.alerts, "refused", "Invalid Form Body").await;
    let shown = fields(&stage, stage.member, stage.alerts, "!sentry status").await;
    let problems = &shown[6..];
    let words: Vec<&str> = problems.iter().map(|(_, words)| words.as_str()).collect();
    let expected = [
        "Too many alerts were waiting",
        "The mentioned user has no project. They use `!sentry project register`",
        "The token in the URL was missing or wrong.",
        "Sentry sent something this bot does not know",
        "Its body was missing, cut or not JSON.",
        "The bot failed on it.",
        "Discord refused the message itself.",
        "It was not an alert that this version",
        "Discord did not let the bot post in this channel.",
        "The mentioned user has not registered the project.",
        "The channel was no longer authorized.",
    ];
    assert_eq!(words.len(), expected.len(), "{words:?}");
    for (words, expected) in words.iter().zip(expected) {
        assert!(words.starts_with(expected), "{words}");
    }
    assert!(words[6].ends_with("\n`Invalid Form Body`"), "{}", words[6]);
    assert!(words[7].ends_with("\n`a ˋdetailˋ of @everyone`"), "{}", words[7]);
    assert!(problems[..6].iter().all(|(name, _)| name.starts_with("Refused: ")), "{problems:?}");
    assert!(problems[0].0.ends_with(", 1 min ago"), "{problems:?}");
    assert!(problems[6..].iter().all(|(name, _)| name.starts_with("Dead Letter: ")), "{problems:?}");
}

#[tokio::test]
async fn equal_refusals_in_a_row_are_one_line() {
    let stage = Stage::set().await;
    stage.authorize(stage.alerts).await;
    for _ in 0..3 {
        refuse(&stage, stage.alerts, Reason::Schema, now()).await;
    }
    let shown = fields(&stage, stage.member, stage.alerts, "!sentry status").await;
    assert_eq!(shown.len(), 7, "{shown:?}");
    assert!(shown[6].0.starts_with("Refused ×3: "), "{shown:?}");
}

#[tokio::test]
async fn a_channel_that_is_not_authorized_shows_itself_to_its_admins_only() {
    let stage = Stage::set().await;
    refuse(&stage, stage.alerts, Reason::NotAuthorized, now()).await;
    let (alerts, office) = (stage.alerts, stage.office);
    assert_eq!(stage.text(stage.owner, alerts, "!sentry status").await, NOT_AUTHORIZED);
    let named = format!("!sentry status <#{alerts}>");
    assert_eq!(stage.text(stage.member, office, &named).await, NO_PERMISSION);
    for content in [named, "!sentry status #alerts".to_owned()] {
        let answer = stage.answer(stage.moderator, office, &content).await;
        let embed = &answer.embeds()[0];
        let description = embed["description"].as_str().expect("text");
        assert!(description.starts_with(&format!("<#{alerts}> is not authorized")), "{description}");
        let problem = embed["fields"][6]["value"].as_str().expect("text");
        assert!(problem.contains("Use `!sentry channel authorize`"), "{problem}");
    }
}

#[tokio::test]
async fn another_guild_s_channel_stays_hidden() {
    let stage = Stage::set().await;
    let elsewhere = stage.sandbox.add_guild(Guild::new("elsewhere", stage.owner));
    let secret = stage.sandbox.add_channel(elsewhere, Channel::text("secret"));
    refuse(&stage, secret, Reason::Schema, now()).await;
    let reply = stage.text(stage.owner, stage.office, &format!("!sentry status <#{secret}>")).await;
    assert_eq!(reply, "That channel belongs to another server.");
    let reply = stage.text(stage.owner, stage.office, "!sentry status 12345").await;
    assert_eq!(reply, "That channel does not exist in this server.");
}

#[tokio::test]
async fn a_test_that_nobody_posts_says_what_waits() {
    let stage = Stage::set().await;
    stage.authorize(stage.alerts).await;
    assert_eq!(stage.text(stage.owner, stage.office, "!sentry test").await, NOT_AUTHORIZED);
    assert_eq!(stage.text(stage.member, stage.alerts, "!sentry test").await, NO_PERMISSION);
    wait(&stage, stage.alerts, now() - 3_600_500).await;
    let typed = "!sentry test";
    let id = stage.sandbox.say(stage.moderator, stage.alerts, typed).expect("they may write here");
    // A pod that died had heard it, too: it sends one sample all the same.
    let heard = || stage.commands.typed(stage.typed(id, stage.moderator, stage.alerts, typed));
    tokio::join!(heard(), heard());
    let messages = stage.sandbox.messages(stage.alerts);
    let replies: Vec<_> = messages.iter().filter(|message| message.id > id).collect();
    assert_eq!(replies.len(), 1, "{replies:?}");
    let reply = replies[0].content();
    let begin = "Sent a sample alert, but it was not posted within 15.";
    assert!(reply.starts_with(begin), "{reply}");
    assert!(reply.contains(" Waiting: 2, the oldest for 1 h. "), "{reply}");
}
