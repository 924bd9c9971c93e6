//! The handle by which a test or the program holds a sandbox.

use std::sync::Arc;

use anyhow::ensure;
use serde_json::json;

use crate::{
    config::Config,
    faults::Fault,
    gateway::sessions::{Order, SessionInfo},
    limits::message::Draft,
    server::{Hub, Server},
    stats::Stats,
    world::{
        channel::{Channel, Target},
        guild::{Guild, User},
        message::Message,
    },
};

/// A running stand-in for Discord. It stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    server: Server,
}

impl Sandbox {
    /// Starts one; it takes requests when this returns.
    ///
    /// # Panics
    /// When its address cannot be had.
    pub async fn start(config: Config) -> Self {
        Self::try_start(config).expect("the sandbox starts")
    }

    /// Starts one.
    ///
    /// # Errors
    /// When its address cannot be had.
    pub fn try_start(config: Config) -> anyhow::Result<Self> {
        Ok(Self { server: Server::start(config)? })
    }

    /// Its base, `http://host:port`: what `DISCORD_API_URL` is set to.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.addr)
    }

    /// The token that the bot must show.
    pub fn token(&self) -> String {
        self.hub().lock(|world| world.config.token.clone())
    }

    /// The bot's user id, which is its application's as well.
    pub fn bot(&self) -> u64 {
        self.hub().lock(|world| world.bot)
    }

    fn hub(&self) -> &Arc<Hub> {
        &self.server.hub
    }

    /// Makes a user known to Discord and returns their id.
    pub fn add_user(&self, user: User) -> u64 {
        let id = user.id;
        self.hub().lock(|world| world.users.insert(id, user));
        id
    }

    /// Adds a guild with the bot in it and returns its id.
    pub fn add_guild(&self, guild: Guild) -> u64 {
        self.hub().lock(|world| world.add_guild(guild))
    }

    /// Adds a channel to a guild and returns its id.
    pub fn add_channel(&self, guild: u64, channel: Channel) -> u64 {
        self.hub().lock(|world| world.add_channel(Some(guild), channel))
    }

    /// The private conversation of the bot with a user.
    pub fn private_channel(&self, user: u64) -> u64 {
        self.hub().lock(|world| world.private_channel(user))
    }

    /// Grants and takes away permissions in a channel, in place of what was
    /// set for this target before.
    pub fn set_overwrite(&self, channel: u64, target: Target, allow: u64, deny: u64) {
        self.hub().lock(|world| world.set_overwrite(channel, target, allow, deny));
    }

    /// Removes a channel with all that was written in it.
    pub fn remove_channel(&self, channel: u64) {
        self.hub().lock(|world| world.remove_channel(channel));
    }

    /// What was written in a channel, oldest first.
    pub fn messages(&self, channel: u64) -> Vec<Message> {
        self.hub().lock(|world| world.messages(channel))
    }

    /// Removes a message; whether there was one.
    pub fn delete_message(&self, channel: u64, message: u64) -> bool {
        self.hub().lock(|world| world.delete_message(channel, message))
    }

    /// A user writes a message; its id.
    ///
    /// # Errors
    /// When the user may not write there, or what they write breaks a limit.
    pub fn say(&self, user: u64, channel: u64, content: &str) -> anyhow::Result<u64> {
        self.hub().lock(|world| {
            ensure!(world.users.contains_key(&user), "nobody has the id {user}");
            let draft = Draft::check(&json!({ "content": content })).map_err(|error| error.in_words())?;
            let message = world.post(channel, user, &draft, serde_json::Value::Null);
            Ok(message.map_err(|error| error.in_words())?.id)
        })
    }

    /// Makes something go wrong from now on.
    pub fn add_fault(&self, fault: Fault) {
        self.hub().lock(|world| world.faults.add(fault));
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&self) {
        self.hub().lock(|world| world.faults.clear());
    }

    /// As if the nonce window had passed.
    pub fn forget_nonces(&self) {
        self.hub().lock(|world| world.nonces.forget());
    }

    /// What was counted so far.
    pub fn stats(&self) -> Stats {
        self.hub().lock(|world| world.stats.clone())
    }

    /// Requests that the sandbox did not know. A test should find none.
    pub fn unknown_requests(&self) -> Vec<String> {
        self.hub().lock(|world| world.stats.unknown_requests.clone())
    }

    /// All sessions, connected or waiting to be resumed.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.hub().lock(|world| world.sessions.all.iter().map(|session| session.info.clone()).collect())
    }

    /// Cuts every gateway connection without a word; sessions can be resumed.
    pub fn cut_gateway(&self) {
        self.hub().lock(|world| world.sessions.all.iter().for_each(|session| session.order(Order::Cut)));
    }
}

impl crate::error::ApiError {
    fn in_words(&self) -> anyhow::Error {
        anyhow::anyhow!("{} (code {})", self.message, self.code)
    }
}
