//! From alerts to the message that Discord shows. Pure functions.
//!
//! # How an embed is laid out
//!
//! [`Layout`] names the layouts, and each has a module: `classic` and `modern`. A
//! layout chooses the parts of an embed (`parts`) and how each text is shown (`text`).
//! All else is shared: texts made harmless (`clean`, `escape`), links, colours, sizes,
//! what became of the issue (`history`), edits.
//!
//! # How it is cut
//!
//! An embed may count `max_chars` in all. Names, times, counts and links are
//! never cut. The texts share the rest, so that the longest is cut first and
//! short ones stay (`size::fair_share`). Where a share would be too short to
//! read, the footer goes, then the extra fields, the last first, then extra
//! lines of the description. A cut text ends in `…` inside its code.

mod buttons;
mod classic;
mod clean;
pub(crate) mod colours;
mod edit;
mod escape;
mod headline;
mod history;
mod json;
pub(crate) mod link;
mod mentions;
mod modern;
mod parts;
mod size;
mod stranded;
mod text;
mod time;

use std::collections::BTreeSet;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serenity::builder::{CreateEmbed, CreateEmbedAuthor, CreateEmbedFooter};
use shared::{Alert, alert::Sender};
use url::Url;

pub use buttons::{STACK_TRACE, offers_stack_trace};
pub(crate) use clean::clean;
pub use edit::{Exhibit, edit};
pub use history::{Change, History};
pub use mentions::Mentions;

use json::to_json;
use parts::Parts;
pub(crate) use size::{cut, units};
pub(crate) use time::utc;

/// The most that Discord counts over all embeds of a message.
pub const MAX_MESSAGE_CHARS: usize = 6_000;
/// An embed's contract alone (names, times, counts) takes over half of this; a
/// smaller limit is not obeyed.
pub const MIN_EMBED_CHARS: usize = 400;

/// With more embeds than this in a message each is compact.
const MAX_ROOMY: usize = 3;

/// Alerts of one issue, mention, level and kind that share one embed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Folded {
    /// The latest of them, which the embed shows.
    pub latest: Alert,
    /// How many they are, at least 1.
    pub count: u64,
    /// When the first of them happened, in milliseconds since 1970.
    pub first_ms: i64,
    /// When the last of them happened, in milliseconds since 1970.
    pub last_ms: i64,
    /// What is known of the issue beside them.
    #[serde(default)]
    pub history: History,
}

/// How an alert is laid out in its embed. A message keeps its layout through all edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// What happened comes first.
    Modern,
    /// The predecessor's, and that of messages from before there was another.
    #[default]
    Classic,
    /// The modern one in a message of many embeds.
    #[value(skip)]
    Compact,
}

impl Layout {
    /// The layout for each of so many embeds in a message.
    pub fn among(self, embeds: usize) -> Self {
        match self {
            Self::Modern if embeds > MAX_ROOMY => Self::Compact,
            layout => layout,
        }
    }

    fn parts(self, folded: &Folded, link: Option<&Url>, max_chars: usize) -> Parts {
        match self {
            Self::Classic => classic::parts(folded, link, max_chars),
            Self::Modern => modern::parts(folded, link),
            Self::Compact => modern::compact(folded),
        }
    }
}

/// How embeds look beside their alert.
#[derive(Debug, Clone)]
pub struct Style {
    /// The layout of each embed.
    pub layout: Layout,
    /// The small picture.
    pub glyph_url: Url,
    /// Whether links are set at all: Discord may refuse one that looks right.
    pub links: bool,
}

/// One finished embed.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// As Discord takes it.
    pub json: Value,
    /// What it counts towards [`MAX_MESSAGE_CHARS`], in UTF-16 code units: never
    /// less than Discord counts.
    pub chars: usize,
    /// The link, when it is one that Discord takes in a button.
    pub link: Option<Url>,
    /// What the button says.
    pub label: &'static str,
    /// Whether a message of it alone has a button that shows the stack trace.
    pub stack_trace: bool,
}

/// The embed of these alerts, of at most `max_chars` characters in all, which
/// are [`MIN_EMBED_CHARS`] to [`MAX_MESSAGE_CHARS`]. Discord's own limits hold
/// for any alert, whatever its texts.
pub fn embed(folded: &Folded, style: &Style, max_chars: usize) -> Embed {
    let max_chars = max_chars.clamp(MIN_EMBED_CHARS, MAX_MESSAGE_CHARS);
    let alert = &folded.latest;
    let link = alert.url.as_deref().filter(|_| style.links).and_then(link::link);
    let parts = style.layout.parts(folded, link.as_ref(), max_chars);
    let timestamp = parts.timestamp_ms.and_then(time::timestamp);
    let cut = parts.cut(max_chars);
    let chars = cut.chars();

    let mut embed = CreateEmbed::new().title(cut.title).colour(colours::of(folded)).fields(cut.fields);
    if !cut.description.is_empty() {
        embed = embed.description(cut.description);
    }
    if let Some(footer) = cut.footer {
        embed = embed.footer(CreateEmbedFooter::new(footer));
    }
    if let Some(timestamp) = timestamp {
        embed = embed.timestamp(timestamp);
    }
    if let Some(link) = &link {
        embed = embed.url(link.as_str());
    }
    // A glyph that Discord would refuse must not cost every alert a second try.
    let glyph = (style.links && link::is_linkable(&style.glyph_url)).then(|| style.glyph_url.as_str());
    embed = match (cut.author.map(CreateEmbedAuthor::new), glyph) {
        (Some(author), Some(glyph)) => embed.author(author.icon_url(glyph)),
        (Some(author), None) => embed.author(author),
        (None, Some(glyph)) => embed.thumbnail(glyph),
        (None, None) => embed,
    };
    let label = match alert.sender {
        Sender::Sentry if alert.kind.starts_with("seer.pr_") => "Open pull request",
        Sender::Sentry => "Open in Sentry",
        Sender::GlitchTip => "Open in GlitchTip",
        Sender::Bugsink => "Open in Bugsink",
        Sender::Other => "Open issue",
    };
    let link = link.filter(link::fits_button);
    Embed { json: to_json(&embed), chars, link, label, stack_trace: offers_stack_trace(alert) }
}

/// The body of a Create Message request with these embeds (1 to 10, of at most
/// [`MAX_MESSAGE_CHARS`] together) that pings exactly `mentions`.
pub fn message(embeds: &[Embed], mentions: &Mentions, nonce: &str) -> Value {
    // Written out, since serenity's builder adds an empty `roles`.
    let mut body = json!({
        "nonce": nonce,
        "enforce_nonce": true,
        "allowed_mentions": mentions.allowed(),
        "embeds": with_distinct_urls(embeds),
    });
    if let Some(content) = mentions.content() {
        body["content"] = content.into();
    }
    if let Some(buttons) = buttons::of(embeds) {
        body["components"] = buttons;
    }
    body
}

/// Discord's clients take embeds of one message that share a URL for pictures
/// of one gallery and show only the first (discord-api-docs issue 1418). Two of
/// one issue differ in level or mention: the later ones get a fragment.
fn with_distinct_urls(embeds: &[Embed]) -> Vec<Value> {
    let mut taken = BTreeSet::new();
    let mut jsons: Vec<_> = embeds.iter().map(|embed| embed.json.clone()).collect();
    for json in &mut jsons {
        let Some(mut url) = json.get("url").and_then(Value::as_str).and_then(|url| Url::parse(url).ok())
        else {
            continue;
        };
        let mut number = 1;
        while !taken.insert(url.clone()) {
            number += 1;
            url.set_fragment(Some(&number.to_string()));
        }
        json["url"] = url.as_str().into();
    }
    jsons
}

#[cfg(test)]
mod tests;
