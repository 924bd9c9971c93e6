//! Starting the product.

use std::time::Duration;

use harness::{free_port, nats::NatsServer, service::Service, workspace_root};
use sandbox_discord::{Channel, Config, Guild, Sandbox, User, demo::Services};
use sentry_sender::{Sender, Trust};

use super::Stack;

/// How to start a [`Stack`].
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
        // After a kill nothing waits for Discord's five seconds between identifies …
        let sandbox = Config::default().clocks(|clocks| clocks.identify_window = Duration::from_millis(200));
        // … or for the end of the dead pod's leases.
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

    /// This NATS instead of one without users.
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
        let [port, ingress_admin, discord_admin] = [free_port(), free_port(), free_port()];
        let services = services(&nats, port, ingress_admin, discord_admin);
        let sandbox = Sandbox::start(self.sandbox.services(services)).await;
        let owner = sandbox.add_user(User::new("owner"));
        let guild = sandbox.add_guild(Guild::new("Team", owner));
        let office = sandbox.add_channel(guild, Channel::text("office"));
        let (sandbox_url, token) = (sandbox.url(), sandbox.token());
        let common = [("RUNTIME_MODE", "development"), ("NATS_URL", &nats_url), ("NATS_REPLICAS", replicas)];
        let own = [("DISCORD_TOKEN", token.as_str()), ("DISCORD_API_URL", &sandbox_url)];
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let common = common.iter().map(owned);
        let ingress_variables: Vec<_> = common.clone().chain(self.ingress).collect();
        let discord_variables: Vec<_> = common.chain(own.iter().map(owned)).chain(self.discord).collect();
        let ingress = start_ingress(port, ingress_admin, &ingress_variables);
        let discord = start_discord(discord_admin, &discord_variables);
        ingress.ready().await;
        discord.ready().await;
        let sender = Sender::new(Trust::Anyone).expect("a sender needs nothing");
        let stack = Stack {
            ingress,
            discord,
            ingress_variables,
            discord_variables,
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

/// What the sandbox's page sends to, reads and halts.
fn services(nats: &NatsServer, ingress: u16, ingress_admin: u16, discord_admin: u16) -> Services {
    let metrics = |port: u16| format!("http://127.0.0.1:{port}/metrics").parse().ok();
    Services {
        ingress: format!("https://127.0.0.1:{ingress}").parse().ok(),
        ingress_metrics: metrics(ingress_admin),
        discord_metrics: metrics(discord_admin),
        fixtures: Some(workspace_root().join("tests/fixtures")),
        nats_pid: i32::try_from(nats.id()).ok(),
    }
}

pub(super) fn start_discord(admin_port: u16, variables: &[(String, String)]) -> Service {
    start("discord-service", admin_port, variables)
}

pub(super) fn start_ingress(port: u16, admin_port: u16, variables: &[(String, String)]) -> Service {
    let address = ("INGRESS_ADDR".to_owned(), format!("127.0.0.1:{port}"));
    start("ingress-service", admin_port, &[&[address], variables].concat())
}

fn start(name: &'static str, admin_port: u16, variables: &[(String, String)]) -> Service {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Service::start_with_admin(admin_port, name, &variables)
}
