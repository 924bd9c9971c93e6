//! The gateway client against the sandbox Discord.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream;
use async_trait::async_trait;
use clap::Parser as _;
use discord_service::{
    discord::Discord,
    gateway::{self, Handler, Invoked, Typed},
    lease::{self, Membership},
    settings::Settings,
};
use harness::{
    nats::NatsServer,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Channel, Config, Effect, Fault, Guild, Sandbox, User};
use secrecy::SecretString;
use shared::{ChannelId, admin::Readiness, process::BadToken, shutdown::CancellationToken};
use tokio::task::JoinHandle;

const MESSAGE_CONTENT: u64 = 1 << 15;
/// Longer than the pause before an identify that follows another.
const AFTER_IDENTIFY: Duration = Duration::from_secs(25);

#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<Typed>>>);

#[async_trait]
impl Handler for Heard {
    async fn typed(&self, message: Typed) {
        self.0.lock().expect("no panic while held").push(message);
    }

    async fn invoked(&self, _: Invoked) {}

    async fn turned_away(&self, _: Invoked) {}
}

impl Heard {
    fn contents(&self) -> Vec<String> {
        self.0.lock().expect("no panic while held").iter().map(|typed| typed.content.clone()).collect()
    }
}

/// A sandbox with a guild, and the gateway client connected to it.
struct Scene {
    sandbox: Sandbox,
    olivia: u64,
    guild: u64,
    general: u64,
    heard: Heard,
    readiness: Readiness,
    shutdown: CancellationToken,
    client: JoinHandle<anyhow::Result<()>>,
    _nats: NatsServer,
}

/// As at Discord, but with a heartbeat every 500 ms, and with a second less between
/// identifies: a busy machine may send one late, and the next in time.
fn config() -> Config {
    Config::default().clocks(|clocks| {
        clocks.heartbeat = Duration::from_millis(500);
        clocks.identify_window = Duration::from_secs(4);
    })
}

impl Scene {
    async fn start(config: Config) -> Self {
        let sandbox = Sandbox::start(config).await;
        let token = sandbox.token();
        Self::with(sandbox, &token).await
    }

    async fn with(sandbox: Sandbox, token: &str) -> Self {
        let olivia = sandbox.add_user(User::new("olivia"));
        let guild = sandbox.add_guild(Guild::new("Sandbox", olivia));
        let general = sandbox.add_channel(guild, Channel::text("general"));
        let url = sandbox.url().parse().expect("a URL");
        let discord = Discord::new(&url, SecretString::from(token)).expect("a client");
        let (heard, readiness, shutdown) = (Heard::default(), Readiness::default(), CancellationToken::new());
        let nats_server = NatsServer::start().await;
        let nats = nats_server.client().await;
        let settings = Settings::parse_from(["discord-service"]);
        lease::ensure(&jetstream::new(nats.clone()), &settings.common.nats).await.expect("a bucket");
        let Membership { keeper, shards, .. } =
            Membership::new(&nats, settings.lease_ttl(), shutdown.clone());
        tokio::spawn(keeper.run(CancellationToken::new(), |_| {}));
        let client = tokio::spawn({
            let (handler, readiness, shutdown) = (heard.clone(), readiness.clone(), shutdown.clone());
            async move { gateway::run(discord, "!sentry", Arc::new(handler), readiness, shards, shutdown).await }
        });
        Self { _nats: nats_server, sandbox, olivia, guild, general, heard, readiness, shutdown, client }
    }

    async fn is_ready(&self) {
        wait_for("the gateway is ready", AFTER_IDENTIFY, || async {
            let (_, checks) = self.readiness.report();
            (checks.get("gateway").map(String::as_str) == Some("ok")).then_some(())
        })
        .await;
    }

    async fn readiness_says(&self, words: &str) {
        wait_for(words, SOON, || async {
            let (ready, checks) = self.readiness.report();
            (!ready && checks.get("gateway").is_some_and(|check| check.contains(words))).then_some(())
        })
        .await;
    }

    fn say(&self, content: &str) {
        self.sandbox.say(self.olivia, self.general, content).expect("olivia may write");
    }

    async fn hears(&self, content: &str) {
        wait_for(content, AFTER_IDENTIFY, || async {
            self.heard.contents().iter().any(|heard| heard == content).then_some(())
        })
        .await;
    }

    async fn wait_until(&self, what: &str, holds: impl Fn(&Sandbox) -> bool) {
        wait_for(what, AFTER_IDENTIFY, || async { holds(&self.sandbox).then_some(()) }).await;
    }

    /// Stops the client and looks for what no careful bot does.
    async fn ends(self) {
        self.shutdown.cancel();
        self.client.await.expect("it does not panic").expect("it stops as it should");
        let stats = self.sandbox.stats();
        assert!(stats.violations.is_empty(), "{:?}", stats.violations);
        assert!(stats.unknown_requests.is_empty(), "{:?}", stats.unknown_requests);
        assert!(stats.sessions_max.values().all(|most| *most <= 1), "{:?}", stats.sessions_max);
    }
}

#[tokio::test]
async fn what_a_person_types_reaches_the_handler() {
    let scene = Scene::start(config()).await;
    scene.is_ready().await;
    let robot = scene.sandbox.add_user(User::bot("robot"));
    let _ = scene.sandbox.say(robot, scene.general, "!sentry from a bot");
    let private = scene.sandbox.private_channel(scene.olivia);
    let _ = scene.sandbox.say(scene.olivia, private, "!sentry in private");
    scene.say("!sentry h");
    scene.hears("!sentry h").await;
    let heard = scene.heard.0.lock().expect("no panic while held").clone();
    assert_eq!(heard.len(), 1, "bots and private messages are not heard: {heard:?}");
    let typed = &heard[0];
    assert_eq!(
        (typed.guild.get(), typed.channel.get(), typed.author.get(), typed.bot.get()),
        (scene.guild, scene.general, scene.olivia, scene.sandbox.bot())
    );
    scene.ends().await;
}

#[tokio::test]
async fn the_bot_plays_the_help_command() {
    let scene = Scene::start(config()).await;
    scene.is_ready().await;
    let presence = scene.sandbox.sessions()[0].presence.clone();
    assert_eq!(presence["activities"][0]["name"], "!sentry h");
    assert_eq!(presence["activities"][0]["type"], 0, "playing");
    scene.ends().await;
}

#[tokio::test]
async fn stopping_ends_the_session_soon() {
    let scene = Scene::start(config()).await;
    scene.is_ready().await;
    scene.shutdown.cancel();
    // Two seconds by the contract, and some for a busy machine.
    tokio::time::timeout(Duration::from_secs(4), scene.client)
        .await
        .expect("it stops in time")
        .expect("it does not panic")
        .expect("it stops as it should");
    assert!(scene.sandbox.sessions().is_empty(), "the session is over, not lost");
}

#[tokio::test]
async fn without_message_content_only_mentions_of_the_bot_are_heard() {
    let scene = Scene::start(config().message_content(false)).await;
    scene.is_ready().await;
    let session = scene.sandbox.sessions()[0].clone();
    assert_eq!(session.intents & MESSAGE_CONTENT, 0);
    let mention = format!("<@{}> h", scene.sandbox.bot());
    scene.say("!sentry h");
    scene.say(&mention);
    scene.hears(&mention).await;
    assert_eq!(scene.heard.contents(), [mention]);
    scene.ends().await;
}

#[tokio::test]
async fn a_bad_token_ends_it() {
    let scene = Scene::with(Sandbox::start(config()).await, "wrong").await;
    let error = scene.client.await.expect("it does not panic").expect_err("a bad token");
    assert!(error.is::<BadToken>(), "{error:#}");
}

#[tokio::test]
async fn a_cut_connection_is_resumed_and_nothing_is_missed() {
    let scene = Scene::start(config()).await;
    scene.is_ready().await;
    for round in ["first", "second"] {
        scene.sandbox.cut_gateway();
        scene.say(round);
        scene.hears(round).await;
    }
    assert_eq!(scene.sandbox.stats().identifies, 1);
    assert_eq!(scene.heard.contents(), ["first", "second"]);
    scene.ends().await;
}

#[tokio::test]
async fn it_connects_once_the_gateway_can_be_looked_up() {
    let sandbox = Sandbox::start(config()).await;
    sandbox.add_fault(Fault::new(Effect::Status(503)).everywhere().times(1));
    let token = sandbox.token();
    let scene = Scene::with(sandbox, &token).await;
    scene.readiness_says("connecting").await;
    scene.is_ready().await;
    scene.ends().await;
}

#[tokio::test]
async fn all_shards_come_up_within_the_identify_limits() {
    let scene = Scene::start(config().shards(4).max_concurrency(2)).await;
    scene.is_ready().await;
    assert_eq!(scene.sandbox.stats().identifies, 4);
    scene.say("!sentry h");
    scene.hears("!sentry h").await;
    scene.ends().await;
}

#[tokio::test]
async fn an_order_to_reconnect_is_obeyed_with_a_resume() {
    let scene = Scene::start(config()).await;
    scene.is_ready().await;
    scene.sandbox.reconnect_gateway();
    scene.wait_until("resumed", |sandbox| sandbox.stats().resumes > 0).await;
    scene.say("after");
    scene.hears("after").await;
    assert_eq!(scene.sandbox.stats().identifies, 1);
    scene.ends().await;
}

#[tokio::test]
async fn an_invalid_session_is_begun_anew() {
    let scene = Scene::start(config()).await;
    scene.is_ready().await;
    scene.sandbox.invalidate_sessions(false);
    scene.wait_until("identified again", |sandbox| sandbox.stats().identifies == 2).await;
    scene.is_ready().await;
    scene.say("after");
    scene.hears("after").await;
    scene.ends().await;
}

#[tokio::test]
async fn an_invalid_session_that_may_go_on_is_resumed() {
    let scene = Scene::start(config()).await;
    scene.is_ready().await;
    scene.sandbox.invalidate_sessions(true);
    scene.wait_until("resumed", |sandbox| sandbox.stats().resumes > 0).await;
    assert_eq!(scene.sandbox.stats().identifies, 1);
    scene.ends().await;
}

#[tokio::test]
async fn unanswered_heartbeats_lead_to_another_connection() {
    let scene = Scene::start(config()).await;
    scene.is_ready().await;
    scene.sandbox.acknowledge_heartbeats(false);
    scene.wait_until("resumed", |sandbox| sandbox.stats().resumes > 0).await;
    scene.sandbox.acknowledge_heartbeats(true);
    scene.say("after");
    scene.hears("after").await;
    scene.is_ready().await;
    assert_eq!(scene.sandbox.stats().identifies, 1);
    scene.ends().await;
}

#[tokio::test]
async fn a_timed_out_session_is_begun_anew() {
    let scene = Scene::start(config()).await;
    scene.is_ready().await;
    scene.sandbox.close_gateway(4009);
    scene.wait_until("identified again", |sandbox| sandbox.stats().identifies == 2).await;
    scene.say("after");
    scene.hears("after").await;
    scene.ends().await;
}

#[tokio::test]
async fn a_gateway_that_was_away_is_found_again() {
    let config = config().addr(([127, 0, 0, 1], harness::free_port()).into());
    let mut scene = Scene::start(config.clone()).await;
    scene.is_ready().await;
    drop(std::mem::replace(&mut scene.sandbox, Sandbox::start(self::config()).await));
    scene.readiness_says("reconnecting").await;
    scene.sandbox = Sandbox::start(config).await;
    scene.wait_until("identified again", |sandbox| sandbox.stats().identifies == 1).await;
    scene.is_ready().await;
    scene.olivia = scene.sandbox.add_user(User::new("olivia"));
    scene.guild = scene.sandbox.add_guild(Guild::new("Sandbox", scene.olivia));
    scene.general = scene.sandbox.add_channel(scene.guild, Channel::text("general"));
    scene.say("after");
    scene.hears("after").await;
    scene.ends().await;
}

#[tokio::test]
async fn a_final_code_turns_commands_off_and_leaves_posting_alone() {
    for (code, words) in [(4010, "4010"), (4011, "restart to use more"), (4012, "4012"), (4013, "4013")] {
        let scene = Scene::start(config()).await;
        scene.is_ready().await;
        scene.sandbox.close_gateway(code);
        scene.readiness_says(words).await;
        let (_, checks) = scene.readiness.report();
        assert!(checks["gateway"].contains("commands are off"), "{checks:?}");
        let url = scene.sandbox.url().parse().expect("a URL");
        let discord = Discord::new(&url, SecretString::from(scene.sandbox.token())).expect("a client");
        let body = serde_json::json!({"content": "x"});
        discord.try_create_message(ChannelId::new(scene.general), &body).await.expect("posted");
        assert!(!scene.client.is_finished(), "it waits to be stopped");
        assert_eq!(scene.sandbox.stats().identifies, 1);
        scene.ends().await;
    }
}

#[tokio::test]
async fn a_token_that_becomes_bad_ends_it() {
    let scene = Scene::start(config()).await;
    scene.is_ready().await;
    scene.sandbox.close_gateway(4004);
    let error = scene.client.await.expect("it does not panic").expect_err("a bad token");
    assert!(error.is::<BadToken>(), "{error:#}");
}
