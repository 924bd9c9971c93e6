//! Issues (`src/sentry/issues/endpoints/group_details.py`, `organization_group_index.py`).

use serde_json::{Value, json};

use super::{Answer, Call, Outcome, lists};
use crate::{
    update::form::Refusal,
    world::{World, issue::Status, token::Actor},
};

/// Open issues, unless the query asks for another state. The sandbox knows no other search.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let wanted = match call.asked("query").unwrap_or("is:unresolved") {
        "" => None,
        "is:unresolved" => Some(Status::Unresolved),
        "is:resolved" => Some(Status::Resolved),
        "is:archived" | "is:ignored" => Some(Status::Ignored),
        other => return Err(not_played(world, &format!("the search \"{other}\""))),
    };
    let here = |project: u64| world.projects[&project].organization == call.organization.id;
    let found = world.issues.values().filter(|issue| {
        let live = issue.merged_into.is_none() && !issue.deleted && here(issue.project);
        live && wanted.is_none_or(|status| status == issue.status)
    });
    let issues = found.map(|issue| world.issue_json(issue)).collect();
    lists::page(call, issues)
}

/// The issue with its feed. `collapse` leaves out what costs Sentry much.
pub(super) fn read(world: &mut World, call: &Call) -> Outcome {
    let issue = &world.issues[&call.issue(world)?];
    let mut body = world.issue_json(issue);
    if !call.collapses("release") {
        (body["firstRelease"], body["lastRelease"]) = (Value::Null, Value::Null);
    }
    if !call.collapses("tags") {
        body["tags"] = json!([]);
    }
    if !call.collapses("stats") {
        body["stats"] = json!({ "24h": [], "30d": [] });
    }
    body["activity"] = world.activities_json(issue).into();
    for empty in ["seenBy", "participants"] {
        body[empty] = json!([]);
    }
    body["userReportCount"] = json!(0);
    Ok(Answer::json(200, &body))
}

pub(super) fn update(world: &mut World, call: &Call) -> Outcome {
    let id = call.issue(world)?;
    let project = &world.projects[&world.issues[&id].project];
    let form = match world.read_form(&call.organization, project, &call.body) {
        Ok(form) => form,
        Err(Refusal::Invalid(errors)) => return Err(Answer::json(400, &errors)),
        Err(Refusal::NotPlayed(what)) => return Err(not_played(world, &what)),
    };
    world.update(id, call.token.actor.unwrap_or(Actor::Sentry), &form);
    Ok(Answer::json(200, &world.issue_json(&world.issues[&id])))
}

/// The issue is gone at once for the API.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let id = call.issue(world)?;
    if let Some(issue) = world.issues.get_mut(&id) {
        issue.deleted = true;
    }
    Ok(Answer::empty(202))
}

/// Sentry would do it, and the sandbox cannot.
pub(super) fn not_played(world: &mut World, what: &str) -> Answer {
    tracing::error!("The sandbox does not play {what}");
    world.unknown_requests.push(what.to_owned());
    Answer::detail(501, &format!("The sandbox does not play {what}."))
}
