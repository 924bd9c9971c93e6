//! `issue`: an issue is new, or somebody or Sentry changed it.

use serde::Deserialize;
use serde_json::Value;
use shared::{
    Alert,
    alert::{Frame, kept_text},
};

use super::{
    lenient::{Count, Maybe, SentryId, Time, person, read, words},
    resource::{ACTOR, PlatformResource},
};
use crate::payload::{
    fields::{id, kept_link, label},
    prune::{SCALAR, Wanted},
    title::first_line,
};

pub(super) const RESOURCE: PlatformResource = PlatformResource {
    name: "issue",
    kinds: &[
        ("created", "issue.created"),
        ("resolved", "issue.resolved"),
        ("assigned", "issue.assigned"),
        ("unresolved", "issue.unresolved"),
        // Two names of one thing; some versions send both.
        ("ignored", "issue.archived"),
        ("archived", "issue.archived"),
    ],
    schema: include_str!("../../../schemas/issue.json"),
    body: &Wanted::object(&[
        ("action", SCALAR),
        ("actor", ACTOR),
        (
            "data",
            &Wanted::object(&[
                ("issue", ISSUE),
                ("resolution_type", SCALAR),
                ("assignee", &Wanted::object(&[("type", SCALAR), ("name", SCALAR)])),
            ]),
        ),
    ]),
    tell,
};

/// Everything of an issue that an alert looks at.
pub(super) const ISSUE: &Wanted = &Wanted::object(&[
    ("id", SCALAR),
    ("shortId", SCALAR),
    ("title", SCALAR),
    ("culprit", SCALAR),
    ("logger", SCALAR),
    ("level", SCALAR),
    ("permalink", SCALAR),
    ("web_url", SCALAR),
    ("webUrl", SCALAR),
    ("substatus", SCALAR),
    (
        "statusDetails",
        &Wanted::object(&[
            ("inRelease", SCALAR),
            ("ignoreCount", SCALAR),
            ("ignoreWindow", SCALAR),
            ("ignoreUntil", SCALAR),
        ]),
    ),
    ("project", &Wanted::object(&[("slug", SCALAR), ("name", SCALAR)])),
    ("issueCategory", SCALAR),
    ("issueType", SCALAR),
    ("priority", SCALAR),
    ("count", SCALAR),
    ("userCount", SCALAR),
    ("firstSeen", SCALAR),
    ("lastSeen", SCALAR),
    (
        "metadata",
        &Wanted::object(&[
            ("title", SCALAR),
            ("type", SCALAR),
            ("value", SCALAR),
            ("filename", SCALAR),
            ("function", SCALAR),
        ]),
    ),
]);

#[derive(Default, Deserialize)]
#[serde(default)]
struct IssueData {
    issue: Issue,
    resolution_type: Maybe<String>,
    assignee: Maybe<Assignee>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Assignee {
    r#type: Maybe<String>,
    name: Maybe<String>,
}

/// An issue as Sentry's API shows it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Issue {
    id: Maybe<SentryId>,
    short_id: Maybe<String>,
    title: Maybe<String>,
    culprit: Maybe<String>,
    logger: Maybe<String>,
    level: Maybe<String>,
    permalink: Maybe<String>,
    #[serde(rename = "web_url")]
    web_url_snake: Maybe<String>,
    web_url: Maybe<String>,
    substatus: Maybe<String>,
    status_details: Maybe<StatusDetails>,
    project: Maybe<Project>,
    issue_category: Maybe<String>,
    issue_type: Maybe<String>,
    priority: Maybe<String>,
    count: Maybe<Count>,
    user_count: Maybe<Count>,
    first_seen: Maybe<Time>,
    last_seen: Maybe<Time>,
    metadata: Maybe<Metadata>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StatusDetails {
    in_release: Maybe<String>,
    ignore_count: Maybe<Count>,
    ignore_window: Maybe<Count>,
    ignore_until: Maybe<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Project {
    slug: Maybe<String>,
    name: Maybe<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    title: Maybe<String>,
    r#type: Maybe<String>,
    value: Maybe<String>,
    filename: Maybe<String>,
    function: Maybe<String>,
}

fn tell(action: &str, data: &Value, alert: Alert) -> Alert {
    let data: IssueData = read(Some(data));
    let issue = &data.issue;
    let mut alert = issue.tell(alert);
    // What people do to an issue happens now; what its events do, with the last of them.
    if matches!(action, "created" | "unresolved") {
        alert.timestamp_ms = issue.last_seen.ms().unwrap_or(alert.timestamp_ms);
    }
    alert.details.how = match action {
        "resolved" => issue.resolution(data.resolution_type.text()),
        "ignored" | "archived" => issue.archived_until(),
        "unresolved" => issue.why_it_is_back(),
        _ => None,
    };
    if let ("assigned", Some(assignee)) = (action, data.assignee.get()) {
        let team = if assignee.r#type.text() == Some("team") { "team " } else { "" };
        let name = assignee.name.text().and_then(person);
        alert.details.assignee = name.and_then(|name| label(&format!("{team}{name}")));
    }
    alert
}

impl Issue {
    /// The alert with what the issue itself says.
    pub(super) fn tell(&self, alert: Alert) -> Alert {
        let title = self.title();
        let mut details = alert.details;
        details.category = self.category();
        details.priority = self.priority.brief();
        details.events = self.count.get().map(|count| count.0);
        details.users = self.user_count.get().map(|count| count.0);
        details.since_ms = self.first_seen.ms();
        let project = self.project.get();
        let link = [&self.permalink, &self.web_url_snake, &self.web_url];
        Alert {
            project: project.and_then(|project| project.slug.kept()).unwrap_or(alert.project),
            project_name: project.and_then(|project| project.name.kept()),
            message: self.message(title.as_deref()),
            title,
            logger: self.logger.kept(),
            level: self.level.kept(),
            culprit: self.culprit.kept(),
            url: link.into_iter().find_map(Maybe::text).and_then(kept_link),
            issue_id: self.id(),
            short_id: self.short_id.text().and_then(id),
            frame: self.frame(),
            details,
            ..alert
        }
    }

    fn id(&self) -> Option<String> {
        self.id.get().and_then(|number| id(&number.0))
    }

    fn title(&self) -> Option<String> {
        let metadata = self.metadata.get();
        let raised = || {
            let Metadata { r#type, value, .. } = metadata?;
            match (r#type.text(), value.text().map(first_line)) {
                (Some(kind), Some(value)) => kept_text(&format!("{kind}: {value}")),
                (found, None) | (None, found) => kept_text(found?),
            }
        };
        self.title
            .kept()
            .or_else(|| metadata.and_then(|metadata| metadata.title.kept()))
            .or_else(raised)
            .or_else(|| self.culprit.kept())
            .or_else(|| Some(format!("Issue {}", self.short_id.brief().or_else(|| self.id())?)))
    }

    /// What the issue says beyond its title.
    fn message(&self, title: Option<&str>) -> Option<String> {
        let value = self.metadata.get()?.value.kept()?;
        (!title.is_some_and(|title| title.contains(&value))).then_some(value)
    }

    fn category(&self) -> Option<String> {
        let category = self.issue_category.text().filter(|category| *category != "error")?;
        match self.issue_type.text().filter(|kind| *kind != category) {
            Some(kind) => words(&format!("{category} ({kind})")),
            None => words(category),
        }
    }

    fn frame(&self) -> Option<Frame> {
        let metadata = self.metadata.get()?;
        let file = metadata.filename.brief()?;
        Some(Frame { file, function: metadata.function.brief(), ..Frame::default() })
    }

    fn resolution(&self, how: Option<&str>) -> Option<String> {
        let release = self.status_details.get().and_then(|details| details.in_release.text());
        match (how?, release) {
            ("now", _) => None,
            ("in_next_release", _) => Some("in the next release".to_owned()),
            ("in_release", Some(release)) => label(&format!("in release {release}")),
            ("in_commit" | "with_commit", _) => Some("by a commit".to_owned()),
            ("in_pull_request" | "with_pull_request", _) => Some("by a pull request".to_owned()),
            (other, _) => words(other),
        }
    }

    fn archived_until(&self) -> Option<String> {
        let details = self.status_details.get();
        let count = details.and_then(|details| details.ignore_count.get());
        let window = details.and_then(|details| details.ignore_window.get());
        let until = details.and_then(|details| details.ignore_until.text());
        match (self.substatus.text(), count, until) {
            (Some("archived_forever"), ..) => Some("for ever".to_owned()),
            (Some("archived_until_escalating"), ..) => Some("until it escalates".to_owned()),
            (_, Some(count), _) => {
                let window = window.map(|minutes| format!(" in {} minutes", minutes.0)).unwrap_or_default();
                Some(format!("until it happens {} times{window}", count.0))
            }
            (_, None, Some(time)) => label(&format!("until {time}")),
            _ => None,
        }
    }

    /// None where somebody reopened it.
    fn why_it_is_back(&self) -> Option<String> {
        match self.substatus.text()? {
            "regressed" => Some("regression".to_owned()),
            "escalating" => Some("escalating".to_owned()),
            _ => None,
        }
    }
}
