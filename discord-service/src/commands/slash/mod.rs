//! The same commands under `/sentry`. Only their user sees the answers. A slash command
//! becomes the words that one would type, and then goes the same way.
//!
//! To add one: a line in `tree`, beside what `commands` asks for.

mod answer;
mod complete;
mod modal;
mod press;
mod register;
mod tree;

use std::time::Duration;

use tokio::time::timeout;

pub(super) use self::complete::Threads;
pub use self::register::register;
#[cfg(test)]
pub(super) use self::tree::paths;
use super::{
    Asker, Commands, Form, count,
    parse::{self, ChannelCommand, Command},
    replies, settle,
    trust::SECURE,
};
use crate::{
    gateway::{FilledIn, Invoked, SlashCommand, Wants},
    guilds::ChannelArgument,
};

/// For what is looked up before the first answer: Discord waits three seconds for it,
/// and then shows an error.
const LOOKED_UP: Duration = Duration::from_secs(2);
/// The name of the command with the modal in metrics and logs.
const SECRET: &str = "channel secret";

impl Commands {
    /// Answers the use of a slash command.
    pub(super) async fn slash(&self, invoked: Invoked) {
        let Some(place) = invoked.place else {
            answer::say(&self.discord, &invoked, replies::guilds_only()).await;
            return;
        };
        let by = Asker {
            command: invoked.id,
            guild: place.guild,
            channel: place.channel,
            user: invoked.user,
            bot: invoked.bot,
            form: Form::Slash,
            granted_here: Some(place.granted),
        };
        match &invoked.wants {
            Wants::Run(command) => self.run_slash(&invoked, by, command).await,
            Wants::Complete(command, option) => {
                let choices = match self.completions.spend(by.guild, by.user) {
                    true => self.complete(by, command, option).await,
                    false => Vec::new(),
                };
                answer::offer(&self.discord, &invoked, choices).await;
            }
            Wants::Press(press) => self.press(&invoked, by, press).await,
            Wants::Submit(form) => self.take_secret(&invoked, by, form).await,
        }
    }

    /// The command is claimed before anything is done. Several pods may hear of
    /// it, or one that was frozen and wakes. Discord lets only one go on.
    async fn run_slash(&self, invoked: &Invoked, by: Asker, command: &SlashCommand) {
        let Some(words) = tree::words(command) else {
            count("mistaken", "answered");
            answer::say(&self.discord, invoked, replies::unknown_slash()).await;
            return;
        };
        // Options of rules and mutes are named. All others are words in their order.
        let path: Vec<&str> = command.path.iter().skip(1).map(String::as_str).collect();
        let command = parse::named(&path, &command.arguments)
            .unwrap_or_else(|| parse::command(words.into_iter(), Form::Slash));
        if !self.commands.spend(by.guild, by.user) {
            count(parse::name(&command), "ignored");
            return self.say_too_many(invoked).await;
        }
        if let Ok(Command::Channel(ChannelCommand::AddSecret(argument))) = &command {
            return self.ask_for_secret(invoked, by, argument).await;
        }
        if !answer::claim(&self.discord, invoked).await {
            return;
        }
        if let Ok(Command::Channel(ChannelCommand::Secure(argument))) = &command {
            return self.show_securing(invoked, by, argument).await;
        }
        let reply = self.carry_out(by, command).await.unwrap_or_else(replies::unknown_slash);
        answer::show(&self.discord, invoked, &reply).await;
    }

    /// Says that the command is not carried out: too many of them come.
    pub(super) async fn say_too_many(&self, invoked: &Invoked) {
        answer::say(&self.discord, invoked, replies::too_many()).await;
    }

    /// Hands out a new token. Only after Discord has shown it, the channel demands it.
    /// Wherever this ends early, the user has not seen the token, or has read that it may
    /// not be in force.
    async fn show_securing(&self, invoked: &Invoked, by: Asker, argument: &ChannelArgument) {
        let securing = match self.prepare_to_secure(by, argument).await {
            Ok(Ok(securing)) => Ok(securing),
            Ok(Err(refusal)) => Err(settle(by, SECURE, Ok(refusal))),
            Err(failure) => Err(settle(by, SECURE, Err(failure))),
        };
        let securing = match securing {
            Ok(securing) => securing,
            Err(reply) => {
                answer::show(&self.discord, invoked, &reply).await;
                return;
            }
        };
        if !answer::show(&self.discord, invoked, &self.hand_out(by, &securing)).await {
            count(SECURE, "undelivered");
            return;
        }
        let reply = self.secure(by, &securing).await;
        answer::show(&self.discord, invoked, &reply).await;
    }

    /// Shows the modal that takes a client secret. The modal is a first answer, so
    /// nothing is claimed before, and this only looks.
    async fn ask_for_secret(&self, invoked: &Invoked, by: Asker, argument: &ChannelArgument) {
        let refusal = match timeout(LOOKED_UP, self.takes_secret(by, argument)).await {
            Ok(Ok(Ok(channel))) => return answer::ask(&self.discord, invoked, modal::ask(&channel)).await,
            Ok(Ok(Err(refusal))) => settle(by, SECRET, Ok(refusal)),
            Ok(Err(failure)) => settle(by, SECRET, Err(failure)),
            Err(_) => replies::discord_unavailable(),
        };
        answer::say(&self.discord, invoked, refusal).await;
    }

    /// Takes what was typed into that modal.
    async fn take_secret(&self, invoked: &Invoked, by: Asker, form: &FilledIn) {
        let Some((channel, secret)) = modal::read(form) else {
            return answer::say(&self.discord, invoked, replies::unknown_slash()).await;
        };
        if !self.commands.spend(by.guild, by.user) {
            count(SECRET, "ignored");
            return self.say_too_many(invoked).await;
        }
        if answer::claim(&self.discord, invoked).await {
            let reply = settle(by, SECRET, self.add_secret(by, channel, secret).await);
            answer::show(&self.discord, invoked, &reply).await;
        }
    }
}
