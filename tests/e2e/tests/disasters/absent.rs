//! No pod may be there to hear the event that opens a channel. And after an
//! event for a whole server, its channels are tried over a minute.

use futures::future::join_all;
use harness::wait::{SOON, wait_for};
use sandbox_discord::{
    Role,
    permissions::{EVERYONE, SEND_MESSAGES},
};

use crate::scene::Scene;

/// Waits until they are open, then checks the books.
async fn heals(scene: &Scene, name: &str) {
    join_all(scene.channels.iter().map(|channel| scene.until_open(name, *channel))).await;
    scene.works(&scene.channels, SOON).await;
    scene.settle().await;
    assert!(scene.stack.dead_letters().await.is_empty(), "{name}");
}

async fn closable(channels: usize) -> Scene {
    let scene = Scene::start(channels).await;
    scene.channels.iter().for_each(|channel| scene.ledger.excuse_order(*channel));
    scene
}

async fn kicked_and_invited_again() {
    let scene = closable(3).await;
    let (guild, sandbox) = (scene.stack.guild, &scene.stack.sandbox);
    scene
        .under_load(async {
            sandbox.remove_member(guild, sandbox.bot());
            scene.until_closed("kicked", &scene.channels).await;
            let dead = scene.stack.dead_letters().await;
            assert!(dead.iter().all(|letter| letter.detail.contains("Invite it again")), "{dead:?}");
            sandbox.invite_bot(guild);
            let open = scene.channels.iter().map(|channel| scene.until_open("kicked", *channel));
            join_all(open).await;
        })
        .await;
    heals(&scene, "kicked").await;
}

async fn invited_again_while_no_pod_is_there() {
    let mut scene = closable(2).await;
    let guild = scene.stack.guild;
    scene.stack.sandbox.remove_member(guild, scene.stack.sandbox.bot());
    scene.until_closed("kicked, no pod", &scene.channels).await;
    scene.stack.discord.kill();
    for channel in &scene.channels {
        scene.alert(*channel).await;
    }
    scene.stack.sandbox.invite_bot(guild);
    scene.stack.discord.restart();
    heals(&scene, "kicked, no pod").await;
}

async fn a_pod_dies_and_another_takes_its_closed_channels() {
    let mut scene = closable(6).await;
    let second = scene.stack.add_discord();
    second.ready().await;
    wait_for("both have channels", SOON, || async {
        let lanes = async |pod: &harness::service::Service| pod.metric("sentry_bot_leases_held").await;
        (lanes(&scene.stack.discord).await > 0.0 && lanes(&second).await > 0.0).then_some(())
    })
    .await;
    let guild = scene.stack.guild;
    let own = scene.stack.sandbox.bot_role(guild).expect("the bot has a role");
    let everyone = Role::new("@everyone", EVERYONE).with_id(guild);
    let sandbox = &scene.stack.sandbox;
    sandbox.set_role(guild, own.clone().with_permissions(0));
    sandbox.set_role(guild, everyone.clone().with_permissions(EVERYONE & !SEND_MESSAGES));
    scene.until_closed("a pod dies", &scene.channels).await;
    scene.stack.discord.kill();
    // Nobody hears this, because the gateway's lease must first go to the other
    // pod.
    scene.stack.sandbox.set_role(guild, own);
    scene.stack.sandbox.set_role(guild, everyone);
    scene.stack.discord = second;
    for channel in &scene.channels {
        scene.alert(*channel).await;
    }
    heals(&scene, "a pod dies").await;
}

/// Each waits for up to a minute, so they wait together.
#[tokio::test(flavor = "multi_thread")]
async fn the_bot_is_kicked_and_pods_die_and_all_opens_again() {
    tokio::join!(
        kicked_and_invited_again(),
        invited_again_while_no_pod_is_there(),
        a_pod_dies_and_another_takes_its_closed_channels(),
    );
}
