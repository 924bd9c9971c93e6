//! The commands: `!sentry …`, `@bot …`, `/sentry …`. Words are parsed, the
//! permission is checked, a handler answers, and the answer is sent as a reply to
//! the message, or shown to whoever used the slash command.
//!
//! Adding one: a variant and a line in `parse`, what it needs in `Needs::of`,
//! its texts in `replies`, a handler, and its slash command in `slash::tree`.

mod access;
mod budget;
mod channel;
mod facts;
mod fields;
mod parse;
mod permissions;
mod project;
mod remedies;
mod replies;
mod report;
mod send;
mod slash;
mod status;
mod trust;
mod wire;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use async_trait::async_trait;
use serenity::model::Permissions;
use shared::{ChannelId, GuildId, UserId};

pub(crate) use self::access::BotAccess;
pub use self::slash::register as register_slash_commands;
use self::{
    budget::Budget,
    facts::{Channel, Facts, FactsError},
    parse::{ChannelArgument, Command, Form, ParseError},
    replies::{Replies, Reply},
};
use crate::{
    authority::Authority,
    dead_letters::DeadLetters,
    diagnosis::Diagnosis,
    discord::Discord,
    gateway::{Handler, Invoked, Typed},
    settings::Settings,
    store::{Store, StoreError},
    trust::{TrustError, Trusts},
};

/// How long Discord's rate limits may delay a question about the guild, and a
/// reply in a busy channel: somebody waits for the answer.
const QUESTION_PATIENCE: Duration = Duration::from_secs(15);
const REPLY_PATIENCE: Duration = Duration::from_secs(30);
/// Commands of a guild that are answered: this many at once, then so many a
/// second; more are ignored. Any member can type them all day, and a reply is
/// one of the 50 requests a second that the alerts of all guilds share.
const COMMANDS_AT_ONCE: NonZeroU32 = NonZeroU32::new(200).expect("not zero");
const COMMANDS_PER_SECOND: NonZeroU32 = NonZeroU32::new(4).expect("not zero");

/// Answers commands.
pub struct Commands {
    store: Arc<dyn Store>,
    authority: Authority,
    trusts: Trusts,
    dead_letters: DeadLetters,
    diagnosis: Diagnosis,
    discord: Discord,
    facts: Facts,
    budget: Budget,
    replies: Replies,
}

/// Who asks, and where.
#[derive(Debug, Clone, Copy)]
struct Asker {
    /// The id of the message or interaction, by which a command that is heard
    /// again is known to be the same.
    command: u64,
    guild: GuildId,
    channel: ChannelId,
    user: UserId,
    bot: UserId,
    /// What Discord told us beside the command that the user may do in this
    /// channel: it does so for slash commands.
    granted_here: Option<Permissions>,
}

/// What must hold before a command does anything.
#[derive(Debug, Clone, Copy)]
struct Needs {
    /// The channel must be authorized.
    authorized: bool,
    /// The user must be allowed to manage messages here.
    manage_messages: bool,
}

impl Needs {
    /// A mistake in a command needs what the command needs: strangers learn nothing.
    const fn of(command: &Result<Command, ParseError>) -> Self {
        match command {
            Ok(Command::Help | Command::Project(_) | Command::Status(None))
            | Err(ParseError::NotASlug | ParseError::UnknownWord) => {
                Self { authorized: true, manage_messages: false }
            }
            Ok(Command::Replay | Command::Test) => Self { authorized: true, manage_messages: true },
            // What was refused for a channel that is not authorized is for its admins.
            Ok(Command::Channel(_) | Command::Status(Some(_))) | Err(ParseError::NotAChannel) => {
                Self { authorized: false, manage_messages: true }
            }
        }
    }
}

/// Why a command could not be carried out now.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Discord(#[from] FactsError),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("{0:#}")]
    Nats(anyhow::Error),
}

impl Commands {
    /// Answers from this store, as this bot.
    pub fn new(
        store: Arc<dyn Store>,
        discord: &Discord,
        authority: Authority,
        trusts: Trusts,
        dead_letters: DeadLetters,
        settings: &Settings,
    ) -> Self {
        Self {
            store,
            authority,
            diagnosis: Diagnosis::new(dead_letters.clone(), settings.alert_max_age()),
            trusts,
            dead_letters,
            discord: discord.behind_alerts().with_patience(REPLY_PATIENCE),
            facts: Facts::new(discord.behind_alerts().with_patience(QUESTION_PATIENCE)),
            budget: Budget::new(COMMANDS_AT_ONCE, COMMANDS_PER_SECOND),
            replies: Replies::new(settings),
        }
    }

    /// Carries out the command as far as its user may, and says why where it
    /// cannot be done; the reply, if it gets one.
    async fn carry_out(&self, by: Asker, command: Result<Command, ParseError>) -> Option<Reply> {
        let name = parse::name(&command);
        let outcome = self.answer(by, command).await;
        outcome.transpose().map(|outcome| settle(by, name, outcome))
    }

    /// The reply to a command, if it gets one.
    async fn answer(
        &self,
        by: Asker,
        command: Result<Command, ParseError>,
    ) -> Result<Option<Reply>, Failure> {
        let needs = Needs::of(&command);
        if needs.authorized && !self.is_authorized(by).await? {
            // Talk to the bot about other things is welcome anywhere.
            let silent = command == Err(ParseError::UnknownWord);
            return Ok((!silent).then(|| self.replies.not_authorized()));
        }
        if needs.manage_messages && !self.manages_messages_here(by).await? {
            return Ok(Some(replies::no_permission()));
        }
        match command {
            Ok(Command::Help) => Ok(self.replies.help()),
            Ok(Command::Channel(command)) => self.channel(by, command).await,
            Ok(Command::Project(command)) => self.project(by, command).await,
            Ok(Command::Replay) => self.replay(by).await,
            Ok(Command::Status(argument)) => self.status(by, argument).await,
            Ok(Command::Test) => self.test(by).await,
            Err(ParseError::UnknownWord) => Ok(self.replies.unknown_word()),
            Err(ParseError::NotAChannel) => Ok(replies::not_a_channel()),
            Err(ParseError::NotASlug) => Ok(replies::not_a_slug()),
        }
        .map(Some)
    }

    /// Puts the dead letters of the channel back into the queue.
    async fn replay(&self, by: Asker) -> Result<Reply, Failure> {
        let replayed = self.dead_letters.replay(Some(by.channel)).await.map_err(Failure::Nats)?;
        tracing::info!(channel.id = %by.channel, user.id = %by.user, alerts = replayed.alerts, "replayed dead letters");
        Ok(replies::replaying(replayed))
    }

    async fn is_authorized(&self, by: Asker) -> Result<bool, StoreError> {
        Ok(self.store.channels(by.guild).await?.contains(&by.channel))
    }

    async fn manages_messages_here(&self, by: Asker) -> Result<bool, FactsError> {
        self.facts.renew(by.guild, [by.user, by.bot]).await;
        if let Some(granted) = by.granted_here {
            return Ok(permissions::allows(granted, Permissions::MANAGE_MESSAGES));
        }
        match self.facts.find(by.guild, &ChannelArgument::Id(by.channel)).await? {
            Ok(channel) => self.manages_messages(by, &channel).await,
            Err(_) => Ok(false),
        }
    }

    async fn manages_messages(&self, by: Asker, channel: &Channel) -> Result<bool, FactsError> {
        let granted = self.facts.granted(by.guild, by.user, channel).await?;
        Ok(permissions::allows(granted, Permissions::MANAGE_MESSAGES))
    }
}

#[async_trait]
impl Handler for Commands {
    async fn typed(&self, message: Typed) {
        let Some(command) = parse::parse(&message.content, &self.replies.prefix, message.bot) else {
            return;
        };
        let by = Asker {
            command: message.id,
            guild: message.guild,
            channel: message.channel,
            user: message.author,
            bot: message.bot,
            granted_here: None,
        };
        if !self.budget.spend(by.guild) {
            count(parse::name(&command), "ignored");
            return;
        }
        if let Some(reply) = self.carry_out(by, command).await {
            send::send(&self.discord, &message, reply).await;
        }
    }

    async fn invoked(&self, invocation: Invoked) {
        self.slash(invocation).await;
    }
}

/// The reply to a command that was carried out, or could not be.
fn settle(by: Asker, command: &'static str, outcome: Result<Reply, Failure>) -> Reply {
    let failure = match outcome {
        Ok(reply) => {
            count(command, "answered");
            return reply;
        }
        Err(failure) => failure,
    };
    tracing::warn!(
        guild.id = %by.guild, channel.id = %by.channel, command,
        "a command could not be carried out: {failure}"
    );
    let (outcome, reply) = match failure {
        Failure::Store(_) | Failure::Trust(_) | Failure::Nats(_) => {
            ("store_unavailable", replies::store_unavailable())
        }
        Failure::Discord(_) => ("discord_unavailable", replies::discord_unavailable()),
    };
    count(command, outcome);
    reply
}

fn count(command: &'static str, outcome: &'static str) {
    metrics::counter!("sentry_bot_commands_total", "command" => command, "outcome" => outcome).increment(1);
}
