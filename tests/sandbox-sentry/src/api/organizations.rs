//! Organizations, projects and installed integrations.

use serde_json::{Value, json};

use super::{Answer, Call, Outcome, lists};
use crate::world::{World, organization::Project, token::Actor};

/// Its address on the API and the region (`src/sentry/api/serializers/models/organization.py`).
pub(super) fn read(world: &mut World, call: &Call) -> Outcome {
    let own = &call.organization;
    let body = json!({
        "id": own.id.to_string(), "slug": own.slug, "name": own.name,
        "status": { "id": "active", "name": "active" },
        "links": { "organizationUrl": world.links, "regionUrl": world.links },
        "allowJoinRequests": true, "openMembership": own.open_membership,
        "features": [], "access": call.token.scopes, "isEarlyAdopter": false, "require2FA": false,
    });
    Ok(Answer::json(200, &body))
}

pub(super) fn projects(world: &mut World, call: &Call) -> Outcome {
    let own = world.projects.values().filter(|project| project.organization == call.organization.id);
    lists::page(call, own.map(|project| project_json(world, project)).collect())
}

pub(super) fn project(world: &mut World, call: &Call) -> Outcome {
    Ok(Answer::json(200, &project_json(world, find_project(world, call)?)))
}

pub(super) fn find_project<'a>(world: &'a World, call: &Call) -> Result<&'a Project, Answer> {
    let named = |project: &&Project| {
        project.organization == call.organization.id && project.is_named(call.parameter("project"))
    };
    world.projects.values().find(named).ok_or_else(Answer::not_found)
}

fn project_json(world: &World, project: &Project) -> Value {
    let mut body = project.brief();
    let teams = project.teams.iter().filter_map(|team| world.teams.get(team));
    body["teams"] = teams.map(crate::Team::json).collect();
    body["status"] = "active".into();
    body["latestRelease"] = project.releases.last().map(|version| json!({ "version": version })).into();
    body
}

/// Only members may list the installations. An integration's proxy user is none
/// (`SentryAppInstallationsPermission` in `src/sentry/sentry_apps/api/bases/sentryapps.py`).
pub(super) fn installations(world: &mut World, call: &Call) -> Outcome {
    let own = &call.organization;
    if call.token.actor == Some(Actor::Integration) {
        let refusal = json!({
            "detail": "User must belong to the given organization",
            "context": { "user_organizations": [] },
        });
        return Err(Answer::json(403, &refusal));
    }
    let installed = json!({
        "app": { "uuid": own.app, "slug": world.config.integration.to_lowercase(), "sentryAppId": own.proxy_user },
        "organization": { "slug": own.slug, "id": own.id },
        "uuid": own.installation, "status": "installed",
    });
    lists::page(call, vec![installed])
}
