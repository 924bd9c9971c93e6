//! The embeds of a message that is in Discord already.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Change, Embed, Folded, Layout, MAX_MESSAGE_CHARS, Mentions, Style, embed, with_distinct_urls};

/// The least that an embed of an issue counts towards [`MAX_MESSAGE_CHARS`]
/// when a message is made. Later changes of the issue must find room in it.
const ROOM: usize = 500;
/// The same of an embed that also says why it is not in a rule's target. Ten fit.
const ROOM_STRANDED: usize = 600;

/// One embed of a message, and all that it takes to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exhibit {
    /// What it shows.
    pub folded: Folded,
    /// Its layout.
    #[serde(default)]
    layout: Layout,
    /// Whether it has links.
    links: bool,
    /// What it counted when it was posted.
    chars: usize,
    /// Whether it shows more than when it was posted.
    #[serde(default)]
    edited: bool,
}

impl Exhibit {
    /// As it is posted in this style, as this embed.
    pub fn new(folded: Folded, style: &Style, embed: &Embed) -> Self {
        Self { folded, layout: style.layout, links: style.links, chars: embed.chars, edited: false }
    }

    /// What it is to count towards [`MAX_MESSAGE_CHARS`] in its message.
    pub fn room(&self) -> usize {
        let is_stranded = self.folded.latest.routing.stranded.is_some();
        self.chars.max(if is_stranded { ROOM_STRANDED } else { ROOM })
    }

    /// Takes in a change of its issue; whether that makes a difference.
    pub fn add(&mut self, change: &Change) -> bool {
        if change.is_older_than(&self.folded.latest) || self.has_ended(change) {
            return false;
        }
        let news = self.folded.history.add(change);
        self.edited |= news;
        news
    }

    /// Whether this is the recovery of a later outage: a monitor keeps its id, and
    /// this message tells of an earlier one that is over.
    fn has_ended(&self, change: &Change) -> bool {
        let Folded { latest, history, .. } = &self.folded;
        change.is_recovery()
            && (history.tells_recovery() || Change::of(latest).is_some_and(|own| own.is_recovery()))
    }
}

/// The body of an Edit Message request, for a message whose embeds were each
/// made with `max_chars`. Those that nothing was added to stay as they are. The message
/// keeps its mentions, and an edit pings nobody.
pub fn edit<'a>(
    exhibits: impl Iterator<Item = &'a Exhibit> + Clone,
    style: &Style,
    max_chars: usize,
) -> Value {
    let taken: usize = exhibits.clone().map(Exhibit::room).sum();
    let spare = MAX_MESSAGE_CHARS.saturating_sub(taken) / exhibits.clone().count().max(1);
    let mentions = Mentions::of(exhibits.clone().map(|exhibit| &exhibit.folded.latest));
    let embeds: Vec<_> = exhibits
        .map(|exhibit| {
            let style = Style { layout: exhibit.layout, links: exhibit.links, ..style.clone() };
            let max_chars = if exhibit.edited { exhibit.room() + spare } else { max_chars };
            embed(&exhibit.folded, &style, max_chars)
        })
        .collect();
    let mut body = json!({ "embeds": with_distinct_urls(&embeds) });
    if let Some(content) = mentions.content() {
        // Without the latter Discord would read the former with its defaults.
        body["content"] = content.into();
        body["allowed_mentions"] = mentions.allowed();
    }
    body
}
