//! `h`: all commands.

use serde_json::json;

use super::{Replies, Reply};

/// Where the help leads for everything else.
pub(super) const README_URL: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "#readme");

/// What `h` lists: usage, words, example.
const COMMANDS: [(&str, &str, &str); 13] = [
    ("h", "Shows this help.", "h"),
    ("channel", "Shows the authorized channels of this guild.", "channel"),
    (
        "channel authorize #channel",
        "Lets Sentry post into a channel. Short: `authorize`.",
        "channel authorize #example",
    ),
    ("channel revoke #channel", "Takes that back. Short: `revoke`.", "channel revoke #example"),
    (
        "/sentry channel secure #channel",
        "From now on the channel takes only URLs with its new token, or signed requests.",
        "/sentry channel secure channel:#example",
    ),
    (
        "/sentry channel open #channel",
        "Takes that back: the channel takes all alerts of Sentry again.",
        "/sentry channel open channel:#example",
    ),
    (
        "/sentry channel secret #channel",
        "Keeps the client secret of an internal integration, so that its requests are verified.",
        "/sentry channel secret channel:#example",
    ),
    ("project", "Shows your project.", "project"),
    (
        "project register slug",
        "Makes a project yours, so that its alerts can mention you.",
        "project register project-name-slug",
    ),
    ("project revoke", "Gives your project back.", "project revoke"),
    ("replay", "Posts once more what could not be posted in this channel.", "replay"),
    (
        "status",
        "Shows what this channel received, and why alerts did not arrive. Of another channel: `status #channel`.",
        "status",
    ),
    ("test", "Sends a sample alert into this channel and says how long it took.", "test"),
];

impl Replies {
    /// `h`: each command with an example.
    pub(in crate::commands) fn help(&self) -> Reply {
        // What concerns secrets has no other form than its slash command.
        let whole = |command: &str| match command.starts_with('/') {
            true => command.to_owned(),
            false => format!("{} {command}", self.prefix),
        };
        let field = |(command, words, example): &(&str, &str, &str)| json!({"name": whole(command), "value": format!("{words}\nExample: `{}`", whole(example))});
        let fields = COMMANDS.iter().map(field).collect();
        let mut embed = self.embed("SENTRY HELP", fields);
        embed["description"] = format!(
            "Posts alerts of Sentry into authorized channels. How to set it up: [README]({README_URL})"
        )
        .into();
        Reply::Embed(embed)
    }
}
