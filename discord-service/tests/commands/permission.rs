//! Who may use the commands that need Manage Messages.

use discord_service::gateway::Handler as _;
use sandbox_discord::{Channel, Guild, Role, Target, User, permissions};

use crate::stage::Stage;

pub(crate) const REFUSAL: &str = "You have no sufficient permission in this guild to use this command. \
                       Please contact guild administrator.";

async fn authorizes(stage: &Stage, user: u64, channel: u64) -> bool {
    let text = stage.text(user, stage.office, &format!("!sentry channel authorize <#{channel}>")).await;
    let done = text == format!("<#{channel}> is now authorized")
        || text == format!("<#{channel}> is already authorized");
    assert!(done || text == REFUSAL, "{text}");
    assert!(done || !stage.is_authorized(channel).await);
    done
}

#[tokio::test]
async fn without_manage_messages_every_form_is_refused() {
    let stage = Stage::set().await;
    let alerts = stage.alerts;
    for content in [
        "!sentry channel".to_owned(),
        format!("!sentry channel authorize <#{alerts}>"),
        format!("!sentry channel revoke <#{alerts}>"),
        format!("!sentry authorize <#{alerts}>"),
        format!("!sentry revoke <#{alerts}>"),
        "!sentry authorize what".to_owned(),
        "!sentry authorize #what".to_owned(),
        "!sentry channel secure".to_owned(),
        format!("<@{}> channel", stage.sandbox.bot()),
    ] {
        assert_eq!(stage.text(stage.member, stage.office, &content).await, REFUSAL, "{content:?}");
    }
    assert!(!stage.is_authorized(alerts).await);
}

#[tokio::test]
async fn the_owner_moderators_and_administrators_may() {
    let stage = Stage::set().await;
    assert!(authorizes(&stage, stage.owner, stage.alerts).await);
    assert!(authorizes(&stage, stage.moderator, stage.alerts).await);
    assert!(
        !authorizes(&stage, stage.member, stage.sandbox.add_channel(stage.guild, Channel::text("new"))).await
    );

    let mut other = stage;
    let admin = other.sandbox.add_user(User::new("admin"));
    let role = Role::new("admins", permissions::ADMINISTRATOR).with_id(88);
    other.guild = other.sandbox.add_guild(Guild::new("other", other.owner).role(role).member(admin, &[88]));
    other.office = other.sandbox.add_channel(other.guild, Channel::text("office"));
    let hidden = Channel::text("hidden").deny(Target::Member(admin), permissions::ALL);
    let hidden = other.sandbox.add_channel(other.guild, hidden);
    assert!(authorizes(&other, admin, hidden).await);
}

#[tokio::test]
async fn the_permission_is_needed_where_the_command_is_typed() {
    let stage = Stage::set().await;
    let (member, moderator) = (Target::Member(stage.member), Target::Member(stage.moderator));
    stage.sandbox.set_overwrite(stage.alerts, member, permissions::MANAGE_MESSAGES, 0);
    assert!(!authorizes(&stage, stage.member, stage.alerts).await);
    stage.sandbox.set_overwrite(stage.office, moderator, 0, permissions::MANAGE_MESSAGES);
    assert!(!authorizes(&stage, stage.moderator, stage.alerts).await);
    stage.sandbox.set_overwrite(stage.office, member, permissions::MANAGE_MESSAGES, 0);
    assert!(authorizes(&stage, stage.member, stage.alerts).await, "a change counts at once");
}

#[tokio::test]
async fn the_permission_is_needed_in_the_channel_named() {
    let stage = Stage::set().await;
    let (alerts, role) = (stage.alerts, Target::Role(stage.role));
    for denied in [permissions::MANAGE_MESSAGES, permissions::VIEW_CHANNEL] {
        stage.sandbox.set_overwrite(alerts, role, 0, denied);
        assert!(!authorizes(&stage, stage.moderator, alerts).await);
    }
    stage.authorize(alerts).await;
    let revoke = format!("!sentry revoke <#{alerts}>");
    assert_eq!(stage.text(stage.moderator, stage.office, &revoke).await, REFUSAL);
    assert!(stage.is_authorized(alerts).await);

    let member = Target::Member(stage.moderator);
    stage.sandbox.set_overwrite(alerts, member, permissions::VIEW_CHANNEL | permissions::MANAGE_MESSAGES, 0);
    let revoked = format!("Revoked access from <#{alerts}>");
    assert_eq!(stage.text(stage.moderator, stage.office, &revoke).await, revoked);
}

#[tokio::test]
async fn a_thread_has_the_overwrites_of_its_channel() {
    let stage = Stage::set().await;
    let thread = stage.sandbox.add_channel(stage.guild, Channel::thread(stage.alerts, "thread"));
    stage.sandbox.set_overwrite(stage.alerts, Target::Role(stage.role), 0, permissions::MANAGE_MESSAGES);
    assert!(!authorizes(&stage, stage.moderator, thread).await);
    let typed_in_it = stage.text(stage.moderator, thread, "!sentry channel").await;
    assert_eq!(typed_in_it, REFUSAL);
    assert!(authorizes(&stage, stage.owner, thread).await);
}

#[tokio::test]
async fn who_has_left_the_guild_may_nothing() {
    let stage = Stage::set().await;
    let stranger = stage.sandbox.add_user(User::new("stranger"));
    let id = stage.sandbox.say(stage.member, stage.office, "!sentry channel").expect("may write");
    stage.commands.typed(stage.typed(id, stranger, stage.office, "!sentry channel")).await;
    let messages = stage.sandbox.messages(stage.office);
    assert_eq!(messages.last().map(|message| message.content().to_owned()).as_deref(), Some(REFUSAL));
}
