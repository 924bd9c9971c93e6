//! Targets that take no alert: full, revoked, secured, deleted or closed.

use e2e::{Stack, publish_alerts};
use futures::StreamExt as _;
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Effect, Fault, Message, Target, permissions::SEND_MESSAGES};
use shared::wire;
use tokio::time::timeout;

use crate::scene::{LONG, POST, alert_of, builder, hits, route, saying, until_titles};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// How many alerts may wait for a channel.
const BACKLOG: usize = 8;

struct Scene {
    stack: Stack,
    home: u64,
}

impl Scene {
    async fn start() -> Self {
        let stack = builder()
            .ingress("SECRETS_KEY", KEY)
            .discord("SECRETS_KEY", KEY)
            .ingress("CHANNEL_BACKLOG_MAX", BACKLOG)
            .discord("CHANNEL_BACKLOG_MAX", BACKLOG)
            .start()
            .await;
        let home = stack.authorized_channel("home").await;
        Self { stack, home }
    }

    /// A new channel to which alerts of the project of its name go.
    async fn target(&self, name: &str) -> u64 {
        let target = self.stack.authorized_channel(name).await;
        route(&self.stack, self.home, target, &[("project", name)]).await;
        target
    }

    async fn send(&self, project: &str, titles: &[String]) {
        let alerts = titles.iter().map(|title| alert_of(self.home, project, title));
        publish_alerts(&self.stack, alerts.collect::<Vec<_>>()).await;
    }

    /// Sends one and waits until the home shows it, with a line about the target.
    async fn strands(&self, project: &str, target: u64, title: &str) -> Message {
        self.send(project, &[title.to_owned()]).await;
        wait_for(&format!("the home shows {title:?}"), LONG, || async {
            saying(&self.stack, self.home, title).into_iter().next().inspect(|message| {
                let shown = message.json.to_string();
                assert!(shown.contains(&format!("<#{target}>")), "it says where it belongs: {shown}");
                assert!(message.pings.is_empty());
            })
        })
        .await
    }
}

fn numbered(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{name} {number}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_target_cannot_take_is_shown_in_its_home_with_why() {
    let scene = Scene::start().await;
    let Scene { stack, home } = &scene;
    let [full, revoked, deleted] =
        [scene.target("full").await, scene.target("revoked").await, scene.target("deleted").await];

    // As many wait as may; the rest stays at home.
    stack.sandbox.add_fault(Fault::new(Effect::Status(503)).on_endpoint(POST).on_channel(full));
    for part in numbered("full", BACKLOG + 4).chunks(BACKLOG / 2) {
        scene.send("full", part).await;
        until_moved(stack, full).await;
    }
    let stayed = until_titles(stack, *home, 4).await;
    assert_eq!(stayed, numbered("full", BACKLOG + 4)[BACKLOG..]);
    assert!(
        saying(stack, *home, "full ")
            .iter()
            .all(|message| { message.json.to_string().contains(&format!("<#{full}>")) })
    );
    stack.sandbox.clear_faults();
    assert_eq!(until_titles(stack, full, BACKLOG as u64).await, numbered("full", BACKLOG));

    stack.whisper("sentry channel revoke", revoked, &[]).await;
    scene.strands("revoked", revoked, "belongs to a revoked one").await;
    let client = stack.nats.client().await;
    let mut news = client.subscribe(wire::REOPENING).await.expect("NATS is there");
    client.flush().await.expect("NATS is there");
    stack.sandbox.remove_channel(deleted);
    let told = async { while news.next().await.is_some_and(|news| !says(&news, deleted)) {} };
    timeout(LONG, told).await.expect("the gateway's pod tells all pods");
    scene.strands("deleted", deleted, "belongs to a deleted one").await;
    stack.until_drained(LONG).await;
    assert!(stack.dead_letters().await.is_empty());
    assert_eq!(stack.alerts(revoked), 0);
    stack.assert_clean();
}

fn says(news: &async_nats::Message, channel: u64) -> bool {
    String::from_utf8_lossy(&news.payload).contains(&format!(r#""deleted":["{channel}"]"#))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_was_deleted_while_nobody_listened_is_gone_once_its_lane_has_found_out() {
    let mut scene = Scene::start().await;
    let target = scene.target("shop").await;
    scene.send("shop", &numbered("before", 1)).await;
    until_titles(&scene.stack, target, 1).await;
    scene.stack.discord.kill();
    scene.stack.sandbox.remove_channel(target);
    // A new session hears nothing of what happened before it.
    scene.stack.sandbox.invalidate_sessions(false);
    scene.stack.discord.restart();
    scene.stack.discord.ready().await;
    scene.send("shop", &numbered("lost", 1)).await;
    scene.stack.until_dead(1).await;
    let dead = scene.stack.dead_letters().await;
    assert_eq!(dead[0].channel, target.to_string(), "{dead:?}");
    scene.strands("shop", target, "belongs to a deleted one").await;
    scene.stack.until_drained(LONG).await;
    assert_eq!(scene.stack.dead_letters().await.len(), 1);
    scene.stack.assert_clean();
}

/// Waits until all that may leave the home has left it.
async fn until_moved(stack: &Stack, target: u64) {
    let subject = wire::alert_subject(shared::ChannelId::new(target));
    let js = async_nats::jetstream::new(stack.nats.client().await);
    let stream = js.get_stream(wire::ALERTS).await.expect("the stream exists");
    let stream = &stream;
    wait_for("only the target's alerts wait", LONG, || async {
        let mut all = 0;
        let mut own = 0;
        let mut subjects = Box::pin(stream.info_with_subjects(">").await.expect("NATS answers"));
        while let Some(subject_count) = subjects.next().await {
            let (name, count) = subject_count.expect("NATS answers");
            all += count;
            if name == subject {
                own += count;
            }
        }
        (all == own).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secured_target_takes_alerts_of_a_secured_home_alone() {
    let scene = Scene::start().await;
    let Scene { stack, home } = &scene;
    let target = scene.target("shop").await;
    let another = stack.authorized_channel("another").await;
    stack.secure(target).await;
    stack.secure(another).await;
    let to = another.to_string();
    let options = [("action", "route"), ("to", to.as_str()), ("project", "shop")];
    let refused = stack.whisper("sentry rule add", *home, &options).await;
    assert!(!refused.content().starts_with("Rule "), "{}", refused.content());
    // It was secured after the rule was made.
    scene.strands("shop", target, "from an open home").await;

    let token = stack.secure(*home).await;
    let body = sentry_sender::body::Exception::new("from a secured home").project("shop").json();
    let trusted = sentry_sender::Webhook::legacy(body);
    wait_for("the token counts", SOON, || async {
        let reply = stack.send_to(&stack.url(*home, &token), &trusted).await;
        (reply.status == 200).then_some(())
    })
    .await;
    assert_eq!(until_titles(stack, target, 1).await[0], "from a secured home");

    // Trusted when it was sent, but its home is open when it is moved.
    stack.whisper("sentry channel open", *home, &[]).await;
    scene.strands("shop", target, "from a home that is open again").await;
    stack.until_drained(LONG).await;
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_targets_dead_letters_are_its_own_and_follow_when_it_heals() {
    let scene = Scene::start().await;
    let Scene { stack, home } = &scene;
    let target = scene.target("shop").await;
    let bot = Target::Member(stack.sandbox.bot());
    stack.sandbox.set_overwrite(target, bot, 0, SEND_MESSAGES);
    scene.send("shop", &numbered("closed", 3)).await;
    stack.until_dead(3).await;
    let dead = stack.dead_letters().await;
    assert!(dead.iter().all(|letter| letter.channel == target.to_string()), "{dead:?}");
    assert!(dead.iter().all(|letter| letter.reason == "unreachable"), "{dead:?}");
    assert_eq!(stack.alerts(*home), 0);
    stack.sandbox.set_overwrite(target, bot, SEND_MESSAGES, 0);
    assert_eq!(until_titles(stack, target, 3).await, numbered("closed", 3));
    stack.until_dead(0).await;
    stack.until_drained(LONG).await;
    assert_eq!(hits(stack, *home).await, [3], "they are not routed again");
    stack.assert_clean();
}
