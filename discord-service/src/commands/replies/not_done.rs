//! Why a command was not carried out.

use super::{Reply, ReplyTexts};
use crate::commands::parse::SlashOnly;

impl ReplyTexts<'_> {
    /// To a command that works only in authorized channels.
    pub(in crate::commands) fn not_authorized(&self) -> Reply {
        let authorize = self.names.of("channel authorize");
        format!("This channel is not authorized. Use {authorize} to authorize channels.").into()
    }

    /// To a word that the bot does not know.
    pub(in crate::commands) fn unknown_word(&self) -> Reply {
        format!("Unknown command. Use {} to see all commands.", self.names.of("h")).into()
    }

    /// To a typed command whose reply nobody else must see. The second line can be
    /// clicked.
    pub(in crate::commands) fn slash_only(&self, command: SlashOnly) -> Reply {
        let (first, words) = match command {
            SlashOnly::Secure => {
                ("Use `/sentry channel secure` so that the token stays private", "channel secure")
            }
            // The contract gives both the same first line.
            SlashOnly::Open => {
                ("Use `/sentry channel secure` so that the token stays private", "channel open")
            }
            SlashOnly::Secret => {
                ("Use `/sentry channel secret` so that the secret stays private", "channel secret")
            }
        };
        let click = self.names.slash(words);
        match (command, self.names.slash_id) {
            (SlashOnly::Open, _) => format!("{first}\n{click} takes that back."),
            (_, Some(_)) => format!("{first}\n{click}"),
            (_, None) => first.to_owned(),
        }
        .into()
    }

    /// To a typed command that exists only under `/sentry`, because of its options. The
    /// second line can be clicked.
    pub(in crate::commands) fn slash_options(&self, words: &str) -> Reply {
        let first = format!("Use `/sentry {words}`, which offers what you can choose");
        match self.names.slash_id {
            Some(_) => format!("{first}\n{}", self.names.slash(words)),
            None => first,
        }
        .into()
    }
}

/// To a user without Manage Messages, here or in the named channel.
pub(in crate::commands) fn no_permission() -> Reply {
    "You have no sufficient permission in this guild to use this command. Please contact guild administrator."
        .into()
}

/// To an argument that is no channel at all.
pub(in crate::commands) fn not_a_channel() -> Reply {
    "Please input the correct channel format, e.g. `#example`".into()
}

/// To an argument that is no slug.
pub(in crate::commands) fn not_a_slug() -> Reply {
    "Please input the correct project slug, e.g. `project-name-slug`".into()
}

/// To a slash command in a private message.
pub(in crate::commands) fn guilds_only() -> Reply {
    "Please use this command in a channel of a server.".into()
}

/// To a slash command that another version of the bot has registered.
pub(in crate::commands) fn unknown_slash() -> Reply {
    "I do not know this command, or no longer. Please reload Discord and try again.".into()
}

/// To a button that this build does not know.
pub(in crate::commands) fn unknown_button() -> Reply {
    "I do not know this button, or no longer. Please open the issue in Sentry.".into()
}

/// To a person who wants to see a stack trace after three days.
pub(in crate::commands) fn stack_trace_gone() -> Reply {
    "The stack trace is no longer kept: open the issue in Sentry".into()
}

/// Where a member or a guild uses too many commands.
pub(in crate::commands) fn too_many() -> Reply {
    "Too many commands at once. Please try again in a minute.".into()
}

/// While the store cannot be asked.
pub(in crate::commands) fn store_unavailable() -> Reply {
    "The store is unavailable. Please try again in a minute.".into()
}

/// While Discord does not answer the bot's own questions.
pub(in crate::commands) fn discord_unavailable() -> Reply {
    "Discord does not answer my questions at the moment. Please try again in a minute.".into()
}

/// Where an embed is refused.
pub(in crate::commands) fn no_embeds() -> Reply {
    "I need the permission Embed Links in this channel to answer.".into()
}
