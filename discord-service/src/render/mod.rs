//! From alerts to the message that Discord shows. Pure functions.
//!
//! # How an embed is laid out
//!
//! | part | what |
//! |---|---|
//! | title | `***SENTRY ALERT***`, linked to the issue |
//! | description | the project's slug |
//! | `Status (UTC)`, `First message` | what became of the issue since, and where it was shown first (`history`) |
//! | `Alerts` | only where several alerts are folded: `×N` and the span of time |
//! | `Event` | for all but events: what happened, in words (`headline`) |
//! | `Title` … `Timestamp (UTC)` | the predecessor's seven fields, always there, in its order |
//! | `Query`, `Evidence`, `Source`, `Impact` … `Release` | where the alert has them |
//! | footer | the names of the rules that fired |
//!
//! Every foreign text is in inline code and is made harmless first (`clean`).
//! Three places are not code. They are the slug, if it is one; a URL, if we
//! link it (`link`); and the footer, which renders no markdown.
//!
//! # How it is cut
//!
//! An embed may count `max_chars` in all. Names, times, counts and links are
//! never cut. The texts share the rest, so that the longest is cut first and
//! short ones stay (`size::fair_share`). Where a share would be too short to
//! read, the footer goes, then the fields after the seven, the last first. A
//! cut text ends in `…` inside its code span. A link is never cut: one longer
//! than half of what remains is shown as code, and the title links.

mod buttons;
mod clean;
pub(crate) mod colours;
mod edit;
mod headline;
mod history;
mod json;
mod layout;
pub(crate) mod link;
mod size;
mod time;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use serenity::builder::{CreateEmbed, CreateEmbedFooter};
use shared::{
    Alert, UserId,
    alert::{Frame, MAX_ITEMS},
};
use url::Url;

pub use buttons::{STACK_TRACE, offers_stack_trace};
pub(crate) use clean::clean;
pub use edit::{Exhibit, edit};
pub use history::{Change, History};

use headline::{headline, impact};
use json::to_json;
use layout::{Field, Layout, MAX_FIELD, Text};
pub(crate) use size::{cut, units};
pub(crate) use time::utc;

/// The most that Discord counts over all embeds of a message.
pub const MAX_MESSAGE_CHARS: usize = 6_000;
/// An embed's contract alone (names, times, counts) takes over half of this; a
/// smaller limit is not obeyed.
pub const MIN_EMBED_CHARS: usize = 300;

/// Lines of evidence shown at most.
const MAX_LINES: usize = 3;

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
    let cut = layout(folded, link.as_ref(), max_chars).cut(max_chars);
    let chars = cut.chars();

    let mut embed = CreateEmbed::new()
        .title(cut.title)
        .description(cut.description)
        .colour(colours::of(folded))
        .fields(cut.fields);
    if let Some(footer) = cut.footer {
        embed = embed.footer(CreateEmbedFooter::new(footer));
    }
    if let Some(link) = &link {
        embed = embed.url(link.as_str());
    }
    // A glyph that Discord would refuse must not cost every alert a second try.
    if style.links && link::is_linkable(&style.glyph_url) {
        embed = embed.thumbnail(style.glyph_url.as_str());
    }
    let label = if alert.kind.starts_with("seer.pr_") { "Open pull request" } else { "Open in Sentry" };
    let link = link.filter(link::fits_button);
    Embed { json: to_json(&embed), chars, link, label, stack_trace: offers_stack_trace(alert) }
}

/// The body of a Create Message request with these embeds (1 to 10, of at most
/// [`MAX_MESSAGE_CHARS`] together) that pings exactly `mentions`.
pub fn message(embeds: &[Embed], mentions: &BTreeSet<UserId>, nonce: &str) -> Value {
    let users: Vec<_> = mentions.iter().map(UserId::to_string).collect();
    // Written out, since serenity's builder adds an empty `roles`.
    let mut body = json!({
        "nonce": nonce,
        "enforce_nonce": true,
        "allowed_mentions": { "parse": [], "users": users },
        "embeds": with_distinct_urls(embeds),
    });
    if !users.is_empty() {
        let pings: Vec<_> = users.iter().map(|user| format!("<@{user}>")).collect();
        body["content"] = pings.join(" ").into();
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

fn layout(folded: &Folded, link: Option<&Url>, max_chars: usize) -> Layout {
    let alert = &folded.latest;
    let code = |name, text: &Option<String>| Field::inline(name, Text::code(text.as_deref()));
    let mut fields = folded.history.fields(alert);
    if folded.count > 1 {
        let text = time::occurrences(folded.count, folded.first_ms, folded.last_ms);
        fields.push(Field::wide("Alerts", vec![Text::whole(text)]));
    }
    fields.extend(headline(alert).map(|said| Field::wide("Event", vec![Text::code(Some(&said))])));
    fields.extend([
        code("Title", &alert.title),
        code("Logger", &alert.logger),
        code("Level", &alert.level),
        code("Culprit", &alert.culprit),
        code("Message", &alert.message),
    ]);
    fields.push(Field::inline("Timestamp (UTC)", timestamp(alert)));
    let mut layout = Layout {
        title: "***SENTRY ALERT***",
        description: Text::slug(&alert.project),
        fields,
        extras: extras(alert),
        footer: Text::footer(alert.rules.get(..MAX_ITEMS).unwrap_or(&alert.rules)),
    };
    let room = (layout.spare(max_chars) / 2).min(MAX_FIELD);
    let url = match link {
        Some(link) if size::units(link.as_str()) <= room => Text::whole(link.as_str()),
        _ => Text::code(alert.url.as_deref()),
    };
    layout.fields.insert(layout.fields.len() - 1, Field::inline("URL", url));
    layout
}

fn timestamp(alert: &Alert) -> Text {
    match time::utc(alert.timestamp_ms).or_else(|| time::utc(alert.received_ms)) {
        Some(time) => Text::whole(format!("`{time}`")),
        None => Text::code(None),
    }
}

fn extras(alert: &Alert) -> Vec<Field> {
    let details = &alert.details;
    let inline =
        |name, text: Option<&str>| text.and_then(Text::some_code).map(|text| Field::inline(name, text));
    let wide = |name, texts: Vec<_>| (!texts.is_empty()).then(|| Field::wide(name, texts));
    let short_id = inline("Issue", alert.short_id.as_deref());
    if alert.kind == "issue.assigned" {
        // News for few, about an issue that was shown before.
        return short_id.into_iter().collect();
    }
    let since = details.since_ms.and_then(time::utc);
    [
        wide("Query", details.query.as_deref().and_then(Text::some_code).into_iter().collect()),
        wide("Evidence", evidence(alert)),
        alert.frame.as_ref().and_then(source).and_then(|texts| wide("Source", texts)),
        inline("Impact", impact(alert).as_deref()),
        inline("Since (UTC)", since.as_deref()),
        inline("Priority", details.priority.as_deref()),
        inline("Category", details.category.as_deref()),
        short_id,
        inline("Environment", alert.environment.as_deref()),
        inline("Release", alert.release.as_deref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What explains the issue, one a line.
fn evidence(alert: &Alert) -> Vec<Text> {
    let lines = alert.details.evidence.iter().take(MAX_LINES);
    lines.filter_map(|(name, value)| Text::one_of(&format!("{name}: {value}"), MAX_LINES)).collect()
}

/// Where it failed, and the line itself where it is known.
fn source(frame: &Frame) -> Option<Vec<Text>> {
    let mut place = frame.file.clone();
    if let Some(line) = frame.line {
        place.push_str(&format!(":{line}"));
    }
    if let Some(function) = &frame.function {
        place.push_str(&format!(" in {function}"));
    }
    let line = frame.source.as_deref().and_then(Text::line);
    let texts: Vec<_> = Text::place(&place).into_iter().chain(line).collect();
    (!texts.is_empty()).then_some(texts)
}

#[cfg(test)]
mod tests;
