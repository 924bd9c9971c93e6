//! `project …`.

use sandbox_discord::Channel;

use crate::stage::Stage;

const NOT_AUTHORIZED: &str =
    "This channel is not authorized. Use `!sentry channel authorize` to authorize channels.";
const NOT_A_SLUG: &str = "Please input the correct project slug, e.g. `project-name-slug`";

async fn stage() -> Stage {
    let stage = Stage::set().await;
    stage.authorize(stage.alerts).await;
    stage
}

async fn says(stage: &Stage, user: u64, content: &str, reply: &str) {
    assert_eq!(stage.text(user, stage.alerts, content).await, reply, "{content:?}");
}

#[tokio::test]
async fn project_commands_need_an_authorized_channel() {
    let stage = stage().await;
    for content in [
        "!sentry project",
        "!sentry project register web",
        "!sentry project register ?",
        "!sentry project revoke",
    ] {
        // Each channel is told once a minute.
        let elsewhere = stage.sandbox.add_channel(stage.guild, Channel::text("elsewhere"));
        assert_eq!(stage.text(stage.owner, elsewhere, content).await, NOT_AUTHORIZED, "{content:?}");
    }
}

#[tokio::test]
async fn project_alone_or_incomplete_shows_one_s_project() {
    let stage = stage().await;
    let usage = "`!sentry project register project-name-slug`\n`!sentry project revoke`";
    for (content, project) in [
        ("!sentry project", "None"),
        ("!sentry project register", "None"),
        ("!sentry project register web", ""),
        ("!sentry project", "`web`"),
    ] {
        if project.is_empty() {
            says(&stage, stage.member, content, "Registered Sentry project: `web`").await;
            continue;
        }
        let (title, fields) = stage.embed(stage.member, stage.alerts, content).await;
        assert_eq!(title, "***SENTRY PROJECT REGISTRATION***");
        let expected = [("Usage", usage), ("Registered Project", project)];
        assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    let (_, fields) = stage.embed(stage.owner, stage.alerts, "!sentry project").await;
    assert_eq!(fields[1].1, "None", "another user's project is not shown");
}

#[tokio::test]
async fn a_project_belongs_to_one_user_until_it_is_revoked() {
    let stage = stage().await;
    let (first, second) = (stage.member, stage.moderator);
    let taken = format!("Sentry project: `web` is already registered to <@{first}>");
    says(&stage, first, "!sentry project register web", "Registered Sentry project: `web`").await;
    says(&stage, second, "!sentry project register web", &taken).await;
    says(&stage, first, "!sentry project register web", &taken).await;
    says(&stage, first, "!sentry project revoke", "Revoked Sentry project: `web`").await;
    says(&stage, first, "!sentry project revoke", "You have no project to be revoked").await;
    says(&stage, second, "!sentry project register web", "Registered Sentry project: `web`").await;
}

#[tokio::test]
async fn another_project_takes_the_place_of_the_first() {
    let stage = stage().await;
    says(&stage, stage.member, "!sentry project register web", "Registered Sentry project: `web`").await;
    says(&stage, stage.member, "!sentry project register api", "Registered Sentry project: `api`").await;
    says(&stage, stage.owner, "!sentry project register web", "Registered Sentry project: `web`").await;
    says(&stage, stage.member, "!sentry project revoke", "Revoked Sentry project: `api`").await;
}

#[tokio::test]
async fn a_slug_has_only_a_slug_s_characters() {
    let stage = stage().await;
    let long = "a".repeat(101);
    for slug in ["\"web\"", "wéb", "`web`", "@everyone", &long] {
        says(&stage, stage.member, &format!("!sentry project register {slug}"), NOT_A_SLUG).await;
    }
    let longest = "a".repeat(100);
    let reply = format!("Registered Sentry project: `{longest}`");
    says(&stage, stage.member, &format!("!sentry project register {longest} too many"), &reply).await;
}

#[tokio::test]
async fn with_a_public_url_registering_prints_the_url_that_mentions() {
    let stage = Stage::set_with(&["--public-url", "https://bot.example.com"]).await;
    stage.authorize(stage.alerts).await;
    let (member, alerts) = (stage.member, stage.alerts);
    let reply = format!(
        "Registered Sentry project: `web`\nTo be mentioned, use this URL in Sentry, for this project alone: \
         `https://bot.example.com/sentry-bot/channel?id={alerts}&mention={member}`"
    );
    says(&stage, member, "!sentry project register web", &reply).await;
}
