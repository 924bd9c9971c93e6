//! `h`, `help`, the bare prefix, and what is no command.

use sandbox_discord::Channel;

use crate::stage::Stage;

#[tokio::test]
async fn help_is_shown_in_an_authorized_channel() {
    let stage = Stage::set().await;
    stage.authorize(stage.office).await;
    let bot = stage.sandbox.bot();
    let role = stage.sandbox.bot_role(stage.guild).expect("it was invited").id();
    let mentions = [format!("<@{bot}>"), format!("<@!{bot}> h"), format!("<@&{role}> h")];
    let mentions = mentions.iter().map(String::as_str);
    for content in ["!sentry", "!sentry h", "!sentry help", "!Sentry H"].into_iter().chain(mentions) {
        let (title, fields) = stage.embed(stage.member, stage.office, content).await;
        assert_eq!(title, "***SENTRY HELP***");
        let lines: Vec<_> = fields.iter().flat_map(|(_, value)| value.lines()).collect();
        assert_eq!(lines.len(), 20, "{lines:?}");
        assert!(lines[0].starts_with("- `!sentry channel authorize #example`: "), "{lines:?}");
        // They have no other form.
        let rule = "- `/sentry rule add action:route to:#example project:web`: ";
        assert!(lines[10].starts_with(rule), "{lines:?}");
        assert!(lines[17].starts_with("- `/sentry channel secure channel:#example`: "), "{lines:?}");
    }
}

#[tokio::test]
async fn help_elsewhere_says_how_to_authorize() {
    let stage = Stage::set().await;
    stage.authorize(stage.alerts).await;
    let bot = stage.sandbox.bot();
    for content in ["!sentry", "!sentry help", &format!("<@{bot}> h")] {
        // Each channel is told once a minute.
        let elsewhere = stage.sandbox.add_channel(stage.guild, Channel::text("elsewhere"));
        assert_eq!(
            stage.text(stage.member, elsewhere, content).await,
            "This channel is not authorized. Use `!sentry channel authorize` to authorize channels."
        );
    }
}

#[tokio::test]
async fn an_unknown_word_gets_a_hint_in_an_authorized_channel_and_silence_elsewhere() {
    let stage = Stage::set().await;
    stage.authorize(stage.alerts).await;
    assert_eq!(
        stage.text(stage.member, stage.alerts, "!sentry @everyone").await,
        "Unknown command. Use `!sentry h` to see all commands."
    );
    assert!(stage.answers(stage.member, stage.office, "!sentry hello").await.is_empty());
}

#[tokio::test]
async fn what_is_not_meant_for_the_bot_gets_no_answer() {
    let stage = Stage::set().await;
    stage.authorize(stage.office).await;
    let other = format!("<@{}> h", stage.owner);
    let role = format!("<@&{}> h", stage.role);
    for content in ["hello", "!sentryh", "say !sentry h", &other, &role] {
        assert!(stage.answers(stage.member, stage.office, content).await.is_empty(), "{content:?}");
    }
}

#[tokio::test]
async fn texts_show_the_prefix_that_is_set() {
    let stage = Stage::set_with(&["--command-prefix", "?bot"]).await;
    assert_eq!(
        stage.text(stage.member, stage.office, "?bot h").await,
        "This channel is not authorized. Use `?bot channel authorize` to authorize channels."
    );
    assert!(stage.answers(stage.member, stage.office, "!sentry h").await.is_empty());
    stage.authorize(stage.office).await;
    let (_, fields) = stage.embed(stage.member, stage.office, "?bot h").await;
    assert!(fields[0].1.starts_with("- `?bot channel authorize #example`: "), "{fields:?}");
}

/// An old database may hold a channel under a foreign guild.
#[tokio::test]
async fn another_guild_s_list_authorizes_nothing_here() {
    let stage = Stage::set().await;
    let other = shared::GuildId::new(stage.guild + 1);
    stage.store.authorize(other, shared::ChannelId::new(stage.office)).await.expect("the store is there");
    assert_eq!(
        stage.text(stage.member, stage.office, "!sentry h").await,
        "This channel is not authorized. Use `!sentry channel authorize` to authorize channels."
    );
}
