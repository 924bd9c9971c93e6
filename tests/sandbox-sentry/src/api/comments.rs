//! Comments and the feed (`src/sentry/issues/endpoints/group_notes.py`, `group_activities.py`).

use chrono::{Duration, Utc};
use serde_json::{Value, json};

use super::{Answer, Call, Outcome, lists};
use crate::{
    hooks::Hook,
    id,
    world::{World, issue::Activity, token::Actor},
};

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let issue = &world.issues[&call.issue(world)?];
    let notes = issue.activities.iter().rev().filter(|activity| activity.kind == "note");
    lists::page(call, notes.map(|note| world.activity_json(&call.organization, note)).collect())
}

/// The same text of the same actor within an hour is refused.
pub(super) fn add(world: &mut World, call: &Call) -> Outcome {
    let id = call.issue(world)?;
    let text = read_text(&call.body).map_err(|wrong| Answer::json(400, &json!({ "text": [wrong] })))?;
    let (actor, data) = (call.token.actor.unwrap_or(Actor::Sentry), json!({ "text": text }));
    let Some(issue) = world.issues.get_mut(&id) else { return Err(Answer::not_found()) };
    let lately = Utc::now() - Duration::hours(1);
    let same = |before: &Activity| {
        before.kind == "note" && before.actor == actor && before.data == data && before.at > lately
    };
    if issue.activities.iter().any(same) {
        return Err(Answer::detail(400, "You have already posted that comment."));
    }
    let note = issue.note("note", actor, data).clone();
    let project = world.projects[&issue.project].slug.clone();
    if world.config.comment_hooks {
        let told = json!({
            "comment_id": note.id, "issue_id": id, "project_slug": project,
            "timestamp": id::time(note.at), "comment": text,
        });
        world.announce(Hook::comment(id, actor, told));
    }
    Ok(Answer::json(201, &world.activity_json(&call.organization, &note)))
}

/// `CharField`: blanks at the ends are dropped.
fn read_text(body: &Value) -> Result<String, &'static str> {
    match body.get("text") {
        None => Err("This field is required."),
        Some(Value::Null) => Err("This field may not be null."),
        Some(Value::String(text)) if text.trim().is_empty() => Err("This field may not be blank."),
        Some(Value::String(text)) => Ok(text.trim().to_owned()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(_) => Err("Not a valid string."),
    }
}

pub(super) fn activities(world: &mut World, call: &Call) -> Outcome {
    let issue = &world.issues[&call.issue(world)?];
    Ok(Answer::json(200, &json!({ "activity": world.activities_json(issue) })))
}
