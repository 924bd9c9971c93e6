//! A guild with people in it, and the bot that answers them.

use std::sync::Arc;

use async_nats::jetstream;
use clap::Parser as _;
use discord_service::{
    authority::Authority,
    commands::{CommandServices, Commands},
    dead_letters::DeadLetters,
    discord::Discord,
    gateway::{Handler as _, Typed},
    kv::Bucket,
    settings::Settings,
    stack_trace::StackTraces,
    store::{self, Store},
    trust::Trusts,
};
use harness::nats::NatsServer;
use sandbox_discord::{Channel, Config, Guild, Limit, Message, Role, Sandbox, User, permissions};
use shared::{
    ChannelId, GuildId, UserId,
    bus::{self, Role as BusRole},
    trust::SecretsKeys,
    wire,
};

/// The replies of one test are more than Discord's five in five seconds.
pub(crate) fn config() -> Config {
    Config::default().clocks(|clocks| {
        clocks.channel = Limit::new(1_000, std::time::Duration::from_secs(1));
        clocks.others = clocks.channel;
        clocks.global = clocks.channel;
    })
}

pub(crate) struct Stage {
    pub(crate) nats: NatsServer,
    pub(crate) sandbox: Sandbox,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) commands: Arc<Commands>,
    pub(crate) discord: Discord,
    pub(crate) guild: u64,
    pub(crate) owner: u64,
    /// Has a role that grants Manage Messages.
    pub(crate) moderator: u64,
    /// Has no role.
    pub(crate) member: u64,
    /// Another bot in the guild.
    pub(crate) robot: u64,
    /// The role of the moderator.
    pub(crate) role: u64,
    /// A role that anybody may mention.
    pub(crate) on_call: u64,
    /// Where commands are typed.
    pub(crate) office: u64,
    /// Where alerts shall go.
    pub(crate) alerts: u64,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        Self::set_with(&[]).await
    }

    /// With more flags for discord-service.
    pub(crate) async fn set_with(flags: &[&str]) -> Self {
        Self::set_in(config(), flags).await
    }

    /// At another Discord.
    pub(crate) async fn set_in(config: Config, flags: &[&str]) -> Self {
        let (nats, sandbox) = tokio::join!(NatsServer::start(), Sandbox::start(config));
        let [owner, moderator, member] =
            ["owner", "moderator", "member"].map(|name| sandbox.add_user(User::new(name)));
        let robot = sandbox.add_user(User::bot("robot"));
        let role = Role::new("moderators", permissions::MANAGE_MESSAGES).with_id(77);
        let guild = Guild::new("home", owner)
            .role(role)
            .role(Role::new("on call", 0).with_id(78).mentionable())
            .member(moderator, &[77])
            .member(member, &[])
            .member(robot, &[]);
        let guild = sandbox.add_guild(guild);
        let [office, alerts] =
            ["office", "alerts"].map(|name| sandbox.add_channel(guild, Channel::text(name)));

        let flags = ["discord-service", "--store", "nats"].iter().chain(flags);
        let settings = Settings::try_parse_from(flags).expect("valid settings");
        let client = nats.client().await;
        let store = store::open(&settings, &client).await.expect("a store");
        let url = sandbox.url().parse().expect("a URL");
        let discord = Discord::new(&url, sandbox.token().into()).expect("a client");
        let js = jetstream::new(client);
        bus::ensure(&js, &settings.common.nats, BusRole::Discord).await.expect("streams and buckets");
        let known = Bucket::new(&js, wire::CHANNELS);
        let lanes = Bucket::new(&js, wire::LANES);
        let authority = Authority::new(store.clone(), discord.clone(), known, lanes);
        let secrets = SecretsKeys::from_settings(&settings.common).expect("a key");
        let trusts = Trusts::new(store.clone(), &js, secrets);
        let (dead_letters, stack_traces) = (DeadLetters::new(js.clone()), StackTraces::new(&js));
        let services = CommandServices {
            store: store.clone(),
            discord: discord.clone(),
            authority,
            trusts,
            dead_letters,
            stack_traces,
        };
        let commands = Arc::new(Commands::new(services, &settings));
        Self {
            nats,
            sandbox,
            store,
            commands,
            discord,
            guild,
            owner,
            moderator,
            member,
            robot,
            role: 77,
            on_call: 78,
            office,
            alerts,
        }
    }

    /// Puts the channel into the guild's list, as `channel authorize` does.
    pub(crate) async fn authorize(&self, channel: u64) {
        self.store
            .authorize(GuildId::new(self.guild), ChannelId::new(channel))
            .await
            .expect("the store is there");
    }

    /// Whether the channel is in the guild's list.
    pub(crate) async fn is_authorized(&self, channel: u64) -> bool {
        let channels = self.store.channels(GuildId::new(self.guild)).await.expect("the store is there");
        channels.contains(&ChannelId::new(channel))
    }

    /// What the bot makes of a message.
    pub(crate) fn typed(&self, id: u64, user: u64, channel: u64, content: &str) -> Typed {
        Typed {
            id,
            guild: GuildId::new(self.guild),
            channel: ChannelId::new(channel),
            author: UserId::new(user),
            content: content.to_owned(),
            bot: UserId::new(self.sandbox.bot()),
        }
    }

    /// What the bot wrote after the user typed this.
    pub(crate) async fn answers(&self, user: u64, channel: u64, content: &str) -> Vec<Message> {
        let id = self.sandbox.say(user, channel, content).expect("the user may write here");
        self.commands.typed(self.typed(id, user, channel, content)).await;
        assert_eq!(self.sandbox.unknown_requests(), [""; 0]);
        let mut messages = self.sandbox.messages(channel);
        messages.retain(|message| message.id > id);
        messages
    }

    /// The one answer to what the user typed, which pings nobody else.
    pub(crate) async fn answer(&self, user: u64, channel: u64, content: &str) -> Message {
        let mut answers = self.answers(user, channel, content).await;
        assert_eq!(answers.len(), 1, "answers to {content:?}");
        let answer = answers.remove(0);
        assert_eq!(answer.author, self.sandbox.bot());
        assert_eq!(answer.pings.users, [user].into(), "pinged by {}", answer.json);
        assert!(answer.pings.roles.is_empty() && !answer.pings.everyone, "pinged by {}", answer.json);
        let message = answer.received["message_reference"]["message_id"].as_str().expect("a reply");
        assert_eq!(answer.received["nonce"], format!("r{message}"));
        assert_eq!(answer.received["enforce_nonce"], true);
        answer
    }

    /// The text of the one answer.
    pub(crate) async fn text(&self, user: u64, channel: u64, content: &str) -> String {
        let answer = self.answer(user, channel, content).await;
        assert!(answer.embeds().is_empty(), "an embed: {}", answer.json);
        answer.content().to_owned()
    }

    /// The title and the fields of the one embed of the one answer.
    pub(crate) async fn embed(
        &self,
        user: u64,
        channel: u64,
        content: &str,
    ) -> (String, Vec<(String, String)>) {
        let answer = self.answer(user, channel, content).await;
        assert_eq!((answer.content(), answer.embeds().len()), ("", 1), "{}", answer.json);
        let embed = &answer.embeds()[0];
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let fields = embed["fields"].as_array().expect("fields");
        let fields = fields.iter().map(|field| (text(&field["name"]), text(&field["value"]))).collect();
        (text(&embed["title"]), fields)
    }
}
