//! The endpoints that the sandbox plays (`src/sentry/api/urls.py`), with the scopes that each asks for: any one of
//! them is enough (`scope_map` of the endpoints' permissions).

use super::{Call, Outcome, comments, events, issues, lists, organizations};
use crate::{
    config::{RateLimit, RateLimits},
    world::World,
};

/// The names of endpoints, for [faults](crate::Fault::on_endpoint).
pub mod endpoint {
    /// Reading an issue.
    pub const READ_ISSUE: &str = "GET /organizations/{organization}/issues/{issue}/";
    /// Changing an issue.
    pub const UPDATE_ISSUE: &str = "PUT /organizations/{organization}/issues/{issue}/";
    /// Reading an event.
    pub const READ_EVENT: &str = "GET /organizations/{organization}/issues/{issue}/events/{event}/";
    /// Writing a comment.
    pub const ADD_COMMENT: &str = "POST /organizations/{organization}/issues/{issue}/comments/";
    /// Reading an organization.
    pub const READ_ORGANIZATION: &str = "GET /organizations/{organization}/";
    /// The members of an organization.
    pub const MEMBERS: &str = "GET /organizations/{organization}/members/";
    /// The teams of an organization.
    pub const TEAMS: &str = "GET /organizations/{organization}/teams/";
}

/// `GroupPermission` (`src/sentry/issues/endpoints/bases/group.py`).
const READ_EVENTS: &[&str] = &["event:read", "event:write", "event:admin"];
const WRITE_EVENTS: &[&str] = &["event:write", "event:admin"];
const ADMIN_EVENTS: &[&str] = &["event:admin"];
/// `OrganizationPermission` (`src/sentry/api/bases/organization.py`).
const READ_ORGANIZATION: &[&str] = &["org:read", "org:write", "org:admin"];
/// `MemberPermission` (`src/sentry/api/bases/organizationmember.py`).
const READ_MEMBERS: &[&str] = &["member:read", "member:write", "member:admin"];
/// `ProjectPermission` (`src/sentry/api/bases/project.py`).
const READ_PROJECT: &[&str] = &["project:read", "project:write", "project:admin"];

/// A limit of the endpoint's own. The others share one for each method.
type OwnLimit = Option<fn(&RateLimits) -> RateLimit>;
type Run = fn(&mut World, &Call) -> Outcome;

/// One endpoint.
pub(crate) struct Endpoint {
    pub(super) method: &'static str,
    template: &'static str,
    pub(super) scopes: &'static [&'static str],
    pub(super) own_limit: OwnLimit,
    pub(super) run: Run,
}

impl Endpoint {
    /// Its method and template, which name it.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

const fn shared(
    method: &'static str,
    template: &'static str,
    scopes: &'static [&'static str],
    run: Run,
) -> Endpoint {
    Endpoint { method, template, scopes, own_limit: None, run }
}

const fn own(
    method: &'static str,
    template: &'static str,
    scopes: &'static [&'static str],
    limit: fn(&RateLimits) -> RateLimit,
    run: Run,
) -> Endpoint {
    Endpoint { method, template, scopes, own_limit: Some(limit), run }
}

const ISSUE: &str = "/organizations/{organization}/issues/{issue}/";
const EVENT: &str = "/organizations/{organization}/issues/{issue}/events/{event}/";
const COMMENTS: &str = "/organizations/{organization}/issues/{issue}/comments/";
const NOTES: &str = "/organizations/{organization}/issues/{issue}/notes/";
const ACTIVITIES: &str = "/organizations/{organization}/issues/{issue}/activities/";
const INSTALLATIONS: &str = "/organizations/{organization}/sentry-app-installations/";

#[rustfmt::skip]
static ENDPOINTS: &[Endpoint] = &[
    shared("GET", "/organizations/{organization}/", READ_ORGANIZATION, organizations::read),
    shared("GET", "/organizations/{organization}/projects/", READ_ORGANIZATION, organizations::projects),
    shared("GET", "/organizations/{organization}/teams/", READ_ORGANIZATION, lists::teams),
    own("GET", "/organizations/{organization}/members/", READ_MEMBERS, |limits| limits.members, lists::members),
    shared("GET", INSTALLATIONS, READ_ORGANIZATION, organizations::installations),
    shared("GET", "/organizations/{organization}/issues/", READ_EVENTS, issues::list),
    own("GET", ISSUE, READ_EVENTS, |limits| limits.read_issue, issues::read),
    own("PUT", ISSUE, WRITE_EVENTS, |limits| limits.update_issue, issues::update),
    own("DELETE", ISSUE, ADMIN_EVENTS, |limits| limits.delete_issue, issues::delete),
    own("GET", EVENT, READ_EVENTS, |limits| limits.events, events::read),
    shared("GET", COMMENTS, READ_EVENTS, comments::list),
    shared("POST", COMMENTS, WRITE_EVENTS, comments::add),
    shared("GET", NOTES, READ_EVENTS, comments::list),
    shared("POST", NOTES, WRITE_EVENTS, comments::add),
    shared("GET", ACTIVITIES, READ_EVENTS, comments::activities),
    shared("GET", "/projects/{organization}/{project}/", READ_PROJECT, organizations::project),
    shared("GET", "/projects/{organization}/{project}/teams/", READ_PROJECT, lists::project_teams),
    shared("GET", "/projects/{organization}/{project}/members/", READ_PROJECT, lists::project_members),
];

/// The result of looking a path up.
pub(crate) enum Match {
    Found {
        endpoint: &'static Endpoint,
        parameters: Vec<(&'static str, String)>,
    },
    /// The path is known, the method is not.
    WrongMethod,
    /// The path names an issue without its organization.
    Deprecated,
    Unknown,
}

/// Finds the endpoint of a path below `/api/0`.
pub(super) fn find(method: &str, path: &str) -> Match {
    if path.starts_with("/issues/") || path.starts_with("/groups/") {
        return Match::Deprecated;
    }
    let fitting: Vec<_> =
        ENDPOINTS.iter().filter_map(|endpoint| Some((endpoint, fit(endpoint.template, path)?))).collect();
    let known = !fitting.is_empty();
    match fitting.into_iter().find(|(endpoint, _)| endpoint.method == method) {
        Some((endpoint, parameters)) => Match::Found { endpoint, parameters },
        None if known => Match::WrongMethod,
        None => Match::Unknown,
    }
}

fn fit(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let (wanted, parts): (Vec<&'static str>, Vec<&str>) =
        (template.split('/').collect(), path.split('/').collect());
    let mut parameters = Vec::new();
    if wanted.len() != parts.len() {
        return None;
    }
    for (want, have) in wanted.into_iter().zip(parts) {
        match want.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !have.is_empty() => parameters.push((name, have.to_owned())),
            None if want == have => {}
            _ => return None,
        }
    }
    Some(parameters)
}
