//! The whole product, used as its users do.

mod builder;
mod look;
mod send;

use std::time::Duration;

use harness::{
    free_port,
    nats::NatsServer,
    service::Service,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Channel, Message, Sandbox};
use sentry_sender::Sender;
use tokio::time::timeout;

pub use self::builder::Builder;
use self::builder::{start_discord, start_ingress};
use crate::ledger::Ledger;

/// A command that must be answered is typed again after this.
const PATIENCE: Duration = Duration::from_secs(2);

/// The product, running. Everything ends when it is dropped.
#[derive(Debug)]
pub struct Stack {
    /// The ingress.
    pub ingress: Service,
    /// discord-service.
    pub discord: Service,
    /// The settings of each pod of the ingress.
    ingress_variables: Vec<(String, String)>,
    /// The settings of each pod of discord-service.
    discord_variables: Vec<(String, String)>,
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
        start_discord(free_port(), &self.discord_variables)
    }

    /// One more pod of the ingress, and its port. It may not be ready yet.
    pub fn add_ingress(&self) -> (Service, u16) {
        let port = free_port();
        (start_ingress(port, free_port(), &self.ingress_variables), port)
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
        // A member's budget may be used up, which the bot says once a minute.
        let said = wait_for("the bot carries out the command", SOON, || async {
            let command = format!("!sentry channel authorize <#{channel}>");
            let reply = timeout(PATIENCE, self.command(self.owner, &command)).await.ok()?;
            let said = reply.content().lines().next().unwrap_or_default().to_owned();
            let again = ["The store is unavailable", "Too many commands at once"];
            (!again.iter().any(|text| said.starts_with(text))).then_some(said)
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

    /// `count` new text channels that the owner has authorized. Each got the alert
    /// `the first`, so the ingress knows that it is authorized.
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
}
