//! The commands: `!sentry …`, `@bot …`, `/sentry …`. Words are parsed, the
//! permission is checked, and a handler answers. The answer is a reply to the
//! message, or is shown to the user of the slash command.
//!
//! A new command needs a variant and a line in `parse`, and its needs in
//! `Needs::of`. It also needs its texts in `replies`, a handler, and its slash
//! command in `slash::tree`.

mod channel;
mod names;
mod needs;
mod notice;
mod outbox;
mod outcome;
mod parse;
mod project;
mod replay;
mod replies;
mod rules;
mod slash;
mod status;
mod trust;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serenity::model::Permissions;
use shared::{ChannelId, GuildId, UserId, wire};

use self::{
    names::CommandNames,
    needs::Needs,
    notice::Notice,
    outbox::Outbox,
    outcome::{CommandError, count, settle},
    parse::{Command, Form, ParseError},
    replies::{Reply, ReplySettings, ReplyTexts},
    slash::Threads,
};
pub use self::{names::SlashId, slash::register as register_slash_commands};
use crate::{
    authority::Authority,
    dead_letters::DeadLetters,
    delivery::NameBook,
    diagnosis::Diagnosis,
    discord::Discord,
    gateway::{Handler, Invoked, Typed},
    guilds::{Channel, ChannelArgument, Facts, FactsError, Kind, permissions},
    kv::Bucket,
    rate_budget::{Rate, Shares},
    rules::Rulebook,
    settings::Settings,
    stack_trace::StackTraces,
    store::{Store, StoreError},
    trust::Trusts,
};

/// How long Discord's rate limits may delay an answer to an interaction.
const REPLY_PATIENCE: Duration = Duration::from_secs(30);
/// Commands that are carried out, for each guild and each member. Any member can use
/// them all day, and what they cost is shared with the alerts of all guilds. The rest
/// is answered with a sentence; if typed, once a minute in each channel.
const COMMANDS: [Rate; 2] = [Rate::new(120, 5), Rate::new(40, 2)];
/// The same of completions.
const COMPLETIONS: [Rate; 2] = [Rate::new(100, 20), Rate::new(25, 5)];

/// What commands work with.
pub struct CommandServices {
    /// Authorizations and projects.
    pub store: Arc<dyn Store>,
    /// Discord's REST API.
    pub discord: Discord,
    /// Who may post where.
    pub authority: Authority,
    /// Tokens and client secrets.
    pub trusts: Trusts,
    /// What `replay` puts back.
    pub dead_letters: DeadLetters,
    /// What the buttons of messages show.
    pub stack_traces: StackTraces,
}

/// Answers commands.
pub struct Commands {
    store: Arc<dyn Store>,
    authority: Authority,
    trusts: Trusts,
    rulebook: Rulebook,
    dead_letters: DeadLetters,
    stack_traces: StackTraces,
    diagnosis: Diagnosis,
    discord: Discord,
    facts: Facts,
    commands: Shares,
    completions: Shares,
    /// That a channel is not authorized.
    not_authorized: Notice,
    /// That too many commands come.
    too_many: Notice,
    outbox: Outbox,
    threads: Threads,
    known_names: NameBook,
    slash_id: SlashId,
    reply_settings: ReplySettings,
}

/// Who asks, and where.
#[derive(Debug, Clone, Copy)]
struct Asker {
    /// The id of the message or interaction. A command that is heard twice has the
    /// same one.
    command: u64,
    guild: GuildId,
    channel: ChannelId,
    user: UserId,
    bot: UserId,
    form: Form,
    /// What the user may do in this channel, as Discord says with each slash command.
    granted_here: Option<Permissions>,
}

impl Commands {
    /// Answers commands with these services.
    pub fn new(services: CommandServices, settings: &Settings) -> Self {
        let CommandServices { store, discord, authority, trusts, dead_letters, stack_traces } = services;
        let known_names = NameBook::new(Bucket::new(dead_letters.js(), wire::LANES));
        Self {
            rulebook: Rulebook::new(store.clone()),
            store,
            authority,
            diagnosis: Diagnosis::new(dead_letters.clone(), settings.alert_max_age()),
            trusts,
            dead_letters,
            stack_traces,
            discord: discord.behind_alerts().with_patience(REPLY_PATIENCE),
            facts: Facts::new(&discord.behind_alerts()),
            commands: Shares::new(COMMANDS),
            completions: Shares::new(COMPLETIONS),
            not_authorized: Notice::default(),
            too_many: Notice::default(),
            outbox: Outbox::new(&discord.behind_alerts()),
            threads: Threads::default(),
            known_names,
            slash_id: SlashId::default(),
            reply_settings: ReplySettings::new(settings),
        }
    }

    /// Where the registration notes the id of `/sentry`, which replies need to name
    /// commands so that they can be clicked.
    pub fn slash_id(&self) -> SlashId {
        self.slash_id.clone()
    }

    /// The replies to a command that was given in this form.
    fn replies(&self, form: Form) -> ReplyTexts<'_> {
        let settings = &self.reply_settings;
        let names = CommandNames { form, prefix: &settings.prefix, slash_id: self.slash_id.get() };
        ReplyTexts { names, settings }
    }

    /// Carries out the command if its user may, and returns the reply, if it gets one.
    async fn carry_out(&self, by: Asker, command: Result<Command, ParseError>) -> Option<Reply> {
        let name = parse::name(&command);
        let outcome = self.answer(by, command).await.transpose()?;
        let is_too_many = matches!(&outcome, Err(error) if error.is_too_many());
        let reply = settle(by, name, outcome);
        (!is_too_many || self.tells(by, &self.too_many).await).then_some(reply)
    }

    /// The reply to a command, if it gets one.
    async fn answer(
        &self,
        by: Asker,
        command: Result<Command, ParseError>,
    ) -> Result<Option<Reply>, CommandError> {
        let needs = Needs::of(&command);
        if needs.authorized && !self.is_authorized(by).await? {
            // People may talk to the bot about other things anywhere.
            let told = command != Err(ParseError::UnknownWord) && self.tells(by, &self.not_authorized).await;
            if !told {
                count(parse::name(&command), "ignored");
            }
            return Ok(told.then(|| self.replies(by.form).not_authorized()));
        }
        if needs.manage_messages && !self.manages_messages_here(by).await? {
            return Ok(Some(replies::no_permission()));
        }
        match command {
            Ok(Command::Help) => Ok(self.replies(by.form).help()),
            Ok(Command::Channel(command)) => self.channel(by, command).await,
            Ok(Command::Project(command)) => self.project(by, command).await,
            Ok(Command::Replay) => self.replay(by).await,
            Ok(Command::Status(argument)) => self.status(by, argument).await,
            Ok(Command::Test) => self.test(by).await,
            Ok(Command::Rules(command)) => self.rules(by, command).await,
            Ok(Command::SlashOptions(words)) => Ok(self.replies(by.form).slash_options(words)),
            Err(ParseError::UnknownWord) => Ok(self.replies(by.form).unknown_word()),
            Err(ParseError::NotAChannel) => Ok(replies::not_a_channel()),
            Err(ParseError::NotASlug) => Ok(replies::not_a_slug()),
            Err(ParseError::Rules(mistake)) => Ok(replies::mistaken_rules(mistake)),
        }
        .map(Some)
    }

    async fn is_authorized(&self, by: Asker) -> Result<bool, StoreError> {
        Ok(self.store.channels(by.guild).await?.contains(&by.channel))
    }

    /// Whether to say this now. What only one user sees is always said.
    async fn tells(&self, by: Asker, notice: &Notice) -> bool {
        by.form == Form::Slash || notice.is_due(by.channel).await
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
        if !permissions::allows(granted, channel.kind.to_enter() | Permissions::MANAGE_MESSAGES) {
            return Ok(false);
        }
        match channel.kind {
            Kind::Thread { private: true, .. } if !granted.contains(Permissions::MANAGE_THREADS) => {
                self.facts.is_in_thread(by.guild, by.user, channel.id).await
            }
            Kind::Chat | Kind::Voice | Kind::Thread { .. } | Kind::Other => Ok(true),
        }
    }

    /// The command in a message, if it is meant for the bot. Discord is asked for the
    /// bot's own role only if the message begins with a role.
    async fn parse(&self, message: &Typed) -> Option<Result<Command, ParseError>> {
        let own_role = match parse::mentioned_role(&message.content) {
            Some(_) => self.facts.own_role(message.guild, message.bot).await.ok()?,
            None => None,
        };
        parse::parse(&message.content, &self.reply_settings.prefix, message.bot, own_role)
    }
}

#[async_trait]
impl Handler for Commands {
    fn is_command(&self, message: &Typed) -> bool {
        let Typed { content, bot, .. } = message;
        parse::mentioned_role(content).is_some()
            || parse::parse(content, &self.reply_settings.prefix, *bot, None).is_some()
    }

    async fn typed(&self, message: Typed) {
        let Some(command) = self.parse(&message).await else {
            return;
        };
        let by = Asker {
            command: message.id,
            guild: message.guild,
            channel: message.channel,
            user: message.author,
            bot: message.bot,
            form: Form::Typed,
            granted_here: None,
        };
        let reply = match self.commands.spend(by.guild, by.user) {
            true => self.carry_out(by, command).await,
            false => {
                count(parse::name(&command), "ignored");
                // People may talk to the bot about other things.
                // Where commands do nothing, there cannot be too many of them.
                let told = command != Err(ParseError::UnknownWord)
                    && !self.not_authorized.was_told(by.channel)
                    && self.tells(by, &self.too_many).await;
                told.then(replies::too_many)
            }
        };
        if let Some(reply) = reply {
            self.outbox.send(&message, reply).await;
        }
    }

    async fn invoked(&self, invocation: Invoked) {
        self.slash(invocation).await;
    }

    async fn turned_away(&self, invocation: Invoked) {
        count("turned away", "ignored");
        self.say_too_many(&invocation).await;
    }
}
