//! `channel …` by somebody who manages messages.

use sandbox_discord::{Channel, ChannelKind, Guild, Target, permissions};
use shared::{ChannelId, GuildId};

use crate::stage::Stage;

async fn says(stage: &Stage, content: &str, reply: &str) {
    assert_eq!(stage.text(stage.moderator, stage.office, content).await, reply, "{content:?}");
}

#[tokio::test]
async fn a_channel_is_authorized_and_revoked() {
    let stage = Stage::set().await;
    let alerts = stage.alerts;
    says(
        &stage,
        &format!("!sentry channel revoke <#{alerts}>"),
        &format!("<#{alerts}> is not yet authorized"),
    )
    .await;
    says(
        &stage,
        &format!("!sentry channel authorize <#{alerts}>"),
        &format!("<#{alerts}> is now authorized"),
    )
    .await;
    assert!(stage.is_authorized(alerts).await);
    says(
        &stage,
        &format!("!sentry channel authorize <#{alerts}>"),
        &format!("<#{alerts}> is already authorized"),
    )
    .await;
    says(&stage, &format!("!sentry channel revoke <#{alerts}>"), &format!("Revoked access from <#{alerts}>"))
        .await;
    assert!(!stage.is_authorized(alerts).await);
}

#[tokio::test]
async fn without_a_channel_this_one_is_authorized() {
    let stage = Stage::set().await;
    let office = stage.office;
    says(&stage, "!sentry channel authorize", &format!("<#{office}> is now authorized")).await;
    assert!(stage.is_authorized(office).await);
    says(&stage, "!sentry authorize", &format!("<#{office}> is already authorized")).await;
}

#[tokio::test]
async fn the_short_forms_and_mentions_of_the_bot_do_the_same() {
    let stage = Stage::set().await;
    let (alerts, bot) = (stage.alerts, stage.sandbox.bot());
    says(&stage, &format!("!sentry authorize <#{alerts}>"), &format!("<#{alerts}> is now authorized")).await;
    says(&stage, &format!("<@{bot}> revoke <#{alerts}>"), &format!("Revoked access from <#{alerts}>")).await;
    says(
        &stage,
        &format!("<@!{bot}> channel authorize <#{alerts}>"),
        &format!("<#{alerts}> is now authorized"),
    )
    .await;
    says(&stage, &format!("!sentry revoke <#{alerts}>"), &format!("Revoked access from <#{alerts}>")).await;
}

#[tokio::test]
async fn a_channel_is_named_by_its_id_or_its_unique_name() {
    let stage = Stage::set().await;
    let alerts = stage.alerts;
    says(&stage, &format!("!sentry authorize {alerts}"), &format!("<#{alerts}> is now authorized")).await;
    says(&stage, "!sentry authorize #Alerts", &format!("<#{alerts}> is already authorized")).await;
    stage.sandbox.add_channel(stage.guild, Channel::new(ChannelKind::Category, "Alerts"));
    says(&stage, "!sentry revoke #alerts", &format!("Revoked access from <#{alerts}>")).await;
    stage.sandbox.add_channel(stage.guild, Channel::text("alerts"));
    let ambiguous = "Several channels have that name. Pick one from the list that Discord shows after `#`, or use its id.";
    says(&stage, "!sentry authorize #alerts", ambiguous).await;
    says(&stage, "!sentry revoke #alerts", ambiguous).await;
}

#[tokio::test]
async fn what_is_no_channel_of_this_guild_is_refused() {
    let stage = Stage::set().await;
    let elsewhere = stage.sandbox.add_guild(Guild::new("elsewhere", stage.owner));
    let foreign = stage.sandbox.add_channel(elsewhere, Channel::text("foreign"));
    let private = stage.sandbox.private_channel(stage.moderator);
    let (no_format, nowhere, other) = (
        "Please input the correct channel format, e.g. `#example`",
        "That channel does not exist in this server.",
        "That channel belongs to another server.",
    );
    for (argument, reply) in [
        ("alerts".to_owned(), no_format),
        ("@everyone".to_owned(), no_format),
        (format!("<@{}>", stage.owner), no_format),
        ("<#1234567890>".to_owned(), nowhere),
        ("0".to_owned(), nowhere),
        ("18446744073709551615".to_owned(), nowhere),
        ("#nothing".to_owned(), nowhere),
        ("#foreign".to_owned(), nowhere),
        (format!("<#{foreign}>"), other),
        (format!("{private}"), other),
    ] {
        says(&stage, &format!("!sentry channel authorize {argument}"), reply).await;
        says(&stage, &format!("!sentry channel revoke {argument}"), reply).await;
    }
}

#[tokio::test]
async fn a_channel_in_which_the_bot_cannot_post_is_refused_until_it_can() {
    let stage = Stage::set().await;
    let (alerts, bot) = (stage.alerts, Target::Member(stage.sandbox.bot()));
    for (denied, missing) in [
        (permissions::VIEW_CHANNEL, "View Channel"),
        (permissions::SEND_MESSAGES, "Send Messages"),
        (permissions::EMBED_LINKS, "Embed Links"),
        (permissions::ALL, "View Channel, Send Messages, Embed Links"),
    ] {
        stage.sandbox.set_overwrite(alerts, bot, 0, denied);
        let reply = format!(
            "I cannot post in <#{alerts}>, so it is not authorized. Missing permission: {missing}\n\
             Give it to me in the channel's settings. Then use `!sentry channel authorize` again."
        );
        says(&stage, &format!("!sentry channel authorize <#{alerts}>"), &reply).await;
        assert!(!stage.is_authorized(alerts).await);
    }
    stage.sandbox.set_overwrite(alerts, bot, 0, permissions::MANAGE_MESSAGES);
    says(
        &stage,
        &format!("!sentry channel authorize <#{alerts}>"),
        &format!("<#{alerts}> is now authorized"),
    )
    .await;
}

#[tokio::test]
async fn with_a_public_url_authorizing_prints_the_next_step() {
    let stage = Stage::set_with(&["--public-url", "https://bot.example.com:8080/base/"]).await;
    let alerts = stage.alerts;
    for state in ["now", "already"] {
        let reply =
            stage.text(stage.moderator, stage.office, &format!("!sentry authorize <#{alerts}>")).await;
        let lines: Vec<&str> = reply.lines().collect();
        assert_eq!(lines[0], format!("<#{alerts}> is {state} authorized"));
        let url = format!("https://bot.example.com:8080/base/sentry-bot/channel?id={alerts}");
        assert_eq!(lines[1], format!("1. Copy this URL: `{url}`"));
        assert!(lines[3].contains("Internal Integration") && lines[4].contains("WebHooks"), "{reply}");
        assert!(lines[5].contains("Add an alert rule to the project. Its action is the webhook"), "{reply}");
        assert_eq!(lines.len(), 7, "it fits a phone: {reply}");
    }
}

#[tokio::test]
async fn the_overview_lists_what_is_authorized() {
    let stage = Stage::set().await;
    let overview = |channels: String| {
        let usage = "`!sentry channel authorize #example`\n`!sentry channel revoke #example`".to_owned();
        vec![("Usage".to_owned(), usage), ("Authorized Channels".to_owned(), channels)]
    };
    let title = "***SENTRY CHANNEL AUTHORIZATION***".to_owned();
    for content in ["!sentry channel", "!sentry channel revoke", "!sentry revoke", "!sentry channel what"] {
        let embed = stage.embed(stage.moderator, stage.office, content).await;
        assert_eq!(embed, (title.clone(), overview("None".to_owned())));
    }
    stage.authorize(stage.alerts).await;
    stage.authorize(stage.office).await;
    let embed = stage.embed(stage.moderator, stage.office, "!sentry channel").await;
    assert_eq!(embed, (title, overview(format!("<#{}>, <#{}>", stage.office, stage.alerts))));
}

#[tokio::test]
async fn a_long_list_ends_in_and_n_more() {
    let stage = Stage::set().await;
    for number in 0..60 {
        let channel = stage.sandbox.add_channel(stage.guild, Channel::text(format!("c{number}")));
        stage.authorize(channel).await;
    }
    let (_, fields) = stage.embed(stage.moderator, stage.office, "!sentry channel").await;
    let shown = fields[1].1.matches("<#").count();
    assert!(fields[1].1.ends_with(&format!("> and {} more", 60 - shown)), "{}", fields[1].1);
}

#[tokio::test]
async fn rows_without_effect_are_told_apart_and_can_be_revoked() {
    let stage = Stage::set().await;
    let elsewhere = stage.sandbox.add_guild(Guild::new("elsewhere", stage.owner));
    let foreign = stage.sandbox.add_channel(elsewhere, Channel::text("foreign"));
    let gone = stage.sandbox.add_channel(stage.guild, Channel::text("gone"));
    for channel in [stage.alerts, foreign, gone] {
        stage.authorize(channel).await;
    }
    stage.sandbox.remove_channel(gone);

    let (_, fields) = stage.embed(stage.moderator, stage.office, "!sentry channel").await;
    assert_eq!(fields[1].1, format!("<#{}>", stage.alerts));
    let idle = ("Without Effect (deleted, private, or another server's)", format!("`{foreign}`, `{gone}`"));
    assert_eq!(fields[2], (idle.0.to_owned(), idle.1));

    for channel in [foreign, gone] {
        says(&stage, &format!("!sentry revoke {channel}"), &format!("Revoked access from <#{channel}>"))
            .await;
    }
    let left = stage.store.channels(GuildId::new(stage.guild)).await.expect("the store is there");
    assert_eq!(left, [ChannelId::new(stage.alerts)]);
}

#[tokio::test]
async fn what_is_private_leads_to_its_slash_command() {
    let stage = Stage::set().await;
    let secure = "Use `/sentry channel secure` so that the token stays private";
    let secret = "Use `/sentry channel secret` so that the secret stays private";
    let open = format!("{secure}\n`/sentry channel open` takes that back.");
    for (word, reply) in [("secure", secure), ("open", &open), ("secret", secret)] {
        says(&stage, &format!("!sentry channel {word} <#{}>", stage.alerts), reply).await;
    }
}
