//! Commands on the way that they take at Discord: typed, told by the gateway,
//! answered.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream;
use clap::Parser as _;
use discord_service::{
    gateway::{Gateway, Handler},
    lease::Membership,
    settings::Settings,
};
use harness::wait::wait_for;
use sandbox_discord::{Config, Message};
use shared::{admin::Readiness, shutdown::CancellationToken};

use crate::stage::{Stage, config};

/// Longer than a session takes to be up.
const CONNECTED: Duration = Duration::from_secs(30);

/// The gateway client, which stops when this is dropped.
pub(crate) struct Connected {
    pub(crate) stage: Stage,
    readiness: Readiness,
    stop: CancellationToken,
}

impl Connected {
    pub(crate) async fn to(config: Config) -> Self {
        let stage = Stage::set_in(config, &[]).await;
        let commands = stage.commands.clone();
        Self::with(stage, commands).await
    }

    /// With this handler in place of the stage's.
    pub(crate) async fn with(stage: Stage, handler: Arc<dyn Handler>) -> Self {
        let (readiness, stop) = (Readiness::default(), CancellationToken::new());
        let discord = stage.discord.clone();
        let nats = stage.nats.client().await;
        let settings = Settings::parse_from(["discord-service"]);
        shared::bus::ensure(&jetstream::new(nats.clone()), &settings.common.nats, shared::bus::Role::Discord)
            .await
            .expect("a bucket");
        let Membership { keeper, shards, .. } =
            Membership::new(&nats, settings.lease_ttl(), CancellationToken::new());
        tokio::spawn(keeper.run(stop.clone(), |_| {}));
        let (prefix, says) = ("!sentry".to_owned(), readiness.clone());
        let gateway = Gateway { discord, nats, prefix, handler, readiness: says };
        tokio::spawn(gateway.run(shards, stop.clone()));
        let connected = Self { stage, readiness, stop };
        wait_for("the gateway is ready", CONNECTED, || async {
            let (_, checks) = connected.readiness.report();
            (checks.get("gateway").map(String::as_str) == Some("ok")).then_some(())
        })
        .await;
        connected
    }

    /// All that the bot has written in the channel, once it is so many messages.
    async fn answers(&self, channel: u64, count: usize) -> Vec<Message> {
        let sandbox = &self.stage.sandbox;
        wait_for("the answers", CONNECTED, || async {
            let mut messages = sandbox.messages(channel);
            messages.retain(|message| message.author == sandbox.bot());
            (messages.len() >= count).then_some(messages)
        })
        .await
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[tokio::test]
async fn a_command_that_is_typed_is_answered() {
    let connected = Connected::to(config()).await;
    let stage = &connected.stage;
    let (alerts, office) = (stage.alerts, stage.office);
    stage
        .sandbox
        .say(stage.moderator, office, &format!("!sentry channel authorize <#{alerts}>"))
        .expect("typed");
    let answers = connected.answers(office, 1).await;
    assert_eq!(answers[0].content(), format!("<#{alerts}> is now authorized"));
    assert_eq!(answers[0].pings.users, [stage.moderator].into());

    stage.sandbox.say(stage.member, alerts, "!sentry project register web").expect("typed");
    let answers = connected.answers(alerts, 1).await;
    assert_eq!(answers[0].content(), "Registered Sentry project: `web`");
}

#[tokio::test]
async fn bots_and_private_messages_get_no_answer() {
    let connected = Connected::to(config()).await;
    let stage = &connected.stage;
    stage.authorize(stage.office).await;
    let private = stage.sandbox.private_channel(stage.owner);
    stage.sandbox.say(stage.robot, stage.office, "!sentry h").expect("typed");
    stage.sandbox.say(stage.owner, private, "!sentry h").expect("typed");
    let asked = stage.sandbox.say(stage.owner, stage.office, "!sentry h").expect("typed");
    let answers = connected.answers(stage.office, 1).await;
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].received["message_reference"]["message_id"], asked.to_string());
    assert_eq!(connected.answers(private, 0).await.len(), 0);
}

#[tokio::test]
async fn without_message_content_a_mention_of_the_bot_works_as_prefix() {
    let connected = Connected::to(config().message_content(false)).await;
    let stage = &connected.stage;
    let (alerts, bot) = (stage.alerts, stage.sandbox.bot());
    stage.sandbox.say(stage.owner, stage.office, &format!("!sentry authorize <#{alerts}>")).expect("typed");
    stage.sandbox.say(stage.owner, stage.office, &format!("<@{bot}> authorize <#{alerts}>")).expect("typed");
    let answers = connected.answers(stage.office, 1).await;
    assert_eq!(answers.len(), 1, "the first has no content for the bot");
    assert_eq!(answers[0].content(), format!("<#{alerts}> is now authorized"));
}
