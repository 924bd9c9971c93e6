//! `comment`: somebody wrote a note on an issue, changed or deleted it.

use serde::Deserialize;
use serde_json::Value;
use shared::{Alert, alert::kept_text};

use super::{
    lenient::{Maybe, SentryId, Time, read},
    resource::{ACTOR, PlatformResource},
};
use crate::payload::{
    fields::id,
    prune::{SCALAR, Wanted},
};

pub(super) const RESOURCE: PlatformResource = PlatformResource {
    name: "comment",
    kinds: &[("created", "comment.created"), ("updated", "comment.updated"), ("deleted", "comment.deleted")],
    schema: include_str!("../../../schemas/comment.json"),
    body: &Wanted::object(&[
        ("action", SCALAR),
        ("actor", ACTOR),
        (
            "data",
            &Wanted::object(&[
                ("comment_id", SCALAR),
                ("issue_id", SCALAR),
                ("project_slug", SCALAR),
                ("timestamp", SCALAR),
                ("comment", SCALAR),
            ]),
        ),
    ]),
    tell,
};

#[derive(Default, Deserialize)]
#[serde(default)]
struct CommentData {
    issue_id: Maybe<SentryId>,
    project_slug: Maybe<String>,
    timestamp: Maybe<Time>,
    comment: Maybe<String>,
}

fn tell(action: &str, data: &Value, alert: Alert) -> Alert {
    let data: CommentData = read(Some(data));
    let issue = data.issue_id.get().and_then(|issue| id(&issue.0));
    // Somebody took it back: it is not said again.
    let message = data.comment.get().filter(|_| action != "deleted").and_then(|text| kept_text(text));
    // `timestamp` is when the comment was first written.
    let written = data.timestamp.ms().filter(|_| action == "created");
    Alert {
        project: data.project_slug.kept().unwrap_or(alert.project),
        title: issue.as_ref().map(|id| format!("Issue {id}")),
        level: Some("info".to_owned()),
        message,
        timestamp_ms: written.unwrap_or(alert.timestamp_ms),
        issue_id: issue,
        ..alert
    }
}
