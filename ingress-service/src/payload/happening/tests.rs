use serde_json::json;
use shared::ChannelId;

use super::*;

fn evidence_of(category: &str, title: &str, event: &Value) -> Vec<String> {
    let mut alert = Alert::new("error", "shop", ChannelId::new(1), 0);
    alert.title = Some(title.to_owned());
    alert.details.category = Some(category.to_owned());
    evidence(event, &alert).into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

#[test]
fn a_monitor_is_explained_by_its_status_and_schedule() {
    let event = |schedule: Value| {
        let config = json!({"schedule": schedule, "timezone": "Europe/Vienna"});
        json!({"contexts": {"monitor": {"slug": "nightly-backup", "status": "missed_checkin", "config": config}}})
    };
    let crontab = event(json!("0 3 * * *"));
    let told = ["Status: missed checkin", "Schedule: 0 3 * * * (Europe/Vienna)"];
    assert_eq!(evidence_of("cron", "Cron failure: nightly-backup", &crontab), told);
    assert_eq!(evidence_of("cron", "Monitor failure", &crontab)[0], "Monitor: nightly-backup");
    for (schedule, expected) in [
        (json!([1, "day"]), Some("Schedule: every 1 day")),
        (json!([2, "hour"]), Some("Schedule: every 2 hours")),
        (json!([2]), None),
        (json!(7), None),
    ] {
        let told = evidence_of("cron", "nightly-backup", &event(schedule));
        assert_eq!(told.get(1).map(String::as_str), expected, "{told:?}");
    }
    assert_eq!(evidence_of("feedback", "x", &crontab), [""; 0]);
}

#[test]
fn a_performance_problem_is_explained_by_the_span_that_repeats() {
    let span = |description: &str| json!({"op": "db", "description": description});
    let event = |repeated: usize| {
        let spans = std::iter::repeat_n(span("SELECT 1"), repeated).chain([span("SELECT 2"), json!(null)]);
        json!({"contexts": {"trace": {"op": "http.server"}}, "spans": spans.collect::<Vec<_>>()})
    };
    let operation = "Operation: http.server";
    assert_eq!(evidence_of("performance", "/", &event(4)), [operation]);
    let told = [operation, "Repeating Spans: 5 times db - SELECT 1"];
    assert_eq!(evidence_of("performance", "/", &event(5)), told);
    let told = evidence_of("performance", "/", &event(KEPT_ITEMS - 2));
    assert_eq!(told[1], "Repeating Spans: at least 254 times db - SELECT 1");
}
