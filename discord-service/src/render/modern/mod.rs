//! The layout in which what happened comes first: it reads at a glance, also on a phone.
//!
//! | part | what |
//! |---|---|
//! | author | `Sentry Alert · <project>` with the glyph |
//! | title | the title, linked to the issue; for what is no error, what happened first (`title`) |
//! | description | what became of the issue; `×N` and the span of time; why it is here though it belongs elsewhere (`stranded`). The causes; the message if it says more than the title; the failing line |
//! | fields | those that have a value, in inline code |
//! | footer, time | the names of the rules that fired; when it happened, by the reader's clock |
//!
//! In a message of many embeds each is compact: author, title and one line.

mod fields;
mod frame;
mod title;

use std::ops::RangeInclusive;

use shared::{Alert, alert::MAX_ITEMS};
use url::Url;

use super::{
    Folded,
    clean::{clean, visible},
    escape,
    headline::{assigned, attributed, capitalised},
    history::{Change, MAX_WORDS},
    parts::Parts,
    size::units,
    stranded,
    text::{Text, code_within},
    time,
};

/// The longest author: room for any slug that a user may register.
const MAX_AUTHOR: usize = 128;
/// What is shown of a message.
const MAX_MESSAGE: usize = 300;
/// A message that begins with a title of such a length goes on where that ends.
const REPEATED: RangeInclusive<usize> = 30..=160;
/// What is shown of an exception that led to another one.
const MAX_CAUSE: usize = 150;
/// Exceptions shown that led to another one.
const MAX_CAUSES: usize = 3;
const MINUTE_MS: u64 = 60_000;
/// In a compact embed, of the place and of the environment.
const MAX_COMPACT: (usize, usize) = (50, 26);

/// The parts of an embed that has a message nearly for itself.
pub(super) fn parts(folded: &Folded, link: Option<&Url>) -> Parts {
    let alert = &folded.latest;
    let mut description: Vec<_> = own_words(folded).map(Text::whole).into_iter().collect();
    description.extend(history(folded));
    let pace = pace(folded).into_iter().chain(first(folded)).collect::<Vec<_>>().join(" · ");
    description.extend((!pace.is_empty()).then(|| Text::whole(pace)));
    description.extend(stranded::line(alert).map(Text::whole));
    let kept_lines = description.len();
    description.extend(causes(alert));
    description.extend(message(alert));
    description.extend(alert.frame.as_ref().and_then(frame::text));
    let rules = alert.rules.get(..MAX_ITEMS).unwrap_or(&alert.rules);
    Parts {
        kept_lines,
        description,
        extras: fields::fields(alert, link),
        footer: Text::footer(rules, visible),
        timestamp_ms: Some(happened_ms(alert)),
        ..head(folded)
    }
}

/// The parts of one embed of many.
pub(super) fn compact(folded: &Folded) -> Parts {
    let alert = &folded.latest;
    let (place, environment) = MAX_COMPACT;
    let place = place_of(alert).and_then(|text| code_within(&text, place));
    let environment = alert.environment.as_deref().and_then(|text| code_within(text, environment));
    // How bad it is comes first, where no phone wraps it.
    let stranded = stranded::brief(alert);
    let pieces = [pace(folded), own_words(folded), place, environment, first(folded), stranded];
    let line = pieces.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let mut description = history(folded);
    if !line.is_empty() {
        description.push(Text::whole(line));
    }
    Parts { kept_lines: description.len(), description, ..head(folded) }
}

/// Author and title.
fn head(folded: &Folded) -> Parts {
    Parts {
        author: Some(author(&folded.latest.project)),
        title: Text::title(title::title(folded)),
        description: Vec::new(),
        kept_lines: 0,
        fields: Vec::new(),
        extras: Vec::new(),
        footer: None,
        timestamp_ms: None,
    }
}

/// Discord reads no markdown there, so nothing can be escaped: it holds a slug only.
fn author(project: &str) -> Text {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let words = project.split(|c| !allowed(c)).filter(|word| !word.is_empty());
    let slug = words.collect::<Vec<_>>().join("-");
    match project == shared::alert::UNKNOWN_PROJECT || slug.is_empty() {
        true => Text::plain("Sentry Alert", String::new(), MAX_AUTHOR),
        false => Text::plain("Sentry Alert · ", slug, MAX_AUTHOR),
    }
}

/// Who did what the title says, and how: until something else became of it.
fn own_words(folded: &Folded) -> Option<String> {
    let alert = &folded.latest;
    if folded.history.status(alert).is_some() {
        return None;
    }
    let details = &alert.details;
    let told = title::tells_how(alert);
    let how = details.how.as_deref().filter(|_| !told);
    let (actor, assignee) = (details.actor.as_deref(), details.assignee.as_deref());
    let assigned = assignee.map(|_| assigned(actor, assignee)).unwrap_or_default();
    // The title says "Assigned".
    let to = assigned.strip_prefix("assigned ").unwrap_or(&assigned).to_owned();
    // "By Jane", and "(in the next release)" where nobody is named.
    let words = capitalised(&clean(&attributed(to, actor, how)));
    (!words.is_empty()).then(|| escape::prose_within(&words, MAX_WORDS))
}

/// What became of the issue, and where it was shown first.
fn history(folded: &Folded) -> Vec<Text> {
    let news = folded.history.news(&folded.latest).map(|change| Text::whole(line(change)));
    let earlier = folded.history.earlier.as_deref();
    news.chain(earlier.map(|url| Text::whole(format!("[First message]({url})")))).collect()
}

/// Who did what, and how long ago.
fn line(change: &Change) -> String {
    let words = escape::prose_within(&change.words(), MAX_WORDS);
    match time::ago(change.at_ms) {
        Some(ago) => format!("{words} · {ago}"),
        None => words,
    }
}

/// How many, and how fast they came.
fn pace(folded: &Folded) -> Option<String> {
    let pace = || time::pace(folded.count, folded.first_ms, folded.last_ms);
    (folded.count > 1).then(|| format!("**{}**", pace()))
}

/// Since when they come, where that is longer ago than a minute before the last.
fn first(folded: &Folded) -> Option<String> {
    let is_long = folded.first_ms.abs_diff(folded.last_ms) >= MINUTE_MS;
    let ago = time::ago(folded.first_ms.min(folded.last_ms)).filter(|_| folded.count > 1 && is_long)?;
    Some(format!("first {ago}"))
}

/// The exceptions that led to the one in the title, the first one first.
fn causes(alert: &Alert) -> impl Iterator<Item = Text> {
    let words = std::iter::once("Caused by ").chain(std::iter::repeat("then "));
    let causes = alert.details.causes.iter().take(MAX_CAUSES);
    causes.zip(words).filter_map(|(cause, before)| Text::prose(before, cause, MAX_CAUSE))
}

/// The message, where it adds to the title.
fn message(alert: &Alert) -> Option<Text> {
    let (before, news) = news(alert)?;
    Text::prose(before, &news, MAX_MESSAGE)
}

/// What the message adds to the title, after a mark where the title begins it.
fn news(alert: &Alert) -> Option<(&'static str, String)> {
    let message = one_line(alert)?;
    let title = clean(alert.title.as_deref().unwrap_or_default());
    if title.contains(&message) {
        return None;
    }
    // Sentry cuts long titles.
    let cut = title.strip_suffix("...").or_else(|| title.strip_suffix('…'));
    let begun = cut.unwrap_or(&title);
    let rest = message.strip_prefix(begun).filter(|_| REPEATED.contains(&units(begun)));
    match rest {
        Some(rest) if rest.starts_with(' ') => Some(("… ", rest.to_owned())),
        Some(rest) if cut.is_some() || !rest.starts_with(char::is_alphanumeric) => {
            Some(("…", rest.to_owned()))
        }
        _ => Some(("", message)),
    }
}

/// The message. A metric's filter is left to the query.
fn one_line(alert: &Alert) -> Option<String> {
    let message = alert.message.as_deref()?;
    let Some((value, filter)) = message.split_once("\nFilter: ") else { return Some(clean(message)) };
    let is_said = alert.details.query.as_deref().is_some_and(|query| query.contains(filter.trim()));
    Some(if is_said { clean(value) } else { clean(&format!("{value} (filter: {filter})")) })
}

/// Where it happened, or else what is known of it.
fn place_of(alert: &Alert) -> Option<String> {
    let frame = || alert.frame.as_ref().map(frame::place);
    let place = alert
        .culprit
        .clone()
        .or_else(frame)
        .or_else(|| news(alert).map(|(before, news)| format!("{before}{news}")));
    place.filter(|place| alert.title.as_ref() != Some(place))
}

fn happened_ms(alert: &Alert) -> i64 {
    match time::timestamp(alert.timestamp_ms) {
        Some(_) => alert.timestamp_ms,
        None => alert.received_ms,
    }
}
