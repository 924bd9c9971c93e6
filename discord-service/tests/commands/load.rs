//! What a channel, a member and a guild that use commands without end cost the
//! others.

use std::time::{Duration, Instant};

use discord_service::gateway::Handler as _;
use futures::future::join_all;
use sandbox_discord::{Channel, Effect, Fault, User};

use crate::{
    slash::{connected, shown},
    stage::Stage,
};

const TOO_MANY: &str = "Too many commands at once. Please try again in a minute.";

/// New members of the stage's guild.
fn members(stage: &Stage, count: usize) -> Vec<u64> {
    let member = |number| {
        let user = stage.sandbox.add_user(User::new(format!("member-{number}")));
        stage.sandbox.set_member(stage.guild, user, &[]);
        user
    };
    (0..count).map(member).collect()
}

/// Each of them types it so many times, all at once. Counts the answers in the channel,
/// without the one that says that these are too many.
async fn flood(stage: &Stage, users: &[u64], channel: u64, content: &str, times: usize) -> u64 {
    let typed = users.iter().flat_map(|user| (0..times).map(|_| *user)).map(|user| {
        let id = stage.sandbox.say(user, channel, content).expect("may write");
        stage.commands.typed(stage.typed(id, user, channel, content))
    });
    join_all(typed).await;
    let mut answers = stage.sandbox.messages(channel);
    answers.retain(|message| message.author == stage.sandbox.bot());
    let all = answers.len();
    answers.retain(|answer| answer.content() != TOO_MANY);
    assert!(all - answers.len() <= 1, "it is said once a minute");
    answers.len() as u64
}

/// Twenty at once and one a second later on; each may find that what is
/// remembered has just ended.
#[tokio::test]
async fn permissions_are_read_again_only_so_often() {
    let stage = Stage::set().await;
    let start = Instant::now();
    for user in [stage.member, stage.robot] {
        for _ in 0..30 {
            stage.answer(user, stage.office, "!sentry channel").await;
        }
    }
    let most = 20 + 2 * (start.elapsed().as_secs() + 1);
    let reads = stage.sandbox.stats().answers("GET /guilds/{guild_id}", Some(200));
    assert!((20..=most).contains(&reads), "{reads} of at most {most}");
}

#[tokio::test]
async fn a_channel_is_told_once_a_minute_that_it_is_not_authorized() {
    let stage = Stage::set().await;
    assert_eq!(flood(&stage, &[stage.member, stage.owner], stage.office, "!sentry h", 10).await, 1);
    let other = stage.sandbox.add_channel(stage.guild, Channel::text("other"));
    assert_eq!(
        flood(&stage, &[stage.member], other, "!sentry status", 10).await,
        1,
        "each channel for itself"
    );
}

#[tokio::test]
async fn a_member_s_flood_is_cut_off_and_then_a_guild_s() {
    let stage = Stage::set().await;
    stage.authorize(stage.office).await;
    let start = Instant::now();
    let answers = flood(&stage, &[stage.member], stage.office, "!sentry h", 100).await;
    let most = 40 + 2 * (start.elapsed().as_secs() + 1);
    assert!((30..=most).contains(&answers), "{answers} answers for a member, at most {most}");

    let others = members(&stage, 20);
    let all = flood(&stage, &others, stage.office, "!sentry h", 20).await;
    let most = 120 + 5 * (start.elapsed().as_secs() + 1);
    assert!((answers + 30..=most).contains(&all), "{all} answers for a guild, at most {most}");
}

#[tokio::test]
async fn too_many_typed_commands_are_told_so_once_a_minute() {
    let stage = Stage::set().await;
    flood(&stage, &[stage.member], stage.office, "!sentry hello", 100).await;
    assert_eq!(stage.sandbox.messages(stage.office).len(), 100, "talk about other things");
    let other = stage.sandbox.add_channel(stage.guild, Channel::text("other"));
    flood(&stage, &[stage.member], other, "!sentry channel", 100).await;
    let answers = stage.sandbox.messages(other);
    let told = answers.iter().filter(|message| message.content() == TOO_MANY);
    assert_eq!(told.count(), 1);
}

#[tokio::test]
async fn two_replies_are_in_flight_in_a_channel_and_each_is_given_up_after_five_seconds() {
    let stage = Stage::set().await;
    stage.authorize(stage.office).await;
    // Until a first answer tells of the limits, one request goes at a time.
    stage.embed(stage.owner, stage.office, "!sentry h").await;
    let silence = Fault::new(Effect::Silence(Duration::from_secs(20))).on_channel(stage.office);
    stage.sandbox.add_fault(silence);
    let (start, users) = (Instant::now(), members(&stage, 10));
    assert_eq!(flood(&stage, &users, stage.office, "!sentry h", 1).await, 1, "the first");
    let took = start.elapsed();
    assert!(took < Duration::from_secs(8), "they wait beside each other: {took:?}");
    assert_eq!(stage.sandbox.stats().in_flight_max.get(&stage.office), Some(&2));
}

#[tokio::test]
async fn questions_about_a_guild_are_few() {
    let stage = Stage::set().await;
    let unknown: Vec<_> = (0..40).map(|number| format!("!sentry authorize <#{}>", 1_000 + number)).collect();
    let start = Instant::now();
    let typed = unknown.iter().flat_map(|content| [(stage.owner, content), (stage.moderator, content)]);
    let typed = typed.map(|(user, content)| {
        let id = stage.sandbox.say(user, stage.office, content).expect("may write");
        stage.commands.typed(stage.typed(id, user, stage.office, content))
    });
    join_all(typed).await;
    let stats = stage.sandbox.stats();
    let questions: u64 = stats
        .requests
        .iter()
        .filter(|(name, _)| name.starts_with("GET /guilds/") || name.starts_with("GET /channels/"))
        .map(|(_, count)| count)
        .sum();
    let most = 100 + 8 * (start.elapsed().as_secs() + 1);
    assert!((80..=most).contains(&questions), "{questions} questions, at most {most}");
}

#[tokio::test]
async fn too_many_slash_commands_and_completions_are_told_so() {
    let connected = connected().await;
    let stage = &connected.stage;
    stage.authorize(stage.office).await;
    let used = |user: u64| stage.sandbox.slash(user, stage.office, "sentry help", &[]).expect("used");
    let uses: Vec<_> = (0..200).map(|_| used(stage.member)).collect();
    let other = used(stage.owner);
    let mut told = 0;
    for invocation in &uses {
        told += u32::from(shown(invocation).await.content() == TOO_MANY);
    }
    assert!((150..200).contains(&told), "{told}");
    assert_eq!(shown(&other).await.content(), "", "an embed: a member spends nobody else's budget");
}
