//! The same commands under `/sentry`, whose answers only the one who asked sees.
//! A slash command becomes the words that would be typed, and takes their way.
//!
//! Adding one: a line in `tree`, beside what `commands` asks for.

mod answer;
mod complete;
mod register;
mod tree;

pub use self::register::register;
use super::{Asker, Commands, count, parse, replies};
use crate::gateway::{Invoked, SlashCommand, Wants};

impl Commands {
    /// Answers the use of a slash command.
    pub(super) async fn slash(&self, invoked: Invoked) {
        let Some(place) = invoked.place else {
            answer::say(&self.discord, &invoked, replies::guilds_only()).await;
            return;
        };
        let by = Asker {
            guild: place.guild,
            channel: place.channel,
            user: invoked.user,
            bot: invoked.bot,
            granted_here: Some(place.granted),
        };
        match &invoked.wants {
            Wants::Run(command) => self.run_slash(&invoked, by, command).await,
            Wants::Complete(command, option) => {
                let choices = self.complete(by, command, option).await;
                answer::offer(&self.discord, &invoked, choices).await;
            }
        }
    }

    /// The command is claimed before anything is done: of several pods that hear
    /// of it, and of one that was frozen and wakes, Discord lets one go on.
    async fn run_slash(&self, invoked: &Invoked, by: Asker, command: &SlashCommand) {
        let Some(words) = tree::words(command) else {
            count("mistaken", "answered");
            answer::say(&self.discord, invoked, replies::unknown_slash()).await;
            return;
        };
        let command = parse::command(words.into_iter());
        if !self.budget.spend(by.guild) {
            count(parse::name(&command), "ignored");
            answer::say(&self.discord, invoked, replies::too_many()).await;
            return;
        }
        if answer::claim(&self.discord, invoked).await {
            let reply = self.carry_out(by, command).await.unwrap_or_else(replies::unknown_slash);
            answer::show(&self.discord, invoked, &reply).await;
        }
    }
}
