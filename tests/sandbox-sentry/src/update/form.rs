//! Reads a PUT's body as `GroupValidator` does (`src/sentry/api/helpers/group_index/validators/group.py`,
//! `status_details.py`), with the words of Django REST framework.

use std::str::FromStr as _;

use serde_json::{Map, Value, json};

use super::values::{boolean, integer, kind, not_a_choice};
use crate::world::{
    World,
    issue::{Assignee, Substatus},
    organization::{Organization, Project},
};

/// Fields that Sentry knows and the sandbox does not play.
const UNPLAYED: [&str; 8] = [
    "inbox",
    "isBookmarked",
    "isPublic",
    "isSubscribed",
    "merge",
    "discard",
    "inboxDetails",
    "snoozeDuration",
];
const PRIORITIES: [&str; 3] = ["low", "medium", "high"];
const NO_RELEASE: &str = "No release data present in the system to form a basis for 'Next Release'";
/// A week, in minutes.
const LONGEST_WINDOW: i64 = 7 * 24 * 60;

/// The status that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Resolved,
    ResolvedInNextRelease,
    Unresolved,
    Ignored,
}

/// What a PUT asks for. Fields that were not sent stay as they are.
#[derive(Debug, Default)]
pub(crate) struct Form {
    pub(crate) status: Option<Wish>,
    pub(crate) substatus: Option<Substatus>,
    pub(crate) details: Details,
    /// `Some(None)`: nobody has the issue any more.
    pub(crate) assigned_to: Option<Option<Assignee>>,
    pub(crate) priority: Option<String>,
    pub(crate) has_seen: Option<bool>,
}

/// What `statusDetails` asks for.
#[derive(Debug, Default)]
pub(crate) struct Details {
    /// The release that the issue is resolved after.
    pub(crate) in_next_release: Option<String>,
    pub(crate) in_release: Option<String>,
    pub(crate) ignore_duration: Option<i64>,
    pub(crate) ignore_count: Option<i64>,
    pub(crate) ignore_window: Option<i64>,
    pub(crate) ignore_user_count: Option<i64>,
    pub(crate) ignore_user_window: Option<i64>,
}

impl Details {
    /// `IGNORED_CONDITION_FIELDS` in `src/sentry/issues/ignored.py`.
    pub(super) fn is_condition(&self) -> bool {
        let fields = [
            self.ignore_duration,
            self.ignore_count,
            self.ignore_window,
            self.ignore_user_count,
            self.ignore_user_window,
        ];
        fields.iter().any(Option::is_some)
    }
}

/// Why a PUT is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// 400 with these errors.
    Invalid(Value),
    /// Sentry would do it, and the sandbox cannot.
    NotPlayed(String),
}

/// Every wrong field with what is wrong with it.
#[derive(Default)]
struct Errors(Map<String, Value>);

impl Errors {
    fn add(&mut self, field: &str, text: impl Into<String>) {
        self.0.insert(field.to_owned(), json!([text.into()]));
    }
}

impl World {
    /// Reads what is asked of an issue in this project.
    pub(crate) fn read_form(
        &self,
        organization: &Organization,
        project: &Project,
        body: &Value,
    ) -> Result<Form, Refusal> {
        let Some(fields) = body.as_object() else {
            let text = format!("Invalid data. Expected a dictionary, but got {}.", kind(body));
            return Err(Refusal::Invalid(json!({ "non_field_errors": [text] })));
        };
        if let Some(field) = fields.keys().find(|field| UNPLAYED.contains(&field.as_str())) {
            return Err(Refusal::NotPlayed(format!("the field {field} of an update")));
        }
        let mut form = Form::default();
        let mut errors = Errors::default();
        for (field, value) in fields {
            if value.is_null() && field != "substatus" {
                errors.add(field, "This field may not be null.");
            } else if let Err(text) = self.read_field(organization, project, field, value, &mut form) {
                errors.add(field, text);
            }
        }
        // Without `statusDetails` Sentry looks for the same fields beside `status`.
        let details = fields.get("statusDetails").unwrap_or(body);
        match read_details(project, details, details == body) {
            Ok(details) => form.details = details,
            Err(wrong) if details == body => errors.0.extend(wrong),
            Err(wrong) => {
                errors.0.entry("statusDetails").or_insert(Value::Object(wrong));
            }
        }
        if errors.0.is_empty() { Ok(form) } else { Err(Refusal::Invalid(Value::Object(errors.0))) }
    }

    /// A field that nobody knows is ignored.
    fn read_field(
        &self,
        organization: &Organization,
        project: &Project,
        field: &str,
        value: &Value,
        form: &mut Form,
    ) -> Result<(), String> {
        match field {
            "status" => form.status = Some(status(value)?),
            "substatus" if value.is_null() => {}
            "substatus" => form.substatus = Some(substatus(value)?),
            "priority" => {
                let priority = value.as_str().filter(|text| PRIORITIES.contains(text));
                form.priority = Some(priority.ok_or_else(|| not_a_choice(value))?.to_owned());
            }
            "hasSeen" => form.has_seen = Some(boolean(value)?),
            "assignedTo" => form.assigned_to = Some(self.read_assignee(organization, project, value)?),
            _ => {}
        }
        Ok(())
    }

    /// `ActorField` (`src/sentry/api/fields/actor.py`) and `validate_assignedTo`.
    fn read_assignee(
        &self,
        organization: &Organization,
        project: &Project,
        value: &Value,
    ) -> Result<Option<Assignee>, String> {
        let text = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            _ => return Err("Unknown actor input".to_owned()),
        };
        if text.is_empty() {
            return Ok(None);
        }
        if let Some(id) = text.strip_prefix("team:") {
            let id = id.parse().map_err(|_| "Unknown actor input")?;
            let team = self.teams.get(&id).filter(|team| team.organization == organization.id);
            team.ok_or("Team is not a member of this organization")?;
            if !organization.open_membership && !project.teams.contains(&id) {
                return Err("Cannot assign to a team without access to the project".to_owned());
            }
            return Ok(Some(Assignee::Team(id)));
        }
        let name = text.strip_prefix("user:").unwrap_or(&text);
        let known = |member: &&crate::Member| {
            member.organization == organization.id
                && member.user.is_some_and(|id| id.to_string() == name || member.email == name)
        };
        let member = self.members.iter().find(known);
        let member = member.ok_or("User is not a member of this organization")?;
        if !member.active {
            return Err("Cannot assign to a deactivated member".to_owned());
        }
        let user = member.user.unwrap_or_default();
        let teams = project.teams.iter().filter_map(|team| self.teams.get(team));
        if !organization.open_membership && !teams.flat_map(|team| &team.users).any(|id| *id == user) {
            return Err("Cannot assign to non-team member".to_owned());
        }
        Ok(Some(Assignee::User(user)))
    }
}

fn read_details(project: &Project, value: &Value, ignore_only: bool) -> Result<Details, Map<String, Value>> {
    let mut errors = Errors::default();
    let Some(fields) = value.as_object() else {
        let text = format!("Invalid data. Expected a dictionary, but got {}.", kind(value));
        errors.add("non_field_errors", text);
        return Err(errors.0);
    };
    let mut details = Details::default();
    for (field, value) in fields {
        if let Err(text) = read_detail(project, field, value, ignore_only, &mut details) {
            errors.add(field, text);
        }
    }
    if errors.0.is_empty() { Ok(details) } else { Err(errors.0) }
}

fn read_detail(
    project: &Project,
    field: &str,
    value: &Value,
    ignore_only: bool,
    details: &mut Details,
) -> Result<(), String> {
    let latest = || project.releases.last().cloned().ok_or_else(|| NO_RELEASE.to_owned());
    match field {
        "ignoreDuration" => details.ignore_duration = Some(integer(value, i64::MAX)?),
        "ignoreCount" => details.ignore_count = Some(integer(value, i64::MAX)?),
        "ignoreWindow" => details.ignore_window = Some(integer(value, LONGEST_WINDOW)?),
        "ignoreUserCount" => details.ignore_user_count = Some(integer(value, i64::MAX)?),
        "ignoreUserWindow" => details.ignore_user_window = Some(integer(value, LONGEST_WINDOW)?),
        _ if ignore_only => {}
        // The validator answers a release whatever the value is, so `false` counts as `true`.
        "inNextRelease" => {
            boolean(value)?;
            details.in_next_release = Some(latest()?);
        }
        "inUpcomingRelease" => {
            boolean(value)?;
            return Err("Your organization does not have access to this feature.".to_owned());
        }
        "inRelease" => {
            let version = value.as_str().ok_or("Not a valid string.")?;
            let known = project.releases.iter().find(|release| *release == version).cloned();
            let unknown = "Unable to find a release with the given version.";
            details.in_release = Some(if version == "latest" { latest()? } else { known.ok_or(unknown)? });
        }
        "inCommit" => return Err("Unable to find the given repository.".to_owned()),
        _ => {}
    }
    Ok(())
}

fn status(value: &Value) -> Result<Wish, String> {
    match value.as_str() {
        Some("resolved") => Ok(Wish::Resolved),
        Some("resolvedInNextRelease") => Ok(Wish::ResolvedInNextRelease),
        Some("unresolved") => Ok(Wish::Unresolved),
        Some("ignored" | "muted") => Ok(Wish::Ignored),
        _ => Err(not_a_choice(value)),
    }
}

fn substatus(value: &Value) -> Result<Substatus, String> {
    let known = value.as_str().and_then(|text| Substatus::from_str(text).ok());
    known.ok_or_else(|| not_a_choice(value))
}
