//! A real serenity client against the sandbox: it drops what does not fit its
//! model in silence, so each event is awaited by name.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use harness::wait::{SOON, wait_for};
use sandbox_discord::{Channel, Config, Guild, Sandbox, User};
use serenity::all::{
    ClientBuilder, Context, EventHandler, GatewayIntents, Guild as SerenityGuild, HttpBuilder, Message,
    Ready, async_trait,
};

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    async fn wait(&self, what: &str) {
        wait_for(what, SOON, || async {
            self.0.lock().unwrap().iter().any(|seen| seen == what).then_some(())
        })
        .await;
    }
}

#[async_trait]
impl EventHandler for Seen {
    async fn ready(&self, _: Context, ready: Ready) {
        self.note(format!("READY {}", ready.user.name));
    }

    async fn guild_create(&self, _: Context, guild: SerenityGuild, _: Option<bool>) {
        self.note(format!("GUILD_CREATE {} {}", guild.name, guild.channels.len()));
    }

    async fn message(&self, _: Context, message: Message) {
        self.note(format!("MESSAGE_CREATE {} {}", message.author.name, message.content));
    }
}

#[tokio::test]
async fn a_serenity_client_sees_every_event() {
    let sandbox = Sandbox::start(Config::default().clocks(|clocks| {
        clocks.heartbeat = Duration::from_millis(300);
    }))
    .await;
    let olivia = sandbox.add_user(User::new("olivia"));
    let guild = sandbox.add_guild(Guild::new("Sandbox", olivia));
    let general = sandbox.add_channel(guild, Channel::text("general"));
    let http = HttpBuilder::new(sandbox.token()).proxy(sandbox.url()).ratelimiter_disabled(true).build();
    let seen = Seen::default();
    let intents = GatewayIntents::non_privileged() | GatewayIntents::MESSAGE_CONTENT;
    let mut client = ClientBuilder::new_with_http(http, intents).event_handler(seen.clone()).await.unwrap();
    tokio::spawn(async move { client.start().await });
    seen.wait("READY Sentry Bot").await;
    seen.wait("GUILD_CREATE Sandbox 1").await;
    sandbox.say(olivia, general, "hello").unwrap();
    seen.wait("MESSAGE_CREATE olivia hello").await;
}
