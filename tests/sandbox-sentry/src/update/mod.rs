//! Changes an issue as Sentry does (`update_groups` in `src/sentry/api/helpers/group_index/update.py`).

pub(crate) mod form;
mod values;

use chrono::{Duration, Utc};
use serde_json::{Value, json};

use self::form::{Details, Form, Wish};
use crate::{
    config::ArchiveHooks,
    hooks::Hook,
    world::{
        World,
        issue::{Assignee, Issue, Resolution, Snooze, Status, Substatus},
        token::Actor,
    },
};

/// For so many days an issue is new (`TRANSITION_AFTER_DAYS` in `src/sentry/issues/ongoing.py`).
const NEW_DAYS: i64 = 7;

impl World {
    /// Does what the form asks for, notes it in the issue's feed, and lets webhooks tell it.
    pub(crate) fn update(&mut self, issue: u64, actor: Actor, form: &Form) {
        if let Some(priority) = &form.priority {
            self.prioritize(issue, actor, priority);
        }
        match form.status {
            Some(Wish::Resolved | Wish::ResolvedInNextRelease) => self.resolve(issue, actor, form),
            Some(Wish::Ignored) => self.archive(issue, actor, form),
            Some(Wish::Unresolved) => self.reopen(issue, actor, form),
            None => {}
        }
        if let Some(assignee) = form.assigned_to {
            self.assign(issue, actor, assignee);
        }
        // An integration is no member of the project, so nothing notes that it has seen the issue.
        if let (Some(seen), Actor::User(_), Some(issue)) = (form.has_seen, actor, self.issues.get_mut(&issue))
        {
            issue.has_seen = seen;
        }
    }

    /// Each resolve without a release is a change of its own, also of a resolved issue: an entry, a new time
    /// and a webhook. One with a release is an entry only the first time (`process_group_resolution`).
    fn resolve(&mut self, id: u64, actor: Actor, form: &Form) {
        let Some(issue) = self.issues.get_mut(&id) else { return };
        let releases = self.projects.get(&issue.project).map(|project| &project.releases);
        let next = form.details.in_next_release.is_some() || form.status == Some(Wish::ResolvedInNextRelease);
        let (kind, data, hook, detail) = if next {
            // Unlike `inNextRelease`, `resolvedInNextRelease` is not checked: there may be no release.
            let known = releases.is_some_and(|releases| !releases.is_empty());
            let detail = known.then_some(("inNextRelease", json!(true)));
            ("set_resolved_in_release", json!({ "version": "" }), "in_next_release", detail)
        } else if let Some(version) = &form.details.in_release {
            let detail = Some(("inRelease", json!(version)));
            ("set_resolved_in_release", json!({ "version": version }), "in_release", detail)
        } else {
            ("set_resolved", json!({}), "now", None)
        };
        let noted = detail.is_none() || issue.resolution.is_none();
        if let Some(detail) = detail {
            issue.resolution = Some(Resolution { detail, actor });
        }
        issue.status = Status::Resolved;
        issue.substatus = None;
        if noted {
            issue.note(kind, actor, data);
        }
        self.announce(Hook::issue(id, "resolved", actor, json!({ "resolution_type": hook })));
    }

    /// An issue that is archived already keeps its substatus, and gets no entry and no webhook. Only its snooze
    /// changes (`handle_other_status_updates`).
    fn archive(&mut self, id: u64, actor: Actor, form: &Form) {
        let Some(issue) = self.issues.get_mut(&id) else { return };
        let substatus = archived_substatus(form);
        let escalating = substatus == Substatus::ArchivedUntilEscalating;
        issue.resolution = None;
        issue.snooze = if escalating { None } else { snooze(&form.details, actor) };
        if issue.status == Status::Ignored {
            return;
        }
        issue.status = Status::Ignored;
        issue.substatus = Some(substatus);
        let mut data = issue.snooze.as_ref().map_or_else(no_snooze, Snooze::json);
        data["ignoreDuration"] = Value::Null;
        data["ignoreUntilEscalating"] = if escalating { json!(true) } else { Value::Null };
        issue.note("set_ignored", actor, data);
        let actions: &[&'static str] = match self.config.archive_hooks {
            ArchiveHooks::Ignored => &["ignored"],
            ArchiveHooks::Archived => &["archived"],
            ArchiveHooks::Both => &["ignored", "archived"],
        };
        for action in actions {
            self.announce(Hook::issue(id, action, actor, json!({})));
        }
    }

    /// The resolution is dropped. A webhook follows only where the issue was resolved. Of an archived one comes the
    /// signal `issue_unignored`, which no webhook follows (`handle_status_update` in
    /// `src/sentry/issues/status_change.py`, `src/sentry/receivers/sentry_apps.py`).
    fn reopen(&mut self, id: u64, actor: Actor, form: &Form) {
        let Some(issue) = self.issues.get_mut(&id) else { return };
        issue.resolution = None;
        let before = issue.status;
        if before == Status::Unresolved {
            return;
        }
        issue.substatus = Some(open_substatus(issue, form));
        issue.status = Status::Unresolved;
        issue.snooze = None;
        issue.note("set_unresolved", actor, json!({}));
        if before == Status::Resolved {
            self.announce(Hook::issue(id, "unresolved", actor, json!({})));
        }
    }

    /// Sentry finds by itself that an archived or resolved issue came back. Both are told as `unresolved`.
    pub(crate) fn return_of(&mut self, id: u64, substatus: Substatus) {
        let Some(issue) = self.issues.get_mut(&id) else { return };
        issue.status = Status::Unresolved;
        issue.substatus = Some(substatus);
        (issue.resolution, issue.snooze) = (None, None);
        let kind = if substatus == Substatus::Escalating { "set_escalating" } else { "set_regression" };
        issue.note(kind, Actor::Sentry, json!({}));
        self.announce(Hook::issue(id, "unresolved", Actor::Sentry, json!({})));
    }

    /// The same assignee again is no change. No webhook tells that an issue was taken away
    /// (`src/sentry/models/groupassignee.py`).
    fn assign(&mut self, id: u64, actor: Actor, assignee: Option<Assignee>) {
        let Some(issue) = self.issues.get_mut(&id) else { return };
        if issue.assignee == assignee {
            return;
        }
        issue.assignee = assignee;
        let Some(assignee) = assignee else {
            issue.note("unassigned", actor, json!({}));
            return;
        };
        let issue = issue.clone();
        let Some(organization) = self.owner(&issue) else { return };
        let who = self.assignee_json(organization, assignee);
        let data =
            json!({ "assignee": who["id"], "assigneeEmail": who["email"], "assigneeType": who["type"] });
        let mut told = json!({ "type": who["type"], "name": who["name"] });
        told["id"] = match assignee {
            Assignee::User(id) | Assignee::Team(id) => id.into(),
        };
        if let Some(email) = who.get("email") {
            told["email"] = email.clone();
        }
        if let Some(issue) = self.issues.get_mut(&id) {
            issue.note("assigned", actor, data);
        }
        self.announce(Hook::issue(id, "assigned", actor, json!({ "assignee": told })));
    }

    /// It locks the priority against Sentry's own changes. No webhook tells it.
    fn prioritize(&mut self, id: u64, actor: Actor, priority: &str) {
        let Some(issue) = self.issues.get_mut(&id) else { return };
        issue.priority_locked = Some(Utc::now());
        if issue.priority != priority {
            issue.priority = priority.to_owned();
            issue.note("set_priority", actor, json!({ "priority": priority, "reason": null }));
        }
    }
}

/// `infer_substatus` in `src/sentry/issues/status_change.py`: without one, archived means forever.
fn archived_substatus(form: &Form) -> Substatus {
    let inferred = if form.details.is_condition() {
        Substatus::ArchivedUntilConditionMet
    } else {
        Substatus::ArchivedForever
    };
    form.substatus.filter(|wanted| wanted.fits(Status::Ignored)).unwrap_or(inferred)
}

fn open_substatus(issue: &Issue, form: &Form) -> Substatus {
    let is_new = issue.first_seen > Utc::now() - Duration::days(NEW_DAYS);
    let inferred = match issue.status {
        Status::Resolved => Substatus::Regressed,
        Status::Ignored if is_new => Substatus::New,
        _ => Substatus::Ongoing,
    };
    form.substatus.filter(|wanted| wanted.fits(Status::Unresolved)).unwrap_or(inferred)
}

/// `handle_ignored` in `src/sentry/issues/ignored.py`: zeros count as absent.
fn snooze(details: &Details, actor: Actor) -> Option<Snooze> {
    let some = |value: Option<i64>| value.filter(|value| *value != 0);
    let (duration, count, user_count) =
        (some(details.ignore_duration), some(details.ignore_count), some(details.ignore_user_count));
    let until = duration.and_then(|minutes| Utc::now().checked_add_signed(Duration::try_minutes(minutes)?));
    (duration.is_some() || count.is_some() || user_count.is_some()).then_some(Snooze {
        until,
        count,
        window: some(details.ignore_window),
        user_count,
        user_window: some(details.ignore_user_window),
        actor,
    })
}

fn no_snooze() -> Value {
    json!({
        "ignoreCount": null, "ignoreUntil": null, "ignoreUserCount": null,
        "ignoreUserWindow": null, "ignoreWindow": null,
    })
}
