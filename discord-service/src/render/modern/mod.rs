//! The layout in which what happened comes first: it reads at a glance, also on a phone.
//!
//! | part | what |
//! |---|---|
//! | author | `Sentry Alert · <project>` with the glyph |
//! | title | the title, linked to the issue; for what is no error, what happened first (`title`) |
//! | description | what became of the issue; `×N` and the span of time; the causes; the message if it says more than the title; the failing line |
//! | fields | those that have a value, in inline code |
//! | footer, time | the names of the rules that fired; when it happened, by the reader's clock |
//!
//! In a message of many embeds each is compact: author, title and one line.

mod frame;
mod title;

use shared::{Alert, alert::MAX_ITEMS};
use url::Url;

use super::{
    Folded,
    clean::{clean, visible},
    escape,
    headline::{attributed, impact},
    history::{Change, MAX_WORDS},
    parts::{Field, Parts},
    size::units,
    text::{Text, code_within, is_plain_slug},
    time,
};

/// The longest author: room for any slug that a user may register.
const MAX_AUTHOR: usize = 128;
/// The longest value of a field beside others.
const MAX_INLINE: usize = 64;
/// What is shown of a message.
const MAX_MESSAGE: usize = 300;
/// What is shown of an exception that led to another one.
const MAX_CAUSE: usize = 150;
/// Exceptions shown that led to another one.
const MAX_CAUSES: usize = 3;
/// Tags shown beside the other fields.
const MAX_TAGS: usize = 3;
/// In a compact embed, of the place and of the environment.
const MAX_COMPACT: (usize, usize) = (50, 26);

/// The parts of an embed that has a message nearly for itself.
pub(super) fn parts(folded: &Folded, link: Option<&Url>) -> Parts {
    let alert = &folded.latest;
    let mut description: Vec<_> = own_words(folded).map(Text::whole).into_iter().collect();
    description.extend(history(folded));
    description.extend(pace(folded).map(|pace| Text::whole(format!("**{pace}**{}", first(folded)))));
    let kept_lines = description.len();
    description.extend(causes(alert));
    description.extend(message(alert));
    description.extend(alert.frame.as_ref().and_then(frame::block));
    let rules = alert.rules.get(..MAX_ITEMS).unwrap_or(&alert.rules);
    Parts {
        kept_lines,
        description,
        extras: fields(alert, link),
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
    let pace = pace(folded).map(|pace| format!("**{pace}**{}", first(folded)));
    let pieces = [own_words(folded), place, environment, pace];
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
    let to = details.assignee.as_deref().map(|assignee| format!("to {assignee}")).unwrap_or_default();
    let words = clean(&attributed(to, details.actor.as_deref(), details.assignee.as_deref(), how));
    // "By Jane", and "(in the next release)" where nobody is named.
    let mut rest = words.trim_start_matches([',', ' ']).chars();
    let first = rest.next()?.to_uppercase();
    Some(escape::prose_within(&first.chain(rest).collect::<String>(), MAX_WORDS))
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
    (folded.count > 1).then(|| time::pace(folded.count, folded.first_ms, folded.last_ms))
}

/// Since when they come.
fn first(folded: &Folded) -> String {
    time::ago(folded.first_ms.min(folded.last_ms)).map(|ago| format!(" · first {ago}")).unwrap_or_default()
}

/// The exceptions that led to the one in the title, the first one first.
fn causes(alert: &Alert) -> impl Iterator<Item = Text> {
    let words = std::iter::once("Caused by ").chain(std::iter::repeat("then "));
    let causes = alert.details.causes.iter().take(MAX_CAUSES);
    causes.zip(words).filter_map(|(cause, before)| Text::prose(before, cause, MAX_CAUSE))
}

/// The message, where it adds to the title.
fn message(alert: &Alert) -> Option<Text> {
    let message = alert.message.as_deref()?;
    let title = clean(alert.title.as_deref().unwrap_or_default());
    (!title.contains(&clean(message))).then(|| Text::prose("", message, MAX_MESSAGE)).flatten()
}

/// Where it happened, or else what is known of it.
fn place_of(alert: &Alert) -> Option<String> {
    let frame = || alert.frame.as_ref().map(frame::place);
    let place = alert.culprit.clone().or_else(frame).or_else(|| alert.message.clone());
    place.filter(|place| alert.title.as_ref() != Some(place))
}

fn happened_ms(alert: &Alert) -> i64 {
    match time::timestamp(alert.timestamp_ms) {
        Some(_) => alert.timestamp_ms,
        None => alert.received_ms,
    }
}

fn fields(alert: &Alert, link: Option<&Url>) -> Vec<Field> {
    let details = &alert.details;
    let inline = |name: &str, text: Option<&str>| {
        let text = Text::some_code(text?)?.at_most(MAX_INLINE);
        Some(Field::inline(name, text))
    };
    let wide = |name: &str, text: Option<&str>| Some(Field::wide(name, vec![Text::some_code(text?)?]));
    let whole = |name: &str, text: Option<String>| Some(Field::inline(name, Text::whole(text?)));

    let culprit = alert.culprit.as_deref();
    let is_long = culprit.is_some_and(|culprit| units(&clean(culprit)) > MAX_INLINE);
    let short_culprit = culprit.filter(|_| !is_long).and_then(Text::some_code);
    let tags = tags(alert).map(|(name, value)| inline(name, Some(value)));
    let evidence = Text::evidence(alert);
    let mut fields = vec![
        inline("Level", alert.level.as_deref()),
        inline("Environment", alert.environment.as_deref()),
        inline("Release", alert.release.as_deref()),
        inline("Issue", alert.short_id.as_deref()),
        short_culprit.map(|culprit| Field::inline("Culprit", culprit)),
        inline("Logger", alert.logger.as_deref()),
        whole("Impact", impact(alert)),
        whole("Since", details.since_ms.and_then(time::ago)),
    ];
    fields.extend(tags);
    fields.extend([
        wide("Culprit", culprit.filter(|_| is_long)),
        wide("Query", details.query.as_deref()),
        (!evidence.is_empty()).then(|| Field::wide("Evidence", evidence)),
        wide("URL", alert.url.as_deref().filter(|_| link.is_none())),
    ]);
    fields.into_iter().flatten().collect()
}

/// The first tags that say what nothing else in the embed says.
fn tags(alert: &Alert) -> impl Iterator<Item = (&str, &str)> {
    let said = [
        &alert.title,
        &alert.level,
        &alert.environment,
        &alert.release,
        &alert.short_id,
        &alert.culprit,
        &alert.logger,
        &alert.message,
    ];
    let said: Vec<&str> = said.into_iter().flatten().map(|text| text.trim()).collect();
    let named = |name: &str| name.len() <= MAX_INLINE && is_plain_slug(name);
    let news = move |value: &str| !clean(value).is_empty() && !said.contains(&value.trim());
    let tags = alert.tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    tags.filter(move |(name, value)| named(name) && news(value)).take(MAX_TAGS)
}
