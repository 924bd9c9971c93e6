//! The gateway client, and the sandbox Discord that it is connected to.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream;
use async_trait::async_trait;
use clap::Parser as _;
use discord_service::{
    discord::Discord,
    gateway::{Gateway, Handler, Invoked, Typed},
    lease::Membership,
    settings::Settings,
};
use harness::{
    nats::NatsServer,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Channel, Config, Guild, Sandbox, User};
use secrecy::SecretString;
use shared::{
    admin::Readiness,
    bus::{self, Role},
    shutdown::CancellationToken,
};
use tokio::task::JoinHandle;

/// Longer than the pause before an identify that follows another.
const AFTER_IDENTIFY: Duration = Duration::from_secs(25);

#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Vec<Typed>>>);

#[async_trait]
impl Handler for Heard {
    async fn typed(&self, message: Typed) {
        self.0.lock().expect("no panic while held").push(message);
    }

    async fn invoked(&self, _: Invoked) {}

    async fn turned_away(&self, _: Invoked) {}
}

impl Heard {
    pub(crate) fn all(&self) -> Vec<Typed> {
        self.0.lock().expect("no panic while held").clone()
    }

    pub(crate) fn contents(&self) -> Vec<String> {
        self.all().into_iter().map(|typed| typed.content).collect()
    }
}

/// The gateway client of one pod.
pub(crate) struct Client {
    pub(crate) heard: Heard,
    pub(crate) readiness: Readiness,
    pub(crate) shutdown: CancellationToken,
    pub(crate) task: JoinHandle<anyhow::Result<()>>,
    pub(crate) nats: async_nats::Client,
    _server: NatsServer,
}

impl Client {
    /// Starts it with a NATS of its own.
    pub(crate) async fn start(api_url: &str, token: &str) -> Self {
        let discord = Discord::new(&api_url.parse().expect("a URL"), SecretString::from(token));
        let discord = discord.expect("a client");
        let (heard, readiness, shutdown) = (Heard::default(), Readiness::default(), CancellationToken::new());
        let server = NatsServer::start().await;
        let nats = server.client().await;
        let settings = Settings::parse_from(["discord-service"]);
        let js = jetstream::new(nats.clone());
        bus::ensure(&js, &settings.common.nats, Role::Discord).await.expect("the streams");
        let Membership { keeper, shards, .. } =
            Membership::new(&nats, settings.lease_ttl(), shutdown.clone());
        tokio::spawn(keeper.run(CancellationToken::new(), |_| {}));
        let task = tokio::spawn({
            let (nats, readiness) = (nats.clone(), readiness.clone());
            let (prefix, handler) = ("!sentry".to_owned(), Arc::new(heard.clone()));
            Gateway { discord, nats, prefix, handler, readiness }.run(shards, shutdown.clone())
        });
        Self { heard, readiness, shutdown, task, nats, _server: server }
    }

    pub(crate) async fn is_ready(&self) {
        wait_for("the gateway is ready", AFTER_IDENTIFY, || async {
            let (_, checks) = self.readiness.report();
            (checks.get("gateway").map(String::as_str) == Some("ok")).then_some(())
        })
        .await;
    }

    /// What readiness says, once it holds these words.
    pub(crate) async fn readiness_says(&self, words: &str) -> String {
        wait_for(words, SOON, || async {
            let (ready, checks) = self.readiness.report();
            checks.get("gateway").filter(|check| !ready && check.contains(words)).cloned()
        })
        .await
    }

    pub(crate) async fn hears(&self, content: &str) {
        wait_for(content, AFTER_IDENTIFY, || async {
            self.heard.contents().iter().any(|heard| heard == content).then_some(())
        })
        .await;
    }

    /// Stops it; it ends well.
    pub(crate) async fn ends(self) {
        self.shutdown.cancel();
        self.task.await.expect("it does not panic").expect("it stops as it should");
    }
}

/// A sandbox with a guild, and the gateway client connected to it.
pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    pub(crate) olivia: u64,
    pub(crate) guild: u64,
    pub(crate) general: u64,
    pub(crate) client: Client,
}

/// As at Discord, but with a heartbeat every 500 ms, and with a second less
/// between identifies. A busy machine may send one late, and the next in time.
pub(crate) fn config() -> Config {
    Config::default().clocks(|clocks| {
        clocks.heartbeat = Duration::from_millis(500);
        clocks.identify_window = Duration::from_secs(4);
    })
}

impl Scene {
    pub(crate) async fn start(config: Config) -> Self {
        let sandbox = Sandbox::start(config).await;
        let token = sandbox.token();
        Self::with(sandbox, &token).await
    }

    pub(crate) async fn with(sandbox: Sandbox, token: &str) -> Self {
        let olivia = sandbox.add_user(User::new("olivia"));
        let guild = sandbox.add_guild(Guild::new("Sandbox", olivia));
        let general = sandbox.add_channel(guild, Channel::text("general"));
        let client = Client::start(&sandbox.url(), token).await;
        Self { sandbox, olivia, guild, general, client }
    }

    pub(crate) fn say(&self, content: &str) {
        self.sandbox.say(self.olivia, self.general, content).expect("olivia may write");
    }

    pub(crate) async fn wait_until(&self, what: &str, holds: impl Fn(&Sandbox) -> bool) {
        wait_for(what, AFTER_IDENTIFY, || async { holds(&self.sandbox).then_some(()) }).await;
    }

    /// Stops the client and looks for what no careful bot does.
    pub(crate) async fn ends(self) {
        self.client.ends().await;
        let stats = self.sandbox.stats();
        assert!(stats.violations.is_empty(), "{:?}", stats.violations);
        assert!(stats.unknown_requests.is_empty(), "{:?}", stats.unknown_requests);
        assert!(stats.sessions_max.values().all(|most| *most <= 1), "{:?}", stats.sessions_max);
    }
}
