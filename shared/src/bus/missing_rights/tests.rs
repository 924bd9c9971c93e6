use clap::Parser as _;

use super::*;
use crate::{bus::stream_table::table, settings::CommonSettings};

#[derive(clap::Parser)]
struct TestSettings {
    #[command(flatten)]
    common: CommonSettings,
}

#[tokio::test]
async fn a_refusal_is_told_by_its_right_and_only_what_is_needed_makes_the_process_unready() {
    let readiness = Readiness::default();
    let settings = TestSettings::parse_from(["test"]).common.nats;
    let lacks =
        MissingRights::new(ServiceRights::of("ingress-service", &table(&settings)), readiness.clone());
    let object = |way: &str, subject: &str| {
        lacks.note(&format!("Permissions Violation for {way} to \"{subject}\""));
    };
    for channel in 0..3 {
        object("Publish", &format!("$KV.seen.{channel}.issue.7"));
    }
    lacks.refuses("$KV.seen.4.issue.7").await;
    assert!(!lacks.lacks("alerts.1.2"));
    let (ready, checks) = readiness.report();
    assert!(ready);
    assert!(checks["rights"].contains("right to: Publish to \"$KV.seen.>\":"), "{checks:?}");
    object("Publish", "alerts.1.2");
    let (ready, checks) = readiness.report();
    assert!(!ready && checks["rights"].contains("Publish to \"alerts.*.*\""), "{checks:?}");
    lacks.clear();
    assert!(readiness.report().0 && readiness.report().1.is_empty());
}
