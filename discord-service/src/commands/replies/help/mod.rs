//! `h`: all commands.

use serde_json::{Value, json};

use super::{Reply, ReplyTexts};

/// Where the help leads for everything else.
const README_URL: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "#readme");

/// A command as the help shows it.
struct HelpLine {
    /// As it is typed, without arguments.
    words: &'static str,
    /// The name of its argument and an example of that, or of several.
    argument: Option<(&'static str, &'static str)>,
    does: &'static str,
}

const fn of(words: &'static str, does: &'static str) -> HelpLine {
    HelpLine { words, argument: None, does }
}

const fn with(words: &'static str, argument: (&'static str, &'static str), does: &'static str) -> HelpLine {
    HelpLine { words, argument: Some(argument), does }
}

/// One that takes a channel.
const fn with_channel(words: &'static str, does: &'static str) -> HelpLine {
    with(words, ("channel", "#example"), does)
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
    with("project register", ("slug", "project-name-slug"), "lets alerts of your project mention you"),
    of("project", "shows your project"),
    of("project revoke", "gives your project back"),
];
/// These and [`RULES`] are shown as slash commands, with options.
const SECURITY: [HelpLine; 3] = [
    with_channel("channel secure", "accepts only URLs with a new token, or signed requests"),
    with_channel("channel secret", "stores an integration's client secret, which signs requests"),
    with_channel("channel open", "accepts all alerts of Sentry again"),
];

const RULES: [HelpLine; 7] = [
    with(
        "rule add",
        ("action", "route to:#example project:web"),
        "sends new alerts elsewhere, or drops them",
    ),
    of("rule list", "shows the rules and mutes"),
    with("rule check", ("project", "web"), "says which rule decides"),
    with("rule move", ("number", "3 position:1"), "changes the order"),
    with("rule remove", ("number", "1"), "takes a rule back"),
    with("mute", ("for", "1h project:web"), "posts no new alerts for a time"),
    with("unmute", ("number", "1"), "ends a mute"),
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
            field("Rules and mutes", &RULES, as_slash),
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
