//! The metrics that the binaries export, and what other files say about them.

use std::{
    collections::BTreeSet,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use e2e::{Ledger, Stack};
use harness::{skip, wait::SOON, workspace_root};
use regex::Regex;
use shared::telemetry::{Metric, MetricKind};

/// The folder of the monitoring that operators install.
const MONITORING: &str = "k8s/components/monitoring";

fn all() -> Vec<Metric> {
    [Metric::COMMON, ingress_service::metrics::METRICS, discord_service::metrics::METRICS].concat()
}

fn names() -> BTreeSet<&'static str> {
    all().iter().map(|metric| metric.name).collect()
}

/// The files below a folder with these endings.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)) {
            found.push(path);
        }
    }
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_metric_of_the_sources_is_described() {
    let literal = Regex::new(r#""(sentry_bot_[a-z_]+)""#).expect("a pattern");
    let names = names();
    let mut used = BTreeSet::new();
    for part in ["shared", "ingress-service", "discord-service"] {
        for path in files(&workspace_root().join(part).join("src"), &[".rs"]) {
            let found: Vec<String> =
                literal.captures_iter(&read(&path)).map(|found| found[1].to_owned()).collect();
            let table = path.ends_with("src/metrics.rs");
            for name in found {
                assert!(names.contains(name.as_str()), "{name} in {} is in no table", path.display());
                if !table {
                    used.insert(name);
                }
            }
        }
    }
    for name in names {
        assert!(used.contains(name), "{name} is described, but nothing counts it");
    }
}

#[test]
fn rules_dashboards_and_docs_name_metrics_that_exist() {
    let word = Regex::new(r"\bsentry_bot_[a-z_]+").expect("a pattern");
    let names = names();
    let exists = |name: &str| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|part| name.strip_suffix(part));
        names.contains(name) || base.is_some_and(|base| names.contains(base))
    };
    let root = workspace_root();
    let mut texts = files(&root.join(MONITORING), &[".yml", ".yaml", ".json"]);
    texts.extend(files(&root.join("docs"), &[".md"]));
    texts.push(root.join("README.md"));
    for path in texts {
        for found in word.find_iter(&read(&path)) {
            // Recording rules have names of their own, with colons behind.
            assert!(exists(found.as_str()), "{} in {} does not exist", found.as_str(), path.display());
        }
    }
    let operations = read(&root.join("docs/OPERATIONS.md"));
    for name in names {
        assert!(operations.contains(&format!("`{name}`")), "docs/OPERATIONS.md does not explain {name}");
    }
}

/// Checks a text with `promtool`, if that is installed.
fn promtool(arguments: &[&str], text: &str) {
    let promtool = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        return skip("promtool is not installed (Debian's package prometheus)");
    };
    let mut input = promtool.stdin.take().expect("it is piped");
    input.write_all(text.as_bytes()).expect("promtool reads");
    drop(input);
    let output = promtool.wait_with_output().expect("promtool ends");
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn both_services_export_what_is_described_as_prometheus_wants_it() {
    let ledger = Ledger::default();
    let stack = Stack::start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    for number in 0..30 {
        ledger.send(&stack, channel, &format!("alert {}", number % 3)).await;
    }
    stack.command(stack.owner, "!sentry channel").await;
    ledger.settle(&stack, SOON).await;
    let all = all();
    for service in [&stack.ingress, &stack.discord] {
        let text = reqwest::get(format!("{}/metrics", service.admin())).await.expect("it answers");
        let text = text.text().await.expect("text");
        for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').expect("a name and a kind");
            let metric = all.iter().find(|metric| metric.name == name);
            let described = metric.unwrap_or_else(|| panic!("{name} is in no table")).kind;
            let expected = match described {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                MetricKind::Histogram => "histogram",
            };
            assert_eq!(kind, expected, "{name}");
        }
        // Ids would make a series for each channel.
        assert!(!text.contains(&channel.to_string()), "{text}");
        promtool(&["check", "metrics"], &text);
    }
    assert!(stack.ingress.metric("sentry_bot_ingress_requests_total").await >= 31.0);
    assert!(stack.discord.metric("sentry_bot_alerts_posted_total").await >= 31.0);
    assert!(stack.discord.metric("sentry_bot_delivery_seconds_count").await >= 1.0);
    assert_eq!(stack.discord.metric("sentry_bot_build_info").await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_the_log_is_one_event_as_json_and_an_alert_keeps_its_id() {
    let ledger = Ledger::default();
    let stack = Stack::builder().ingress("LOG_FORMAT", "json").discord("LOG_FORMAT", "json").start().await;
    let channel = stack.authorized_channels(1, &ledger).await[0];
    assert!(matches!(ledger.send(&stack, channel, "followed").await, Some(200 | 202)));
    ledger.settle(&stack, SOON).await;
    let lines = |log: String| -> Vec<serde_json::Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        log.lines().map(parse).collect()
    };
    let (stored, posted) = (lines(stack.ingress.log()), lines(stack.discord.log()));
    let id = stored.iter().rev().find_map(|line| line["alert.id"].as_u64()).expect("a line of its storing");
    let posted = posted.iter().filter(|line| line["message"] == "posted");
    let ids: Vec<_> = posted.filter_map(|line| line["alert.ids"].as_str()).collect();
    assert!(ids.iter().any(|ids| holds(ids, id)), "{id} is not in {ids:?}");
}

/// Whether `id` is one of `ids`, which are written like `1-3,7`: one post may
/// carry several alerts.
fn holds(ids: &str, id: u64) -> bool {
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|error| panic!("{error}: {ids}"));
    ids.split(',').any(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        (number(first)..=number(last)).contains(&id)
    })
}
