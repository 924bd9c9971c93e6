//! A slash command whose pod dies after it has promised Discord an answer.

use std::time::Duration;

use async_nats::jetstream;
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Channel, Effect, Fault, Guild, Role, User, permissions};
use serde_json::Value;
use shared::wire;

use crate::builder;

/// The request that authorizing makes.
const MEMBER: &str = "GET /guilds/{guild_id}/members/{user_id}";
/// Longer than the pod lives.
const HANGS: Duration = Duration::from_secs(600);

/// Time for the dead pod's lease, another start, and the successor's caution.
const TAKEN_OVER: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_slash_command_whose_pod_dies_is_answered_by_its_successor_which_repeats_nothing_else() {
    let mut stack = builder().start().await;
    let admin = stack.sandbox.add_user(User::new("admin"));
    let role = Role::new("admins", permissions::ADMINISTRATOR).with_id(77);
    let guild = stack.sandbox.add_guild(Guild::new("Other", stack.owner).role(role).member(admin, &[77]));
    let [office, asked] =
        ["office", "asked"].map(|name| stack.sandbox.add_channel(guild, Channel::text(name)));
    let typed = [("channel", "")];
    let completed = wait_for("slash commands are registered", SOON, || async {
        stack.sandbox.autocomplete(admin, office, "sentry channel revoke", &typed, "channel").ok()
    })
    .await;
    completed.answer().await.expect("answered in time");
    stack.command_in(office, stack.owner, &format!("!sentry channel authorize <#{office}>")).await;

    stack.sandbox.add_fault(Fault::new(Effect::Silence(HANGS)).on_endpoint(MEMBER).times(1));
    let id = asked.to_string();
    let command = stack.sandbox.slash(admin, office, "sentry channel authorize", &[("channel", &id)]);
    let command = command.expect("an admin may use it");
    assert_eq!(command.answer().await.expect("answered in time").kind, 5, "it thinks");
    // Meanwhile a project comes and goes, and that must not be done again.
    for (words, reply) in [("register web", "Registered"), ("revoke", "Revoked")] {
        let text = format!("!sentry project {words}");
        let answer = stack.command_in(office, stack.owner, &text).await;
        assert_eq!(answer.content(), format!("{reply} Sentry project: `web`"));
    }
    let js = jetstream::new(stack.nats.client().await);
    wait_for("one event is left to a successor, and those after it are not", SOON, || async {
        let bucket = js.get_key_value(wire::LEASES).await.ok()?;
        let kept: Value = serde_json::from_slice(&bucket.get("session.0").await.ok()??).ok()?;
        let session = &kept["session"];
        let (left, heard) = (session["left"].as_array()?, session["heard"].as_u64()?);
        (left.len() == 1 && left[0].as_u64()? + 2 <= heard).then_some(())
    })
    .await;
    stack.discord.kill();
    stack.discord.restart();
    let answer = command.message(TAKEN_OVER).await.expect("an answer");
    assert_eq!(answer.content(), format!("<#{asked}> is now authorized"));
    assert_eq!(stack.sandbox.stats().nonce_repeats, 0, "what was answered is not heard again");
    stack.assert_clean();
}
