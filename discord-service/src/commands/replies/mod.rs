//! Every text that the bot answers a command with, a function for each. First lines
//! are a contract with the users, and the tests hold them exactly.

mod channel;
mod fields;
mod help;
mod not_done;
mod project;
mod remedies;
mod replay;
mod rules;
mod status;
mod trust;

use serde_json::{Value, json};
use shared::{ChannelId, text::cut};
use url::Url;

pub(super) use self::{
    channel::{PurposeOfPosts, channel_missing, revoked, takes_no_messages, was_closed},
    not_done::{
        discord_unavailable, guilds_only, no_embeds, no_permission, not_a_channel, not_a_slug,
        stack_trace_gone, store_unavailable, too_many, unknown_button, unknown_slash,
    },
    project::project_revoked,
    rules::{
        KeptRules, Obstacle, RuleWarning, TargetProblem, elsewhere, mentions_everyone, mentions_nobody,
        mistaken_rules, muted, no_such_mute, no_such_rule, routes_to_its_home, rule_decides, rule_moved,
        rule_removed, target_revoked, unmuted, unmuted_before,
    },
    trust::{not_a_secret, opened, secret_removed},
};
use super::names::CommandNames;
use crate::{
    render::{self, colours, link},
    settings::Settings,
};

/// The longest text of other systems that is shown of one problem: with the fifteen
/// problems of `status` an embed keeps below Discord's 6,000 characters.
const MAX_QUOTED: usize = 120;

/// An answer, however it is sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    /// Plain text.
    Text(String),
    /// One embed, as Discord takes it.
    Embed(Value),
    /// Plain text above a button.
    WithButton(String, Button),
}

/// A button below a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Button {
    /// What a press of it brings back. It carries no authority.
    pub(super) custom_id: String,
    /// What it says.
    pub(super) label: &'static str,
}

impl Button {
    /// A row of only this button, as Discord takes it.
    /// <https://docs.discord.com/developers/components/reference>
    fn row(&self) -> Value {
        const ROW: u8 = 1;
        const BUTTON: u8 = 2;
        const SECONDARY: u8 = 2;
        let Self { custom_id, label } = self;
        let button = json!({"type": BUTTON, "style": SECONDARY, "custom_id": custom_id, "label": label});
        json!({"type": ROW, "components": [button]})
    }
}

impl Reply {
    /// Puts it into the body of a message.
    pub(super) fn write_into(&self, message: &mut Value) {
        match self {
            Self::Text(text) => message["content"] = text.as_str().into(),
            Self::Embed(embed) => message["embeds"] = json!([embed]),
            Self::WithButton(text, button) => {
                message["content"] = text.as_str().into();
                message["components"] = json!([button.row()]);
            }
        }
    }

    /// Adds to a text.
    pub(super) fn and(self, more: &str) -> Self {
        match self {
            Self::Text(text) => Self::Text(text + more),
            Self::WithButton(text, button) => Self::WithButton(text + more, button),
            embed @ Self::Embed(_) => embed,
        }
    }
}

impl From<String> for Reply {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Reply {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// What replies need of the settings.
#[derive(Debug, Clone)]
pub(super) struct ReplySettings {
    /// The word that commands begin with.
    pub(super) prefix: String,
    glyph_url: Url,
    public_url: Option<Url>,
}

impl ReplySettings {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            prefix: settings.command_prefix.clone(),
            glyph_url: settings.glyph_url.clone(),
            public_url: settings.public_url.clone(),
        }
    }
}

/// The replies to one reader. Those that depend neither on settings nor on the reader
/// are plain functions.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReplyTexts<'a> {
    pub(super) names: CommandNames<'a>,
    pub(super) settings: &'a ReplySettings,
}

impl ReplyTexts<'_> {
    /// Where Sentry is to send this channel's alerts, when that is known.
    fn webhook_url(&self, channel: ChannelId) -> Option<String> {
        let base = self.settings.public_url.as_ref()?.as_str().trim_end_matches('/');
        Some(format!("{base}/sentry-bot/channel?id={channel}"))
    }

    fn embed(&self, title: &str, fields: Vec<Value>) -> Value {
        let mut embed =
            json!({"title": format!("***{title}***"), "color": colours::DEFAULT, "fields": fields});
        // A glyph that Discord would refuse must not cost the whole reply.
        let glyph_url = &self.settings.glyph_url;
        if link::is_linkable(glyph_url) {
            embed["thumbnail"] = json!({"url": glyph_url.as_str()});
        }
        embed
    }
}

fn mention(channel: &ChannelId) -> String {
    format!("<#{channel}>")
}

/// A project's slug, or a key's id, as code. An old database may hold any text.
fn code(slug: &str) -> String {
    let kept: String =
        slug.chars().filter(|c| c.is_alphanumeric() || c.is_ascii_punctuation() && *c != '`').collect();
    format!("`{}`", cut(if kept.is_empty() { "?" } else { &kept }, 100))
}

/// Another system's words as code, harmless and not too long.
fn quoted(text: &str) -> String {
    let text = render::clean(text);
    if text.is_empty() { fields::NONE.to_owned() } else { format!("`{}`", cut(&text, MAX_QUOTED)) }
}

#[cfg(test)]
mod tests;
