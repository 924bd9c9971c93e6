//! `seer`: what Sentry's agent is doing about an issue.

use serde::Deserialize;
use serde_json::Value;
use shared::{Alert, alert::kept_text};

use super::{
    lenient::{Maybe, SentryId, read},
    resource::{ACTOR, PlatformResource},
};
use crate::payload::{
    fields::{id, kept_link, label},
    prune::{SCALAR, Wanted},
};

pub(super) const RESOURCE: PlatformResource = PlatformResource {
    name: "seer",
    kinds: &[
        ("root_cause_started", "seer.root_cause_started"),
        ("root_cause_completed", "seer.root_cause_completed"),
        ("solution_started", "seer.solution_started"),
        ("solution_completed", "seer.solution_completed"),
        ("coding_started", "seer.coding_started"),
        ("coding_completed", "seer.coding_completed"),
        ("iteration_started", "seer.iteration_started"),
        ("iteration_completed", "seer.iteration_completed"),
        ("triage_started", "seer.triage_started"),
        ("triage_completed", "seer.triage_completed"),
        ("impact_assessment_started", "seer.impact_assessment_started"),
        ("impact_assessment_completed", "seer.impact_assessment_completed"),
        ("pr_created", "seer.pr_created"),
        ("pr_ready_for_review", "seer.pr_ready_for_review"),
    ],
    schema: include_str!("../../../schemas/seer.json"),
    body: &Wanted::object(&[
        ("action", SCALAR),
        ("actor", ACTOR),
        (
            "data",
            &Wanted::object(&[
                ("group_id", SCALAR),
                ("root_cause", FINDING),
                ("solution", FINDING),
                ("triage", FINDING),
                ("impact_assessment", FINDING),
                ("changes", CHANGES),
                ("code_changes", CHANGES),
                ("pull_requests", &Wanted::list(PULL_REQUEST)),
            ]),
        ),
    ]),
    tell,
};
const FINDING: &Wanted = &Wanted::object(&[
    ("one_line_description", SCALAR),
    ("one_line_summary", SCALAR),
    ("summary", SCALAR),
    ("description", SCALAR),
    ("five_whys", &Wanted::list(SCALAR)),
    ("steps", &Wanted::list(&Wanted::object(&[("title", SCALAR)]))),
]);
const CHANGES: &Wanted = &Wanted::list(&Wanted::object(&[("repo_name", SCALAR), ("title", SCALAR)]));
const PULL_REQUEST: &Wanted = &Wanted::object(&[
    ("repo_name", SCALAR),
    ("pull_request", &Wanted::object(&[("pr_number", SCALAR), ("pr_url", SCALAR)])),
]);

/// How many lines of reasons, changes or pull requests are kept.
const MAX_LINES: usize = 3;

#[derive(Default, Deserialize)]
#[serde(default)]
struct SeerData {
    group_id: Maybe<SentryId>,
    root_cause: Maybe<Finding>,
    solution: Maybe<Finding>,
    triage: Maybe<Finding>,
    impact_assessment: Maybe<Finding>,
    changes: Maybe<Vec<Maybe<CodeChange>>>,
    code_changes: Maybe<Vec<Maybe<CodeChange>>>,
    pull_requests: Maybe<Vec<Maybe<Opened>>>,
}

/// What Seer found out. Its shape has changed more than once.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Finding {
    one_line_description: Maybe<String>,
    one_line_summary: Maybe<String>,
    summary: Maybe<String>,
    description: Maybe<String>,
    five_whys: Maybe<Vec<Maybe<String>>>,
    steps: Maybe<Vec<Maybe<SolutionStep>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SolutionStep {
    title: Maybe<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CodeChange {
    repo_name: Maybe<String>,
    title: Maybe<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Opened {
    repo_name: Maybe<String>,
    pull_request: Maybe<OpenedPullRequest>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct OpenedPullRequest {
    pr_number: Maybe<SentryId>,
    pr_url: Maybe<String>,
}

fn tell(_: &str, data: &Value, alert: Alert) -> Alert {
    let data: SeerData = read(Some(data));
    let issue = data.group_id.get().and_then(|group| id(&group.0));
    let finding = [&data.root_cause, &data.solution, &data.triage, &data.impact_assessment]
        .into_iter()
        .find_map(Maybe::get);
    let mut details = alert.details;
    details.evidence = match finding {
        Some(finding) => finding.lines(),
        None => data.changes(),
    };
    let opened = data.opened();
    let requests: Vec<_> = opened.iter().map(|(name, _)| name.as_str()).collect();
    Alert {
        title: issue.as_ref().map(|id| format!("Issue {id}")),
        level: Some("info".to_owned()),
        message: finding.and_then(Finding::summary).or_else(|| kept_text(&requests.join(", "))),
        url: opened.iter().find_map(|(_, link)| link.clone()),
        issue_id: issue,
        details,
        ..alert
    }
}

impl SeerData {
    /// Each pull request by its name, with its link.
    fn opened(&self) -> Vec<(String, Option<String>)> {
        let all = self.pull_requests.get().into_iter().flatten().filter_map(Maybe::get);
        let named = all.filter_map(|opened| {
            let request = opened.pull_request.get()?;
            let number = request.pr_number.get().map(|number| format!("#{}", number.0));
            let name: Vec<_> = opened.repo_name.brief().into_iter().chain(number).collect();
            Some((label(&name.join(" "))?, request.pr_url.text().and_then(kept_link)))
        });
        named.take(MAX_LINES).collect()
    }

    fn changes(&self) -> Vec<(String, String)> {
        let all = self.changes.get().or(self.code_changes.get()).into_iter().flatten();
        let named = all.filter_map(Maybe::get).filter_map(|change| {
            Some((change.repo_name.brief().unwrap_or_else(|| "Change".to_owned()), change.title.brief()?))
        });
        named.take(MAX_LINES).collect()
    }
}

impl Finding {
    fn summary(&self) -> Option<String> {
        [&self.one_line_description, &self.one_line_summary, &self.summary, &self.description]
            .into_iter()
            .find_map(Maybe::kept)
    }

    fn lines(&self) -> Vec<(String, String)> {
        let whys = self.five_whys.get().into_iter().flatten().filter_map(Maybe::brief);
        let steps = self.steps.get().into_iter().flatten().filter_map(Maybe::get);
        let steps = steps.filter_map(|step| step.title.brief());
        let whys = whys.map(|why| ("Why".to_owned(), why));
        whys.chain(steps.map(|step| ("Step".to_owned(), step))).take(MAX_LINES).collect()
    }
}
