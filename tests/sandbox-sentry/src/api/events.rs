//! Events (`src/sentry/issues/endpoints/group_event_details.py`).

use super::{Answer, Call, Outcome};
use crate::world::{World, event::Event};

const NO_MATCH: &str = "No matching event found, try changing the environments, date range, or query.";
const NOT_FOUND: &str =
    "Event not found. The event ID may be incorrect, or it's age exceeded the retention period.";

/// An event by its id, or the latest, oldest or recommended one. The recommended one is the latest here.
pub(super) fn read(world: &mut World, call: &Call) -> Outcome {
    let issue = &world.issues[&call.issue(world)?];
    let wanted = call.parameter("event");
    let environment = call.asked("environment");
    let fits = |event: &&Event| environment.is_none() || event.environment.as_deref() == environment;
    let found: Vec<&Event> = issue.events.iter().filter(fits).collect();
    let (place, missing) = match wanted {
        "latest" | "recommended" => (found.len().checked_sub(1), NO_MATCH),
        "oldest" => (Some(0), NO_MATCH),
        id => (found.iter().position(|event| event.id == id), NOT_FOUND),
    };
    let event = place.and_then(|place| Some((place, *found.get(place)?)));
    let (place, event) = event.ok_or_else(|| Answer::detail(404, missing))?;
    let mut body = event.json(issue.id, issue.project);
    if !call.collapses("stacktraceOnly") {
        let neighbour =
            |place: Option<usize>| place.and_then(|place| found.get(place)).map(|event| &event.id);
        body["previousEventID"] = neighbour(place.checked_sub(1)).cloned().into();
        body["nextEventID"] = neighbour(Some(place + 1)).cloned().into();
        body["occurrence"] = serde_json::Value::Null;
    }
    Ok(Answer::json(200, &body))
}
