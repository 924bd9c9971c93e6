//! `h`: all commands.

use serde_json::{Value, json};

use super::{Reply, ReplyTexts};

/// Where the help leads for everything else.
const README_URL: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "#readme");

/// A command as the help shows it.
struct HelpLine {
    /// As it is typed, without arguments.
    words: &'static str,
    /// The name of its argument and an example of that.
    argument: Option<(&'static str, &'static str)>,
    does: &'static str,
}

const fn of(words: &'static str, does: &'static str) -> HelpLine {
    HelpLine { words, argument: None, does }
}

/// One that takes a channel.
const fn with_channel(words: &'static str, does: &'static str) -> HelpLine {
    HelpLine { words, argument: Some(("channel", "#example")), does }
}

const SET_UP: [HelpLine; 4] = [
    with_channel("channel authorize", "lets Sentry post there, or here if you name no channel"),
    with_channel("channel revoke", "takes that back"),
    of("channel", "shows the authorized channels"),
    of("test", "sends a sample alert to this channel"),
];
const TROUBLE: [HelpLine; 3] = [
    of("status", "shows what arrived in this channel, and why the rest did not"),
    with_channel("status", "the same for another channel"),
    of("replay", "posts again what could not be posted here"),
];
const MENTIONS: [HelpLine; 3] = [
    HelpLine {
        words: "project register",
        argument: Some(("slug", "project-name-slug")),
        does: "lets alerts of your project mention you",
    },
    of("project", "shows your project"),
    of("project revoke", "gives your project back"),
];
/// These exist only as slash commands.
const SECURITY: [HelpLine; 3] = [
    with_channel("channel secure", "accepts only URLs with a new token, or signed requests"),
    with_channel("channel secret", "stores an integration's client secret, which signs requests"),
    with_channel("channel open", "accepts all alerts of Sentry again"),
];

impl ReplyTexts<'_> {
    /// `h`: each command with an example.
    pub(in crate::commands) fn help(&self) -> Reply {
        let in_form = |entry: &HelpLine| match entry.argument {
            Some((option, example)) => self.names.example(entry.words, option, example),
            None => self.names.of(entry.words),
        };
        let as_slash = |entry: &HelpLine| match entry.argument {
            Some((option, example)) => self.names.slash_example(entry.words, option, example),
            None => self.names.slash(entry.words),
        };
        let fields = vec![
            field("Set up", &SET_UP, in_form),
            field("When an alert is missing", &TROUBLE, in_form),
            field("Mentions", &MENTIONS, in_form),
            field("Security", &SECURITY, as_slash),
        ];
        let mut embed = self.embed("SENTRY HELP", fields);
        embed["description"] = format!(
            "I post alerts of Sentry into authorized channels.\n\
             Step by step: [README]({README_URL})\n\
             {}: this help",
            self.names.of("h")
        )
        .into();
        Reply::Embed(embed)
    }
}

fn field(name: &str, entries: &[HelpLine], example: impl Fn(&HelpLine) -> String) -> Value {
    let lines: Vec<_> = entries.iter().map(|entry| format!("- {}: {}", example(entry), entry.does)).collect();
    json!({"name": name, "value": lines.join("\n")})
}

#[cfg(test)]
mod tests;
