//! The handle of a running sandbox, for tests and for the program.

use std::{sync::Arc, time::Duration};

use crate::{
    config::Config,
    faults::Fault,
    gateway::sessions::{Order, SessionInfo},
    interactions::{Answer, Outcome},
    server::{Hub, Server},
    stats::Stats,
    world::{
        channel::{Channel, Target},
        guild::User,
        message::Message,
    },
};

/// A running stand-in for Discord. It stops when dropped.
#[derive(Debug)]
pub struct Sandbox {
    server: Server,
}

impl Sandbox {
    /// Starts one. It takes requests when this returns.
    ///
    /// # Panics
    /// When it cannot listen on its address.
    pub async fn start(config: Config) -> Self {
        Self::try_start(config).expect("the sandbox starts")
    }

    /// Starts one.
    ///
    /// # Errors
    /// When it cannot listen on its address.
    pub fn try_start(config: Config) -> anyhow::Result<Self> {
        Ok(Self { server: Server::start(config)? })
    }

    /// Its base, `http://host:port`, for `DISCORD_API_URL`.
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

    pub(crate) fn hub(&self) -> &Arc<Hub> {
        &self.server.hub
    }

    /// Makes a user known to Discord and returns their id.
    pub fn add_user(&self, user: User) -> u64 {
        let id = user.id;
        self.hub().lock(|world| world.users.insert(id, user));
        id
    }

    /// Forgets a user: Discord no longer knows them.
    pub fn remove_user(&self, user: u64) {
        self.hub().lock(|world| world.users.remove(&user));
    }

    /// From now on the bot must show another token. Sessions stay until they
    /// are closed.
    pub fn set_token(&self, token: &str) {
        self.hub().lock(|world| world.config.token = token.to_owned());
    }

    /// Adds a channel to a guild and returns its id.
    pub fn add_channel(&self, guild: u64, channel: Channel) -> u64 {
        self.hub().lock(|world| world.add_channel(Some(guild), channel))
    }

    /// The private conversation of the bot with a user.
    pub fn private_channel(&self, user: u64) -> u64 {
        self.hub().lock(|world| world.private_channel(user))
    }

    /// Grants and takes away permissions in a channel, in place of the earlier
    /// overwrite for this target.
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

    /// How many messages a channel holds. This is cheaper than
    /// [`messages`](Self::messages).
    pub fn message_count(&self, channel: u64) -> usize {
        self.hub().lock(|world| world.channels.get(&channel).map_or(0, |channel| channel.messages.len()))
    }

    /// Removes a message. Returns whether there was one.
    pub fn delete_message(&self, channel: u64, message: u64) -> bool {
        self.hub().lock(|world| world.delete_message(channel, message))
    }

    /// A user writes a message. Returns its id.
    ///
    /// # Errors
    /// When the user may not write there, or what they write breaks a limit.
    pub fn say(&self, user: u64, channel: u64, content: &str) -> anyhow::Result<u64> {
        self.hub().lock(|world| world.say(user, channel, content))
    }

    /// A user uses a slash command, such as `sentry channel authorize` with
    /// `[("channel", "1234")]`: ids for channels, users and roles.
    ///
    /// # Errors
    /// When Discord's client would refuse. The command is not registered, an
    /// option is missing or does not fit, or the user lacks the permission.
    pub fn slash(
        &self,
        user: u64,
        channel: u64,
        command: &str,
        options: &[(&str, &str)],
    ) -> anyhow::Result<Invocation> {
        let id = self.hub().lock(|world| world.use_command(user, channel, command, options, None))?;
        Ok(self.invocation(id))
    }

    /// A user types in the option `focused` of a slash command and is offered completions.
    ///
    /// # Errors
    /// As [`slash`](Self::slash); options may be missing.
    pub fn autocomplete(
        &self,
        user: u64,
        channel: u64,
        command: &str,
        options: &[(&str, &str)],
        focused: &str,
    ) -> anyhow::Result<Invocation> {
        let focused = Some(focused);
        let id = self.hub().lock(|world| world.use_command(user, channel, command, options, focused))?;
        Ok(self.invocation(id))
    }

    /// The user fills in the modal that answered `shown`. `inputs` are by
    /// custom id.
    ///
    /// # Errors
    /// When there is no such modal or input.
    pub fn submit_modal(&self, shown: &Invocation, inputs: &[(&str, &str)]) -> anyhow::Result<Invocation> {
        let id = self.hub().lock(|world| world.submit_modal(shown.id, inputs))?;
        Ok(self.invocation(id))
    }

    /// A user presses a button of one of the bot's messages.
    ///
    /// # Errors
    /// When Discord's client would not let them: they do not see the message,
    /// it has no such button, or the button is disabled.
    pub fn press(
        &self,
        user: u64,
        channel: u64,
        message: u64,
        custom_id: &str,
    ) -> anyhow::Result<Invocation> {
        self.choose(user, channel, message, custom_id, &[])
    }

    /// A user chooses values in a menu of one of the bot's messages.
    ///
    /// # Errors
    /// As [`press`](Self::press), or when the menu does not offer the values.
    pub fn choose(
        &self,
        user: u64,
        channel: u64,
        message: u64,
        custom_id: &str,
        values: &[&str],
    ) -> anyhow::Result<Invocation> {
        let id = self.hub().lock(|world| world.press(user, channel, message, custom_id, values))?;
        Ok(self.invocation(id))
    }

    fn invocation(&self, id: u64) -> Invocation {
        Invocation { hub: Arc::clone(self.hub()), id }
    }

    /// Makes something go wrong from now on.
    pub fn add_fault(&self, fault: Fault) {
        self.hub().lock(|world| world.faults.add(fault));
    }

    /// From now on nothing goes wrong.
    pub fn clear_faults(&self) {
        self.hub().lock(|world| world.faults.clear());
    }

    /// Forgets all nonces, as if their window had passed.
    pub fn forget_nonces(&self) {
        self.hub().lock(|world| world.nonces.forget());
    }

    /// The counts so far.
    pub fn stats(&self) -> Stats {
        self.hub().lock(|world| world.stats.clone())
    }

    /// Requests that the sandbox did not know. A test should find none.
    pub fn unknown_requests(&self) -> Vec<String> {
        self.hub().lock(|world| world.stats.unknown_requests.clone())
    }

    /// All sessions, connected or waiting to be resumed.
    pub fn sessions(&self) -> Vec<SessionInfo> {
        self.hub().lock(|world| world.sessions.infos())
    }

    /// Cuts every gateway connection without a word. Sessions can be resumed.
    pub fn cut_gateway(&self) {
        self.hub().lock(|world| world.sessions.order_all(&Order::Cut));
    }

    /// Closes every gateway connection with this code.
    pub fn close_gateway(&self, code: u16) {
        let order = Order::Close(code, "The sandbox was told to close.");
        self.hub().lock(|world| world.sessions.order_all(&order));
    }

    /// RECONNECT: asks every client to connect again and resume.
    pub fn reconnect_gateway(&self) {
        self.hub().lock(|world| world.sessions.reconnect_all());
    }

    /// INVALID SESSION: asks every client to begin a new session, or to resume.
    pub fn invalidate_sessions(&self, resumable: bool) {
        self.hub().lock(|world| world.sessions.invalidate_all(resumable));
    }

    /// Sets whether heartbeats are answered. A client without an answer must
    /// notice.
    pub fn acknowledge_heartbeats(&self, answered: bool) {
        self.hub().lock(|world| world.sessions.acknowledging = answered);
    }
}

/// One use of a command, a button or a menu, by which its answers are found.
#[derive(Debug, Clone)]
pub struct Invocation {
    hub: Arc<Hub>,
    id: u64,
}

impl Invocation {
    /// The interaction's id.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// What the bot has answered so far.
    pub fn outcome(&self) -> Outcome {
        self.hub.lock(|world| world.outcome(self.id))
    }

    /// Waits for the first answer, as long as Discord would. `None`: there was
    /// none, and the user reads that the application did not respond.
    pub async fn answer(&self) -> Option<Answer> {
        let limit = self.hub.lock(|world| world.config.clocks.interaction_deadline);
        self.hub.wait(limit, |world| world.outcome(self.id).answer).await
    }

    /// Waits for the first message, at most for `limit`. It also waits for a
    /// deferred one.
    pub async fn message(&self, limit: Duration) -> Option<Message> {
        self.hub.wait(limit, |world| world.outcome(self.id).messages.into_iter().next()).await
    }
}
