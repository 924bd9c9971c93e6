//! Discord closes channels to the bot, and opens them again: permissions,
//! threads, time-outs.

use std::time::{Duration, Instant};

use e2e::{report, scaled};
use harness::wait::{SOON, wait_for};
use sandbox_discord::{
    Channel, Role, Target,
    permissions::{EMBED_LINKS, EVERYONE, SEND_MESSAGES, VIEW_CHANNEL},
};
use tokio::time::sleep;

use crate::scene::{CREATE, Scene, closed};

/// How long channels stay closed.
fn incident() -> Duration {
    Duration::from_secs(scaled(2, 30))
}

/// What goes wrong, with which channels, and what `status` must say.
struct Closure<'a> {
    name: &'a str,
    channels: &'a [u64],
    /// What `status` must name. `None` if nobody can ask.
    says: Option<&'a str>,
    /// What it must not name, because the bot has that.
    never_says: &'a str,
}

/// Closes the channels, looks, opens them, and waits until they work by themselves.
async fn closes_and_heals(
    scene: &Scene,
    closure: &Closure<'_>,
    close: impl FnOnce(),
    open: impl AsyncFnOnce(),
) {
    let Closure { name, channels, says, never_says } = closure;
    channels.iter().for_each(|channel| scene.ledger.excuse_order(*channel));
    let refused = || {
        let stats = scene.stack.sandbox.stats();
        [403, 404, 400].map(|status| stats.answers(CREATE, Some(status))).iter().sum::<u64>()
    };
    let before = refused();
    scene
        .under_load(async {
            close();
            for channel in *channels {
                wait_for(&format!("{name}: alerts of {channel} are dead"), SOON, || async {
                    (!scene.dead(*channel).await.is_empty()).then_some(())
                })
                .await;
                if let Some(says) = says {
                    let said = scene.status(*channel).await;
                    let why = closed(&said).unwrap_or_default();
                    assert!(why.contains(says), "{name}: the status names {says:?}: {said}");
                    let false_alarm = !never_says.is_empty() && why.contains(never_says);
                    assert!(!false_alarm, "{name}: the bot has {never_says:?}: {said}");
                    assert!(!said.contains("Dead Letters = None"), "{name}: {said}");
                }
            }
            sleep(incident()).await;
            for channel in *channels {
                let dead = scene.dead(*channel).await;
                assert!(dead.iter().all(|letter| letter.reason == "unreachable"), "{name}: {dead:?}");
            }
            let tried = refused() - before;
            assert!(tried <= 4 * channels.len() as u64, "{name}: {tried} posts were refused");
            open().await;
            let start = Instant::now();
            for channel in *channels {
                scene.until_open(name, *channel).await;
            }
            report(&format!("{name}: open again after {:?}, {tried} posts were refused", start.elapsed()));
        })
        .await;
    scene.works(channels, SOON).await;
    scene.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_are_taken_and_given() {
    let scene = Scene::start(4).await;
    let sandbox = &scene.stack.sandbox;
    let (guild, bot) = (scene.stack.guild, Target::Member(sandbox.bot()));
    let [hidden, mute, bare, calm] = scene.channels[..] else { unreachable!("four were asked for") };
    for (name, channel, denied, says, never_says) in [
        ("View Channel", hidden, VIEW_CHANNEL, "View Channel", "Embed Links"),
        ("Send Messages", mute, SEND_MESSAGES, "Send Messages", "View Channel"),
        ("Embed Links", bare, EMBED_LINKS, "Embed Links", "View Channel"),
    ] {
        let closure = Closure { name, channels: &[channel], says: Some(says), never_says };
        let open = async || sandbox.set_overwrite(channel, bot, 0, 0);
        closes_and_heals(&scene, &closure, || sandbox.set_overwrite(channel, bot, 0, denied), open).await;
    }
    assert!(scene.dead(calm).await.is_empty(), "another channel's trouble");

    // A role that allows it here is deleted, and another takes its place.
    let poster = || Role::new("poster", 0);
    let lets_post = |role: &Role| {
        let own = sandbox.bot_role(guild).expect("the bot has a role").id();
        sandbox.set_role(guild, role.clone());
        sandbox.set_overwrite(mute, Target::Role(role.id()), SEND_MESSAGES, 0);
        sandbox.set_member(guild, sandbox.bot(), &[own, role.id()]);
    };
    let (first, second) = (poster(), poster());
    lets_post(&first);
    sandbox.set_overwrite(mute, Target::Role(guild), 0, SEND_MESSAGES);
    let channels = &[mute];
    let closure =
        Closure { name: "role deleted", channels, says: Some("Send Messages"), never_says: "Embed Links" };
    let delete = || sandbox.remove_role(guild, first.id());
    closes_and_heals(&scene, &closure, delete, async || lets_post(&second)).await;
    sandbox.set_overwrite(mute, Target::Role(guild), 0, 0);
    sandbox.remove_role(guild, second.id());

    // The whole guild, by roles: the bot's own role grants nothing, then
    // everyone's role does not either.
    let everyone = Role::new("@everyone", EVERYONE).with_id(guild);
    let own = sandbox.bot_role(guild).expect("the bot has a role");
    let close = || {
        sandbox.set_role(guild, own.clone().with_permissions(0));
        sandbox.set_role(guild, everyone.clone().with_permissions(EVERYONE & !SEND_MESSAGES));
    };
    let open = async || sandbox.set_role(guild, own.clone());
    let all = &scene.channels;
    let closure = Closure { name: "roles", channels: all, says: Some("Send Messages"), never_says: "" };
    closes_and_heals(&scene, &closure, close, open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_are_locked_and_left() {
    let mut scene = Scene::start(1).await;
    let (guild, parent) = (scene.stack.guild, scene.channels[0]);
    let (owner, bot) = (scene.stack.owner, scene.stack.sandbox.bot());
    let private = Channel::private_thread(parent, "private").thread_member(owner).thread_member(bot);
    let private = scene.stack.sandbox.add_channel(guild, private);
    let public = scene.stack.sandbox.add_channel(guild, Channel::thread(parent, "public"));
    for thread in [private, public] {
        let reply = scene.stack.command(owner, &format!("!sentry channel authorize <#{thread}>")).await;
        assert!(reply.content().starts_with(&format!("<#{thread}> is now authorized")), "{}", reply.json);
        scene.channels.push(thread);
    }
    let sandbox = &scene.stack.sandbox;
    let closure = Closure { name: "locked", channels: &[public], says: Some("locked"), never_says: "" };
    let open = async || sandbox.set_thread(public, false, false);
    closes_and_heals(&scene, &closure, || sandbox.set_thread(public, true, true), open).await;
    let closure = Closure { name: "left", channels: &[private], says: None, never_says: "" };
    let open = async || sandbox.join_thread(private, bot);
    closes_and_heals(&scene, &closure, || sandbox.leave_thread(private, bot), open).await;
    // A thread that is only archived is opened by the next post.
    sandbox.set_thread(public, true, false);
    scene.works(&[public], SOON).await;
    assert!(scene.stack.dead_letters().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bot_is_timed_out() {
    let scene = Scene::start(3).await;
    let (guild, sandbox) = (scene.stack.guild, &scene.stack.sandbox);
    let bot = sandbox.bot();
    let all = &scene.channels;
    let closure = Closure { name: "timed out", channels: all, says: Some("timed out"), never_says: "" };
    // Discord does not announce the end of a time-out.
    let short = Duration::from_secs(scaled(6, 60));
    closes_and_heals(&scene, &closure, || sandbox.time_out(guild, bot, short), async || {}).await;
    let closure = Closure { name: "time-out lifted", ..closure };
    let long = Duration::from_secs(3_600);
    let lift = async || sandbox.lift_time_out(guild, bot);
    closes_and_heals(&scene, &closure, || sandbox.time_out(guild, bot, long), lift).await;
}
