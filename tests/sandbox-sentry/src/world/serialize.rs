//! Issues and activities as the API and the webhooks write them
//! (`src/sentry/api/serializers/models/group.py`, `activity.py`).

use serde_json::{Value, json};

use super::{
    World,
    issue::{Activity, Assignee, Issue, Status},
    organization::{Organization, user_json},
    token::Actor,
};
use crate::id;

impl World {
    /// The whole issue.
    pub(crate) fn issue_json(&self, issue: &Issue) -> Value {
        let Some(organization) = self.owner(issue) else { return Value::Null };
        let project = &self.projects[&issue.project];
        let (kind, value) = issue.title.split_once(": ").unwrap_or(("Error", &issue.title));
        json!({
            "id": issue.id.to_string(), "shareId": null, "shortId": self.short_id(issue),
            "title": issue.title, "culprit": issue.culprit, "permalink": self.permalink(organization, issue),
            "logger": null, "level": issue.level,
            "status": <&str>::from(issue.status), "statusDetails": self.status_details(organization, issue),
            "substatus": issue.substatus.map(<&str>::from),
            "isPublic": false, "platform": project.platform, "project": project.brief(), "type": "error",
            "metadata": {
                "value": value, "type": kind, "filename": "app.py", "function": "handle",
                "in_app_frame_mix": "mixed", "initial_priority": 75,
                "sdk": { "name": "sentry.python", "name_normalized": "sentry.python" },
            },
            "numComments": issue.activities.iter().filter(|activity| activity.kind == "note").count(),
            "assignedTo": issue.assignee.map(|assignee| self.assignee_json(organization, assignee)),
            "isBookmarked": false, "isSubscribed": false, "subscriptionDetails": null,
            "hasSeen": issue.has_seen, "annotations": [], "issueType": "error", "issueCategory": "error",
            "priority": issue.priority, "priorityLockedAt": issue.priority_locked.map(id::time),
            "seerFixabilityScore": null, "seerAutofixLastTriggered": null, "isUnhandled": true,
            "count": issue.count.to_string(), "userCount": issue.users,
            "firstSeen": id::time(issue.first_seen), "lastSeen": id::time(issue.last_seen),
        })
    }

    pub(crate) fn permalink(&self, organization: &Organization, issue: &Issue) -> String {
        format!("{}/organizations/{}/issues/{}/", self.links, organization.slug, issue.id)
    }

    /// `_get_status` of the serializer: the resolution of a resolved issue, the snooze of an archived one.
    pub(crate) fn status_details(&self, organization: &Organization, issue: &Issue) -> Value {
        match (issue.status, &issue.resolution, &issue.snooze) {
            (Status::Resolved, Some(resolution), _) => {
                let (name, value) = &resolution.detail;
                json!({ *name: value, "actor": self.actor_json(organization, resolution.actor) })
            }
            (Status::Ignored, _, Some(snooze)) => {
                let mut details = snooze.json();
                details["actor"] = self.actor_json(organization, snooze.actor);
                details
            }
            _ => json!({}),
        }
    }

    /// The user who acted, as a whole. The integration acts as a proxy user of its own.
    pub(crate) fn actor_json(&self, organization: &Organization, actor: Actor) -> Value {
        match actor {
            Actor::Sentry => Value::Null,
            Actor::Integration => {
                let name = &self.config.integration;
                let proxy = format!("{}-{}", name.to_lowercase(), &organization.app[..6]);
                let mut user = user_json(organization.proxy_user, name, "", true);
                user["username"] = proxy.into();
                user
            }
            Actor::User(id) => match self.user(organization.id, id) {
                Some(member) => user_json(id, &member.name, &member.email, member.active),
                None => user_json(id, "", "", false),
            },
        }
    }

    /// `{type, id, name, email}` (`src/sentry/api/serializers/models/actor.py`).
    pub(crate) fn assignee_json(&self, organization: &Organization, assignee: Assignee) -> Value {
        match assignee {
            Assignee::User(id) => match self.user(organization.id, id) {
                Some(member) => json!({
                    "type": "user", "id": id.to_string(), "name": member.name, "email": member.email,
                }),
                None => Value::Null,
            },
            Assignee::Team(id) => match self.teams.get(&id) {
                Some(team) => json!({ "type": "team", "id": id.to_string(), "name": team.slug }),
                None => Value::Null,
            },
        }
    }

    pub(crate) fn activity_json(&self, organization: &Organization, activity: &Activity) -> Value {
        json!({
            "id": activity.id.to_string(), "user": self.actor_json(organization, activity.actor),
            "type": activity.kind, "data": activity.data, "dateCreated": id::time(activity.at),
        })
    }

    /// The feed, the latest first, at most 100. Equal neighbours but notes are shown once, so a second
    /// resolve does not show (`get_activities_for_group` in `src/sentry/models/activity.py`).
    pub(crate) fn activities_json(&self, issue: &Issue) -> Vec<Value> {
        let Some(organization) = self.owner(issue) else { return Vec::new() };
        let same = |a: &Activity, b: &Activity| a.kind == b.kind && a.actor == b.actor && a.data == b.data;
        let mut feed = Vec::new();
        let mut before: Option<&Activity> = None;
        for activity in issue.activities.iter().rev().take(200) {
            if activity.kind == "note" || !before.is_some_and(|before| same(before, activity)) {
                feed.push(self.activity_json(organization, activity));
            }
            before = Some(activity);
        }
        feed.push(json!({
            "id": "0", "user": null, "type": "first_seen", "data": { "priority": "high" },
            "dateCreated": id::time(issue.first_seen),
        }));
        feed.truncate(100);
        feed
    }
}
