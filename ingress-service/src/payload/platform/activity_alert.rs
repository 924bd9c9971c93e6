//! `activity_alert`: an alert that somebody routed fired on an issue's activity.

use serde::Deserialize;
use serde_json::Value;
use shared::Alert;

use super::{
    issue::{ISSUE, Issue},
    lenient::{Maybe, read, words},
    resource::{ACTOR, PlatformResource},
};
use crate::payload::prune::{SCALAR, Wanted};

pub(super) const RESOURCE: PlatformResource = PlatformResource {
    name: "activity_alert",
    kinds: &[("triggered", "activity_alert.triggered")],
    schema: include_str!("../../../schemas/activity_alert.json"),
    body: &Wanted::object(&[
        ("action", SCALAR),
        ("actor", ACTOR),
        (
            "data",
            &Wanted::object(&[
                ("issue", ISSUE),
                ("activity", &Wanted::object(&[("type", SCALAR), ("details", DETAILS)])),
                ("alert", &Wanted::object(&[("title", SCALAR), ("name", SCALAR)])),
            ]),
        ),
    ]),
    tell,
};
const DETAILS: &Wanted = &Wanted::object(&[
    ("summary", SCALAR),
    ("pull_requests", &Wanted::list(&Wanted::object(&[("repo_name", SCALAR), ("url", SCALAR)]))),
]);

#[derive(Default, Deserialize)]
#[serde(default)]
struct ActivityData {
    issue: Issue,
    activity: Maybe<IssueActivity>,
    alert: Maybe<RoutedAlert>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct IssueActivity {
    r#type: Maybe<String>,
    details: Maybe<ActivityDetails>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ActivityDetails {
    /// What Seer found out.
    summary: Maybe<String>,
    pull_requests: Maybe<Vec<Maybe<LinkedPullRequest>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LinkedPullRequest {
    repo_name: Maybe<String>,
    url: Maybe<String>,
}

/// Versions differ in what they call it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct RoutedAlert {
    title: Maybe<String>,
    name: Maybe<String>,
}

fn tell(_: &str, data: &Value, alert: Alert) -> Alert {
    let data: ActivityData = read(Some(data));
    let mut alert = data.issue.tell(alert);
    let activity = data.activity.get();
    alert.details.how = activity.and_then(|activity| activity.r#type.text()).and_then(words);
    let details = activity.and_then(|activity| activity.details.get());
    alert.message = details.and_then(|details| details.summary.kept()).or(alert.message);
    let requests =
        details.and_then(|details| details.pull_requests.get()).into_iter().flatten().filter_map(Maybe::get);
    alert.details.evidence = requests
        .filter_map(|request| {
            Some((
                request.repo_name.brief().unwrap_or_else(|| "Pull request".to_owned()),
                request.url.brief()?,
            ))
        })
        .take(3)
        .collect();
    let rule = data.alert.get().and_then(|rule| rule.title.brief().or_else(|| rule.name.brief()));
    Alert { rules: rule.into_iter().collect(), ..alert }
}
