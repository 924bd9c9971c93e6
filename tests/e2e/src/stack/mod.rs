//! Starting the product, and using it as its users do.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use harness::{
    free_port,
    nats::NatsServer,
    service::Service,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Channel, Config, Guild, Message, Sandbox, User};
use sentry_sender::{Reply, Sender, Trust, Webhook};
use shared::wire;
use tokio::time::timeout;

use crate::{
    ledger::Ledger,
    shown::{Shown, shown},
};

/// A command that must be answered is typed again after this.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a [`Stack`] is to be started.
#[derive(Debug)]
pub struct Builder {
    sandbox: Config,
    nats: Option<NatsServer>,
    clustered: bool,
    ingress: Vec<(String, String)>,
    discord: Vec<(String, String)>,
}

impl Default for Builder {
    fn default() -> Self {
        // A killed process comes back sooner than Discord's five seconds
        // between identifies.
        let sandbox = Config::default().clocks(|clocks| clocks.identify_window = Duration::from_millis(200));
        // … and than a dead pod's leases last by default.
        let discord = vec![("LEASE_TTL_SECS".to_owned(), "2".to_owned())];
        Self { sandbox, nats: None, clustered: false, ingress: Vec::new(), discord }
    }
}

impl Builder {
    /// Another Discord than the default.
    #[must_use]
    pub fn sandbox(mut self, sandbox: Config) -> Self {
        self.sandbox = sandbox;
        self
    }

    /// This NATS instead of one that lets everybody in.
    #[must_use]
    pub fn nats(mut self, server: NatsServer) -> Self {
        self.nats = Some(server);
        self
    }

    /// NATS as a cluster of three servers that keeps everything three times.
    #[must_use]
    pub const fn clustered(mut self) -> Self {
        self.clustered = true;
        self
    }

    /// A variable for the ingress.
    #[must_use]
    pub fn ingress(mut self, name: &str, value: impl ToString) -> Self {
        self.ingress.push((name.to_owned(), value.to_string()));
        self
    }

    /// A variable for discord-service.
    #[must_use]
    pub fn discord(mut self, name: &str, value: impl ToString) -> Self {
        self.discord.push((name.to_owned(), value.to_string()));
        self
    }

    /// Starts everything and waits until it is ready.
    pub async fn start(self) -> Stack {
        let (nats, peers, replicas) = if self.clustered {
            let [first, second, third] = NatsServer::start_cluster().await;
            (first, vec![second, third], "3")
        } else {
            let nats = match self.nats {
                Some(nats) => nats,
                None => NatsServer::start().await,
            };
            (nats, Vec::new(), "1")
        };
        let nats_url =
            std::iter::once(&nats).chain(&peers).map(NatsServer::url).collect::<Vec<_>>().join(",");
        let sandbox = Sandbox::start(self.sandbox).await;
        let owner = sandbox.add_user(User::new("owner"));
        let guild = sandbox.add_guild(Guild::new("Team", owner));
        let office = sandbox.add_channel(guild, Channel::text("office"));
        let port = free_port();
        let (sandbox_url, token) = (sandbox.url(), sandbox.token());
        let common = [("RUNTIME_MODE", "development"), ("NATS_URL", &nats_url), ("NATS_REPLICAS", replicas)];
        let variables = common.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let ingress_variables: Vec<_> = variables.into_iter().chain(self.ingress).collect();
        let ingress = start_ingress(port, &ingress_variables);
        let own = [("DISCORD_TOKEN", token.as_str()), ("DISCORD_API_URL", &sandbox_url)];
        let variables =
            common.iter().chain(&own).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let variables: Vec<_> = variables.chain(self.discord).collect();
        let discord = start("discord-service", &[], &[], &variables);
        ingress.ready().await;
        discord.ready().await;
        let sender = Sender::new(Trust::Anyone).expect("a sender needs nothing");
        let stack = Stack {
            ingress,
            discord,
            ingress_variables,
            variables,
            sandbox,
            nats,
            peers,
            owner,
            guild,
            office,
            port,
            sender,
        };
        stack.until_listening().await;
        stack
    }
}

fn start(
    name: &'static str,
    common: &[(&str, &str)],
    own: &[(&str, &str)],
    more: &[(String, String)],
) -> Service {
    let more = more.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let variables: Vec<_> = common.iter().chain(own).copied().chain(more).collect();
    Service::start(name, &variables)
}

fn start_ingress(port: u16, variables: &[(String, String)]) -> Service {
    let address = format!("127.0.0.1:{port}");
    start("ingress-service", &[], &[("INGRESS_ADDR", &address)], variables)
}

/// The product, running. Everything ends when it is dropped.
#[derive(Debug)]
pub struct Stack {
    /// The ingress.
    pub ingress: Service,
    /// discord-service.
    pub discord: Service,
    ingress_variables: Vec<(String, String)>,
    /// How each pod of it is started.
    variables: Vec<(String, String)>,
    /// Discord.
    pub sandbox: Sandbox,
    /// NATS, or the first server of its cluster.
    pub nats: NatsServer,
    /// The other servers of its cluster.
    pub peers: Vec<NatsServer>,
    /// The owner of the guild.
    pub owner: u64,
    /// The guild.
    pub guild: u64,
    /// A channel where commands are typed.
    pub office: u64,
    /// The port of the ingress.
    pub port: u16,
    sender: Sender,
}

impl Stack {
    /// The default product.
    pub async fn start() -> Self {
        Builder::default().start().await
    }

    /// Another configuration.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// One more pod of discord-service. It may not be ready yet.
    pub fn add_discord(&self) -> Service {
        start("discord-service", &[], &[], &self.variables)
    }

    /// One more pod of the ingress, and its port. It may not be ready yet.
    pub fn add_ingress(&self) -> (Service, u16) {
        let port = free_port();
        (start_ingress(port, &self.ingress_variables), port)
    }

    /// Waits until the bot hears what is typed.
    pub async fn until_listening(&self) {
        wait_for("the bot is on the gateway", SOON, || async {
            (!self.sandbox.sessions().is_empty()).then_some(())
        })
        .await;
    }

    /// A new text channel of the guild, not yet authorized.
    pub fn channel(&self, name: &str) -> u64 {
        self.sandbox.add_channel(self.guild, Channel::text(name))
    }

    /// A new text channel that the owner has authorized.
    pub async fn authorized_channel(&self, name: &str) -> u64 {
        let channel = self.channel(name);
        // A store that has just begun may be too slow for the first command, and says so.
        let said = wait_for("the store is there", SOON, || async {
            let command = format!("!sentry channel authorize <#{channel}>");
            // Beyond a member's budget a command is not answered.
            let reply = timeout(PATIENCE, self.command(self.owner, &command)).await.ok()?;
            let said = reply.content().lines().next().unwrap_or_default().to_owned();
            (!said.starts_with("The store is unavailable")).then_some(said)
        })
        .await;
        let says = |how: &str| said == format!("<#{channel}> is {how} authorized");
        assert!(says("now") || says("already"), "{said}");
        channel
    }

    /// Types a command in the office and waits for the bot's reply.
    pub async fn command(&self, user: u64, text: &str) -> Message {
        self.command_in(self.office, user, text).await
    }

    /// Types a command in this channel and waits for the bot's reply.
    pub async fn command_in(&self, channel: u64, user: u64, text: &str) -> Message {
        let typed = self.sandbox.say(user, channel, text).expect("the user may type there");
        wait_for(&format!("a reply to {text:?}"), SOON, || async {
            let replies = |message: &Message| {
                message.json["message_reference"]["message_id"] == typed.to_string().as_str()
            };
            self.sandbox.messages(channel).into_iter().find(replies)
        })
        .await
    }

    /// The webhook URL of a channel, with more of the query behind it.
    pub fn url(&self, channel: u64, more: &str) -> String {
        Self::url_at(self.port, channel, more)
    }

    /// The same at another pod's port.
    pub fn url_at(port: u16, channel: u64, more: &str) -> String {
        format!("https://127.0.0.1:{port}/sentry-bot/channel?id={channel}{more}")
    }

    /// So many new text channels that the owner has authorized, and of which
    /// the ingress has seen that they are: they got `the first` alert.
    pub async fn authorized_channels(&self, count: usize, ledger: &Ledger) -> Vec<u64> {
        let mut channels = Vec::new();
        for number in 0..count {
            let channel = self.authorized_channel(&format!("alerts-{number}")).await;
            // A first verdict may take longer than the ingress waits for it.
            wait_for("a verdict", SOON, || async {
                (ledger.send(self, channel, "the first").await == Some(200)).then_some(())
            })
            .await;
            channels.push(channel);
        }
        channels
    }

    /// Sends a webhook as Sentry does.
    pub async fn send(&self, channel: u64, webhook: &Webhook) -> Reply {
        self.send_to(&self.url(channel, ""), webhook).await
    }

    /// Sends a webhook to a URL of [`Stack::url`].
    pub async fn send_to(&self, url: &str, webhook: &Webhook) -> Reply {
        self.sender.send(url, webhook).await.expect("the ingress answers")
    }

    /// Sends a webhook until it is answered with 200. On a busy machine a verdict
    /// or NATS may be late (202, 503); all sendings are one firing, stored once.
    pub async fn accepted(&self, channel: u64, webhook: &Webhook) -> Reply {
        self.accepted_at(&self.url(channel, ""), webhook).await
    }

    /// The same to a URL of [`Stack::url`].
    pub async fn accepted_at(&self, url: &str, webhook: &Webhook) -> Reply {
        static FIRINGS: AtomicU64 = AtomicU64::new(0);
        let firing = webhook.clone().idempotency_key(FIRINGS.fetch_add(1, Ordering::Relaxed).to_string());
        wait_for("it is accepted", SOON, || async {
            let reply = self.send_to(url, &firing).await;
            assert!(matches!(reply.status, 200 | 202 | 503), "{reply:?}");
            (reply.status == 200).then_some(reply)
        })
        .await
    }

    /// Sends a webhook as Sentry does; nothing when no answer came in time.
    pub async fn try_send(&self, channel: u64, webhook: &Webhook) -> Option<Reply> {
        self.try_send_to(&self.url(channel, ""), webhook).await
    }

    /// The same to any URL.
    pub async fn try_send_to(&self, url: &str, webhook: &Webhook) -> Option<Reply> {
        self.sender.send(url, webhook).await.ok()
    }

    /// The embeds of alerts in the channel, in their order.
    pub fn shown(&self, channel: u64) -> Vec<Shown> {
        shown(&self.sandbox.messages(channel))
    }

    /// How many alerts are shown in the channel.
    pub fn alerts(&self, channel: u64) -> u64 {
        self.shown(channel).iter().map(|embed| embed.count).sum()
    }

    /// Waits until this many alerts are shown in the channel, each counted.
    pub async fn until_shown(&self, channel: u64, alerts: u64, limit: Duration) -> Vec<Shown> {
        wait_for(&format!("{alerts} alerts are shown"), limit, || async {
            let shown = self.shown(channel);
            (shown.iter().map(|embed| embed.count).sum::<u64>() >= alerts).then_some(shown)
        })
        .await
    }

    /// How many messages a stream of NATS holds.
    pub async fn stored(&self, stream: &str) -> u64 {
        let js = async_nats::jetstream::new(self.nats.client().await);
        let mut stream = js.get_stream(stream).await.expect("the stream exists");
        stream.info().await.expect("NATS answers").state.messages
    }

    /// Waits until nothing waits in the queue.
    pub async fn until_drained(&self, limit: Duration) {
        wait_for("the queue is empty", limit, || async {
            (self.stored(wire::ALERTS).await == 0).then_some(())
        })
        .await;
    }

    /// What must hold at the end of every test: nothing unknown was asked of
    /// Discord, and no careless request made.
    pub fn assert_clean(&self) {
        let stats = self.sandbox.stats();
        assert_eq!(stats.unknown_requests, Vec::<String>::new());
        assert_eq!(stats.violations, Vec::<String>::new());
        // Replies to commands may overlap.
        let doubled = stats.in_flight_max.iter().filter(|(_, posts)| **posts > 1);
        let doubled = doubled.map(|(channel, _)| *channel).filter(|channel| !self.shown(*channel).is_empty());
        assert_eq!(doubled.collect::<Vec<u64>>(), Vec::<u64>::new(), "two posts in flight in a channel");
    }
}
