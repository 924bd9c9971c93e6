//! `channel authorize` in channels of all kinds, and what each needs.

use std::time::Duration;

use sandbox_discord::{Channel, ChannelKind, Target, permissions};

use crate::{
    permission::REFUSAL,
    slash::{connected, text},
    stage::Stage,
};

async fn says(stage: &Stage, content: &str, reply: &str) {
    assert_eq!(stage.text(stage.moderator, stage.office, content).await, reply, "{content:?}");
}

fn cannot_post(channel: u64, missing: &str) -> String {
    format!(
        "I cannot post in <#{channel}>, so it is not authorized. Missing permission: {missing}\n\
         Give it to me in the channel's settings. Then use `!sentry channel authorize` again."
    )
}

#[tokio::test]
async fn a_voice_channel_s_chat_announcements_and_threads_are_fine() {
    let stage = Stage::set().await;
    let voice = stage.sandbox.add_channel(stage.guild, Channel::new(ChannelKind::Voice, "voice"));
    let stands = stage.sandbox.add_channel(stage.guild, Channel::new(ChannelKind::Stage, "stage"));
    let news = stage.sandbox.add_channel(stage.guild, Channel::new(ChannelKind::Announcement, "news"));
    let thread = stage.sandbox.add_channel(stage.guild, Channel::thread(stage.alerts, "thread"));
    for channel in [voice, stands, news, thread] {
        says(&stage, &format!("!sentry authorize <#{channel}>"), &format!("<#{channel}> is now authorized"))
            .await;
    }
    let (_, fields) = stage.embed(stage.moderator, stage.office, "!sentry channel").await;
    assert_eq!(fields[1].1, format!("<#{voice}>, <#{stands}>, <#{news}>, <#{thread}>"));
    says(&stage, &format!("!sentry revoke <#{thread}>"), &format!("Revoked access from <#{thread}>")).await;
}

#[tokio::test]
async fn what_takes_no_messages_is_refused() {
    let stage = Stage::set().await;
    for kind in [ChannelKind::Category, ChannelKind::Forum, ChannelKind::Media] {
        let channel = stage.sandbox.add_channel(stage.guild, Channel::new(kind, "other"));
        let reply = format!("<#{channel}> cannot take messages. Choose a channel that people write in.");
        says(&stage, &format!("!sentry channel authorize <#{channel}>"), &reply).await;
        says(&stage, &format!("!sentry channel revoke <#{channel}>"), &reply).await;
    }
}

#[tokio::test]
async fn a_thread_needs_its_own_permission_by_its_channel_s_overwrites() {
    let stage = Stage::set().await;
    let bot = Target::Member(stage.sandbox.bot());
    let thread = stage.sandbox.add_channel(stage.guild, Channel::thread(stage.alerts, "thread"));
    let locked = stage.sandbox.add_channel(stage.guild, Channel::thread(stage.alerts, "locked").locked());
    stage.sandbox.set_overwrite(stage.alerts, bot, 0, permissions::SEND_MESSAGES);
    says(&stage, &format!("!sentry authorize {locked}"), &cannot_post(locked, "Manage Threads")).await;
    says(&stage, &format!("!sentry authorize {thread}"), &format!("<#{thread}> is now authorized")).await;
    stage.sandbox.set_overwrite(stage.alerts, bot, 0, permissions::SEND_MESSAGES_IN_THREADS);
    says(&stage, &format!("!sentry authorize {thread}"), &cannot_post(thread, "Send Messages in Threads"))
        .await;
}

#[tokio::test]
async fn a_voice_channel_and_a_stage_need_connect_of_the_bot_and_of_who_names_it() {
    let stage = Stage::set().await;
    let (bot, moderator) = (Target::Member(stage.sandbox.bot()), Target::Member(stage.moderator));
    for kind in [ChannelKind::Voice, ChannelKind::Stage] {
        let channel = stage.sandbox.add_channel(stage.guild, Channel::new(kind, "voice"));
        let authorize = format!("!sentry authorize <#{channel}>");
        stage.sandbox.set_overwrite(channel, bot, 0, permissions::CONNECT);
        says(&stage, &authorize, &cannot_post(channel, "Connect")).await;
        stage.sandbox.set_overwrite(channel, moderator, 0, permissions::CONNECT);
        says(&stage, &authorize, REFUSAL).await;
        assert!(!stage.is_authorized(channel).await);
        for target in [bot, moderator] {
            stage.sandbox.set_overwrite(channel, target, 0, 0);
        }
        says(&stage, &authorize, &format!("<#{channel}> is now authorized")).await;
    }
    // It means nothing elsewhere.
    stage.sandbox.set_overwrite(stage.alerts, bot, 0, permissions::CONNECT);
    let alerts = stage.alerts;
    says(&stage, &format!("!sentry authorize {alerts}"), &format!("<#{alerts}> is now authorized")).await;
}

#[tokio::test]
async fn a_time_out_of_the_bot_is_told() {
    let connected = connected().await;
    let stage = &connected.stage;
    stage.sandbox.time_out(stage.guild, stage.sandbox.bot(), Duration::from_secs(600));
    let reply = text(stage, stage.moderator, stage.office, "sentry channel authorize", &[]).await;
    assert!(reply.starts_with(&format!("I cannot post in <#{}>", stage.office)), "{reply}");
    assert!(reply.contains("\nMy time-out in this server ends <t:"), "{reply}");
}

#[tokio::test]
async fn a_private_thread_needs_membership_or_manage_threads() {
    let stage = Stage::set().await;
    let (bot, moderator) = (stage.sandbox.bot(), stage.moderator);
    let thread = stage.sandbox.add_channel(stage.guild, Channel::private_thread(stage.alerts, "secret"));
    let authorize = format!("!sentry authorize <#{thread}>");
    let no_access = "I cannot see that channel.\n\
                     If it is private, give me View Channel there. Into a private thread, invite me with a mention.";
    let allow = |user: u64| {
        stage.sandbox.set_overwrite(stage.alerts, Target::Member(user), permissions::MANAGE_THREADS, 0);
    };
    let forbid = |user: u64| stage.sandbox.set_overwrite(stage.alerts, Target::Member(user), 0, 0);

    says(&stage, &authorize, no_access).await;
    stage.sandbox.join_thread(thread, moderator);
    says(&stage, &authorize, no_access).await;
    stage.sandbox.join_thread(thread, bot);
    says(&stage, &authorize, &format!("<#{thread}> is now authorized")).await;

    stage.sandbox.leave_thread(thread, moderator);
    says(&stage, &authorize, REFUSAL).await;
    allow(moderator);
    says(&stage, &authorize, &format!("<#{thread}> is already authorized")).await;
    forbid(moderator);

    stage.sandbox.join_thread(thread, moderator);
    stage.sandbox.leave_thread(thread, bot);
    says(&stage, &authorize, no_access).await;
    allow(bot);
    says(&stage, &authorize, &format!("<#{thread}> is already authorized")).await;
}
