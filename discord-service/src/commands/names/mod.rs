//! How replies name commands: in the form in which the reader gives them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::parse::Form;

/// The id under which Discord keeps `/sentry`, once this process has registered it
/// or found it registered. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct SlashId(Arc<AtomicU64>);

impl SlashId {
    /// What Discord said it is.
    pub(super) fn learn(&self, id: u64) {
        self.0.store(id, Ordering::Relaxed);
    }

    /// `None` until it is known: zero is no id of Discord's.
    pub(super) fn get(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|id| *id != 0)
    }
}

/// Names commands for one reader.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommandNames<'a> {
    /// The form in which the reader gave a command.
    pub(super) form: Form,
    /// The word that typed commands begin with.
    pub(super) prefix: &'a str,
    /// The id of `/sentry`, if it is known.
    pub(super) slash_id: Option<u64>,
}

impl CommandNames<'_> {
    /// A command by its typed words, such as `channel authorize`.
    pub(super) fn of(&self, words: &str) -> String {
        match self.form {
            Form::Typed => format!("`{} {words}`", self.prefix),
            Form::Slash => self.slash(slash_words(words)),
        }
    }

    /// The same with an example of its argument; `option` is the argument's name
    /// in the slash command.
    pub(super) fn example(&self, words: &str, option: &str, argument: &str) -> String {
        match self.form {
            Form::Typed => self.of(&format!("{words} {argument}")),
            Form::Slash => self.slash_example(words, option, argument),
        }
    }

    /// A command that exists only under `/sentry`. A reader can click it:
    /// <https://docs.discord.com/developers/reference#message-formatting>
    pub(super) fn slash(&self, words: &str) -> String {
        match self.slash_id {
            Some(id) => format!("</sentry {words}:{id}>"),
            None => format!("`/sentry {words}`"),
        }
    }

    /// The same with an example of its argument.
    pub(super) fn slash_example(&self, words: &str, option: &str, argument: &str) -> String {
        match self.slash_id {
            Some(_) => format!("{} `{option}:{argument}`", self.slash(words)),
            None => self.slash(&format!("{words} {option}:{argument}")),
        }
    }
}

/// The words of the slash command. Those that have subcommands cannot be used alone.
fn slash_words(words: &str) -> &str {
    match words {
        "h" => "help",
        "channel" => "channel show",
        "project" => "project show",
        same => same,
    }
}

#[cfg(test)]
mod tests;
