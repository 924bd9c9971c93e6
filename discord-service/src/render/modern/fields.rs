//! The fields that have a value. Each says what no other part does.

use shared::Alert;
use url::Url;

use crate::render::{
    clean::clean,
    headline::impact,
    parts::Field,
    size::units,
    text::{Text, code_within, is_plain_slug},
    time,
};

/// The longest value of a field beside others.
const MAX_INLINE: usize = 64;
/// Tags shown beside the other fields.
const MAX_TAGS: usize = 3;
/// Tags that say what a user did, before those that say where it ran.
const FIRST_TAGS: [&str; 4] = ["transaction", "browser", "os", "device"];
/// The level of these is not of their sender. The title says their state.
const WITHOUT_LEVEL: [&str; 5] = ["metric_alert.", "comment.", "seer.", "preprod_artifact.", "installation."];

/// The fields that have a value, the most welcome first.
pub(super) fn fields(alert: &Alert, link: Option<&Url>) -> Vec<Field> {
    let details = &alert.details;
    let inline = |name: &str, text: Option<&str>| {
        let text = Text::some_code(text?)?.at_most(MAX_INLINE);
        Some(Field::inline(name, text))
    };
    let wide = |name: &str, text: Option<&str>| Some(Field::wide(name, vec![Text::some_code(text?)?]));
    let whole = |name: &str, text: Option<String>| Some(Field::inline(name, Text::whole(text?)));

    let is_title = |text: &&str| alert.title.as_deref().is_some_and(|title| clean(title) == clean(text));
    let culprit = alert.culprit.as_deref().filter(|culprit| !is_title(culprit));
    let is_long = culprit.is_some_and(|culprit| units(&clean(culprit)) > MAX_INLINE);
    let short_culprit = culprit.filter(|_| !is_long).and_then(Text::some_code);
    let tags = tags(alert).into_iter().map(|(name, value)| inline(name, Some(value)));
    let evidence = Text::evidence(alert, evidence_line);
    let mut fields = vec![
        inline("Level", level(alert)),
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

fn level(alert: &Alert) -> Option<&str> {
    let has_none = WITHOUT_LEVEL.iter().any(|family| alert.kind.starts_with(family));
    alert.level.as_deref().filter(|_| !has_none)
}

/// A time is told as how long ago it was, which Discord shows outside of code only.
fn evidence_line(name: &str, value: &str) -> Option<Text> {
    match (code_within(&format!("{name}:"), MAX_INLINE), time::ago_of(value)) {
        (Some(name), Some(ago)) => Some(Text::whole(format!("{name} {ago}"))),
        _ => Text::evidence_line(name, value),
    }
}

/// The first tags that say what nothing else in the embed says.
fn tags(alert: &Alert) -> Vec<(&str, &str)> {
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
    let news = |value: &str| !clean(value).is_empty() && !said.contains(&value.trim());
    let tags = alert.tags.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut tags: Vec<_> = tags.filter(|(name, value)| named(name) && news(value)).collect();
    tags.sort_by_key(|(name, _)| {
        FIRST_TAGS.iter().position(|first| first == name).unwrap_or(FIRST_TAGS.len())
    });
    tags.truncate(MAX_TAGS);
    tags
}
