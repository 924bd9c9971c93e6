//! What a reader sees of what Sentry sends.

use std::{fmt::Write as _, fs};

use insta::assert_snapshot;
use shared::alert::{Details, Sender};

use super::{
    super::{Mentions, message},
    discord::{faults, field},
    pictures::{picture, seen},
    *,
};

/// The alerts of all payloads of a family, as the tests of the ingress keep them: what
/// one service writes, the other must read.
fn alerts(family: &str) -> Vec<(String, Alert)> {
    let folder = harness::workspace_root().join("ingress-service/tests/api/snapshots");
    let entries = fs::read_dir(folder).expect("the snapshots are there");
    let mut alerts: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.expect("readable").path();
            let name = path.file_stem()?.to_str()?.strip_prefix("api__")?;
            let name = name.strip_prefix(family)?.strip_prefix("__")?.to_owned();
            let text = fs::read_to_string(&path).expect("readable");
            let json = text.splitn(3, "---\n").nth(2).expect("a snapshot has a head");
            Some((name, Alert::decode(json.as_bytes()).expect("an alert")))
        })
        .collect();
    alerts.sort_by(|a, b| a.0.cmp(&b.0));
    alerts
}

#[test]
fn every_kind_says_what_happened_where_how_bad_and_since_when() {
    let mut pictures = String::new();
    for (name, alert) in alerts("platform") {
        // A joiner would make the snapshot look other than it is.
        writeln!(pictures, "== {name}\n{}", seen(alert).replace('\u{200D}', "")).expect("memory");
    }
    assert_snapshot!(pictures);
}

#[test]
fn every_payload_reads_at_a_glance_in_the_modern_layout() {
    let mut pictures = String::new();
    for (name, alert) in alerts("payloads").into_iter().chain(alerts("platform")) {
        let embed = embed(&lone(alert), &Style::of(Layout::Modern), 6_000);
        assert_eq!(faults(&embed.json), Vec::<String>::new(), "{name}");
        writeln!(pictures, "== {name}\n{}", picture(&embed.json).replace('\u{200D}', "")).expect("memory");
    }
    assert_snapshot!(pictures);
}

fn told(kind: &str, details: Details) -> String {
    let json = rendered(Alert { kind: kind.to_owned(), details, ..bare() }).json;
    field(&json, "Event").unwrap_or_default().to_owned()
}

#[test]
fn the_first_field_tells_who_did_what_and_how() {
    let jane = || Some("Jane".to_owned());
    let by_jane = || Details { actor: jane(), ..Details::default() };
    let how = |how: &str| Details { how: Some(how.to_owned()), ..Details::default() };
    assert_eq!(told("error", by_jane()), "");
    assert_eq!(told("issue.resolved", by_jane()), "`Issue resolved by Jane`");
    let next = Details { actor: jane(), ..how("in the next release") };
    assert_eq!(told("issue.resolved", next), "`Issue resolved by Jane (in the next release)`");
    let taken = Details { assignee: jane(), ..by_jane() };
    assert_eq!(told("issue.assigned", taken), "`Issue self-assigned by Jane`");
    let given = Details { assignee: Some("team backend".to_owned()), ..by_jane() };
    assert_eq!(told("issue.assigned", given), "`Issue assigned to team backend by Jane`");
    assert_eq!(told("issue.unresolved", how("regression")), "`Issue is back (regression)`");
    assert_eq!(told("issue.unresolved", by_jane()), "`Issue reopened by Jane`");
    assert_eq!(told("metric_alert.open", Details::default()), "`Metric alert is open`");
    assert_eq!(told("installation.deleted", by_jane()), "`Sentry integration removed by Jane`");
    assert_eq!(told("preprod_artifact.size_analysis_completed", how("failed")), "`Size analysis (failed)`");
    assert_eq!(told("seer.triage_completed", Details::default()), "`seer triage completed`");
    assert_eq!(told("uptime.`very` @new", Details::default()), "`uptime ˋveryˋ @new`");
}

#[test]
fn what_is_over_is_green_whatever_its_level() {
    for kind in ["issue.resolved", "metric_alert.resolved"] {
        let alert = Alert { kind: kind.to_owned(), level: Some("fatal".to_owned()), ..bare() };
        assert_eq!(rendered(alert).json["color"], 0x4D_C7_71);
    }
}

#[test]
fn the_button_names_whose_issue_it_opens() {
    for (sender, label) in [
        (Sender::Sentry, "Open in Sentry"),
        (Sender::GlitchTip, "Open in GlitchTip"),
        (Sender::Bugsink, "Open in Bugsink"),
        (Sender::Other, "Open issue"),
    ] {
        let body = message(&[rendered(Alert { sender, ..exception() })], &Mentions::default(), "n-1");
        assert_eq!(body.pointer("/components/0/components/0/label"), Some(&label.into()));
    }
}

#[test]
fn a_pull_requests_button_says_where_it_leads() {
    let url = Some("https://github.com/acme/backend/pull/991".to_owned());
    let embed = rendered(Alert { kind: "seer.pr_created".to_owned(), url, ..bare() });
    let body = message(&[embed], &Mentions::default(), "n-1");
    assert_eq!(body.pointer("/components/0/components/0/label"), Some(&"Open pull request".into()));
}
