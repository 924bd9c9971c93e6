//! From alerts to the message that Discord shows. Pure functions.

use std::collections::BTreeSet;

use shared::{Alert, UserId};
use url::Url;

/// Alerts of one issue, mention, level and kind that share one embed.
#[derive(Debug, Clone)]
pub struct Folded {
    /// The latest of them, which the embed shows.
    pub latest: Alert,
    /// How many they are, at least 1.
    pub count: u64,
    /// When the first of them happened, in milliseconds since 1970.
    pub first_ms: i64,
    /// When the last of them happened, in milliseconds since 1970.
    pub last_ms: i64,
}

/// How embeds look beside their alert.
#[derive(Debug, Clone)]
pub struct Style {
    /// The thumbnail.
    pub glyph_url: Url,
    /// Whether links are set at all: Discord may refuse one that looks right.
    pub links: bool,
}

/// One finished embed.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// As Discord takes it.
    pub json: serde_json::Value,
    /// What it counts towards the 6,000 characters of a message.
    pub chars: usize,
    /// The link, when it is one that Discord takes in a button.
    pub link: Option<Url>,
}

/// The embed of these alerts, of at most `max_chars` characters in all (and
/// never more than Discord's own limits).
pub fn embed(folded: &Folded, style: &Style, max_chars: usize) -> Embed {
    let _ = (folded, style, max_chars);
    todo!()
}

/// The body of a Create Message request with these embeds (1 to 10, of at most
/// 6,000 characters together) that pings exactly `mentions`.
pub fn message(embeds: &[Embed], mentions: &BTreeSet<UserId>, nonce: &str) -> serde_json::Value {
    let _ = (embeds, mentions, nonce);
    todo!()
}
