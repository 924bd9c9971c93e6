//! `metric_alert`: a metric went over a threshold of its alert, or back.

use serde::Deserialize;
use serde_json::Value;
use shared::{Alert, alert::kept_text};

use super::{
    lenient::{Maybe, SentryId, Time, read},
    resource::{ACTOR, PlatformResource},
};
use crate::payload::{
    fields::{id, kept_link, label},
    prune::{SCALAR, Wanted},
};

pub(super) const RESOURCE: PlatformResource = PlatformResource {
    name: "metric_alert",
    kinds: &[
        ("critical", "metric_alert.critical"),
        ("warning", "metric_alert.warning"),
        ("resolved", "metric_alert.resolved"),
        ("open", "metric_alert.open"),
    ],
    schema: include_str!("../../../schemas/metric_alert.json"),
    body: &Wanted::object(&[
        ("action", SCALAR),
        ("actor", ACTOR),
        (
            "data",
            &Wanted::object(&[
                ("metric_alert", METRIC_ALERT),
                ("description_title", SCALAR),
                ("description_text", SCALAR),
                ("web_url", SCALAR),
            ]),
        ),
    ]),
    tell,
};
const METRIC_ALERT: &Wanted = &Wanted::object(&[
    ("id", SCALAR),
    ("title", SCALAR),
    ("projects", &Wanted::list(SCALAR)),
    ("date_started", SCALAR),
    ("date_closed", SCALAR),
    (
        "alert_rule",
        &Wanted::object(&[
            ("id", SCALAR),
            ("name", SCALAR),
            ("aggregate", SCALAR),
            ("query", SCALAR),
            ("time_window", SCALAR),
            ("environment", SCALAR),
            ("comparison_delta", SCALAR),
            ("detection_type", SCALAR),
            ("threshold_type", SCALAR),
            ("triggers", &Wanted::list(&Wanted::object(&[("label", SCALAR), ("alert_threshold", SCALAR)]))),
        ]),
    ),
]);

#[derive(Default, Deserialize)]
#[serde(default)]
struct MetricData {
    metric_alert: Incident,
    description_title: Maybe<String>,
    description_text: Maybe<String>,
    web_url: Maybe<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Incident {
    id: Maybe<SentryId>,
    title: Maybe<String>,
    /// Slugs.
    projects: Maybe<Vec<Maybe<String>>>,
    date_started: Maybe<Time>,
    date_closed: Maybe<Time>,
    alert_rule: Maybe<MetricRule>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MetricRule {
    name: Maybe<String>,
    aggregate: Maybe<String>,
    query: Maybe<String>,
    /// Minutes.
    time_window: Maybe<f64>,
    environment: Maybe<String>,
    comparison_delta: Maybe<f64>,
    detection_type: Maybe<String>,
    /// 0: fires above its thresholds, 1: below.
    threshold_type: Maybe<u64>,
    triggers: Maybe<Vec<Maybe<Trigger>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Trigger {
    label: Maybe<String>,
    alert_threshold: Maybe<f64>,
}

fn tell(action: &str, data: &Value, alert: Alert) -> Alert {
    let data: MetricData = read(Some(data));
    let incident = &data.metric_alert;
    let rule = incident.alert_rule.get();
    let projects = incident.projects();
    let mut details = alert.details;
    details.since_ms = incident.date_started.ms();
    details.query = rule.and_then(MetricRule::describe);
    if projects.len() > 1 {
        let all = label(&projects.join(", "));
        details.evidence = all.map(|all| ("Projects".to_owned(), all)).into_iter().collect();
    }
    let closed = incident.date_closed.ms().filter(|_| action == "resolved");
    Alert {
        project: projects.into_iter().next().unwrap_or(alert.project),
        title: rule
            .and_then(|rule| rule.name.kept())
            .or_else(|| incident.title.kept())
            .or_else(|| data.description_title.kept()),
        level: kept_text(action),
        message: data.description_text.kept(),
        url: data.web_url.text().and_then(kept_link),
        timestamp_ms: closed.unwrap_or(alert.timestamp_ms),
        environment: rule.and_then(|rule| rule.environment.brief()),
        issue_id: incident.id.get().and_then(|incident| id(&incident.0)),
        details,
        ..alert
    }
}

impl Incident {
    fn projects(&self) -> Vec<String> {
        self.projects.get().into_iter().flatten().filter_map(Maybe::kept).collect()
    }
}

impl MetricRule {
    /// What is measured, over what time, and when it fires.
    fn describe(&self) -> Option<String> {
        let mut parts = vec![match (self.aggregate.text(), self.query.text()) {
            (Some(aggregate), Some(query)) => format!("{aggregate} of {query}"),
            (found, None) | (None, found) => found?.to_owned(),
        }];
        parts.extend(self.time_window.get().map(|minutes| format!("over {minutes} minutes")));
        parts.extend(self.thresholds());
        kept_text(&parts.join(", "))
    }

    /// The thresholds, where they are plain values: not percentages of the past,
    /// nor what Sentry makes of it.
    fn thresholds(&self) -> impl Iterator<Item = String> {
        let plain = self.comparison_delta.get().is_none()
            && self.detection_type.text().is_none_or(|kind| kind == "static");
        let side = match self.threshold_type.get() {
            Some(0) => Some("above"),
            Some(1) => Some("below"),
            _ => None,
        };
        let triggers = self.triggers.get().filter(|_| plain).into_iter().flatten().filter_map(Maybe::get);
        triggers.filter_map(move |trigger| {
            Some(format!("{} {} {}", trigger.label.text()?, side?, trigger.alert_threshold.get()?))
        })
    }
}
