//! What happened, if an event is no error. A modern webhook says it in its
//! occurrence. A legacy one does not, but the event's contexts and spans show it.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use serde_json::Value;
use shared::Alert;

use super::{
    fields::{items, label, text},
    prune::{KEPT_ITEMS, SCALAR, Wanted},
};

/// The context of a cron monitor.
pub(super) const MONITOR: &Wanted = &Wanted::object(&[
    ("slug", SCALAR),
    ("status", SCALAR),
    ("config", &Wanted::object(&[("schedule", &Wanted::list(SCALAR)), ("timezone", SCALAR)])),
]);
/// What an event of a performance problem did.
pub(super) const SPANS: &Wanted = &Wanted::list(&Wanted::object(&[("op", SCALAR), ("description", SCALAR)]));

/// This many equal spans are a problem. Sentry counts the same for an N+1 query.
const REPEATED: usize = 5;

/// What explains this alert about the event, by its category.
pub(super) fn evidence(event: &Value, alert: &Alert) -> Vec<(String, String)> {
    let found = match alert.details.category.as_deref() {
        Some("cron") => monitor(event, alert.title.as_deref().unwrap_or_default()),
        Some("performance") => vec![
            ("Operation", text(event, &["contexts", "trace", "op"]).map(str::to_owned)),
            ("Repeating Spans", repeating(event)),
        ],
        _ => Vec::new(),
    };
    found.into_iter().filter_map(|(name, value)| Some((name.to_owned(), label(&value?)?))).collect()
}

fn monitor(event: &Value, title: &str) -> Vec<(&'static str, Option<String>)> {
    let said = |path: &[&str]| text(event, &[&["contexts", "monitor"], path].concat());
    let slug = said(&["slug"]).filter(|slug| !title.contains(slug));
    vec![
        ("Monitor", slug.map(str::to_owned)),
        ("Status", said(&["status"]).map(|status| status.replace('_', " "))),
        ("Schedule", schedule(event)),
    ]
}

/// A crontab with its time zone, or an interval, which is sent as `[2, "hour"]`.
fn schedule(event: &Value) -> Option<String> {
    let config = event.pointer("/contexts/monitor/config")?;
    match config.get("schedule")? {
        Value::String(crontab) => {
            let zone = text(config, &["timezone"]).map(|zone| format!(" ({zone})"));
            Some(format!("{crontab}{}", zone.unwrap_or_default()))
        }
        interval => match interval.as_array()?.as_slice() {
            [number, unit] => {
                let (number, unit) = (number.as_u64()?, unit.as_str()?);
                Some(format!("every {number} {unit}{}", if number == 1 { "" } else { "s" }))
            }
            _ => None,
        },
    }
}

/// The span that the event has most often, if that is a problem.
fn repeating(event: &Value) -> Option<String> {
    let spans = items(event, &["spans"]);
    let mut counts = HashMap::<_, usize>::new();
    let told = spans.iter().filter_map(|span| Some((text(span, &["op"])?, text(span, &["description"])?)));
    told.for_each(|span| *counts.entry(span).or_default() += 1);
    let ((op, description), count) = counts.into_iter().max_by_key(|(span, count)| (*count, *span))?;
    if count < REPEATED {
        return None;
    }
    // Pruning keeps only the last of very many spans.
    let least = if spans.len() == KEPT_ITEMS { "at least " } else { "" };
    Some(format!("{least}{count} times {op} - {description}"))
}
