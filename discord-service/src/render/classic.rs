//! The predecessor's layout, and what an alert has beyond its seven facts.
//!
//! | part | what |
//! |---|---|
//! | title | `***SENTRY ALERT***`, linked to the issue |
//! | description | the project's slug |
//! | `Status (UTC)`, `First message` | what became of the issue since, and where it was shown first (`history`) |
//! | `Alerts` | only where several alerts are folded: `×N` and the span of time |
//! | `Routing` | where it belongs, if that channel cannot take it (`stranded`) |
//! | `Event` | for all but events: what happened, in words (`headline`) |
//! | `Title` … `Timestamp (UTC)` | the predecessor's seven fields, always there, in its order |
//! | `Query`, `Evidence`, `Source`, `Impact` … `Release` | where the alert has them |
//! | footer | the names of the rules that fired |
//!
//! Every foreign text is in inline code. Three places are no code: the slug, where it
//! is one; a URL that we link (`link`); and the footer, which renders no markdown.

use shared::{
    Alert,
    alert::{Frame, MAX_ITEMS},
};
use url::Url;

use super::{
    Folded,
    clean::clean_outside_code,
    headline::{headline, impact},
    parts::{Field, Parts},
    size, stranded,
    text::{MAX_FIELD, Text},
    time,
};

/// The parts of the embed. A link longer than half of the room is shown as code.
pub(super) fn parts(folded: &Folded, link: Option<&Url>, max_chars: usize) -> Parts {
    let alert = &folded.latest;
    let code = |name, text: &Option<String>| Field::inline(name, Text::code(text.as_deref()));
    let mut fields = folded.history.fields(alert);
    if folded.count > 1 {
        let text = time::occurrences(folded.count, folded.first_ms, folded.last_ms);
        fields.push(Field::wide("Alerts", vec![Text::whole(text)]));
    }
    fields.extend(stranded::line(alert).map(|line| Field::wide("Routing", vec![Text::whole(line)])));
    fields.extend(headline(alert).map(|said| Field::wide("Event", vec![Text::code(Some(&said))])));
    fields.extend([
        code("Title", &alert.title),
        code("Logger", &alert.logger),
        code("Level", &alert.level),
        code("Culprit", &alert.culprit),
        code("Message", &alert.message),
    ]);
    fields.push(Field::inline("Timestamp (UTC)", timestamp(alert)));
    let rules = alert.rules.get(..MAX_ITEMS).unwrap_or(&alert.rules);
    let mut parts = Parts {
        author: None,
        title: Text::whole("***SENTRY ALERT***"),
        description: vec![Text::slug(&alert.project)],
        kept_lines: 1,
        fields,
        extras: extras(alert),
        footer: Text::footer(rules, clean_outside_code),
        timestamp_ms: None,
    };
    let room = (parts.spare(max_chars) / 2).min(MAX_FIELD);
    let url = match link {
        Some(link) if size::units(link.as_str()) <= room => Text::whole(link.as_str()),
        _ => Text::code(alert.url.as_deref()),
    };
    parts.fields.insert(parts.fields.len() - 1, Field::inline("URL", url));
    parts
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
        wide("Evidence", Text::evidence(alert, Text::evidence_line)),
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
