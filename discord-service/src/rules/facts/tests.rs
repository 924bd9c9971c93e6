use shared::{ChannelId, alert::Details};

use super::*;

fn alert(kind: &str, category: Option<&str>) -> Alert {
    let details = Details { category: category.map(str::to_owned), ..Details::default() };
    Alert { details, ..Alert::new(kind, "web", ChannelId::new(1), 0) }
}

#[test]
fn a_kind_is_what_the_alert_is_about_whichever_webhook_brought_it() {
    for (kind, category, expected) in [
        ("error", None, Kind::Error),
        ("error", Some("cron"), Kind::Cron),
        ("error", Some("uptime"), Kind::Uptime),
        ("error", Some("performance"), Kind::Performance),
        ("error", Some("profile"), Kind::Performance),
        ("error", Some("feedback"), Kind::Feedback),
        ("error", Some("metric"), Kind::Metric),
        ("error", Some("replay"), Kind::Other),
        ("issue.created", None, Kind::Issue),
        ("issue.resolved", Some("replay"), Kind::Issue),
        ("issue.created", Some("cron (monitor check in failure)"), Kind::Cron),
        ("issue.created", Some("outage (monitor check in failure)"), Kind::Cron),
        ("issue.created", Some("outage (uptime domain failure)"), Kind::Uptime),
        ("issue.created", Some("db query (performance n plus one db queries)"), Kind::Performance),
        ("activity_alert.triggered", None, Kind::Issue),
        ("comment.created", None, Kind::Issue),
        ("seer.pr_created", None, Kind::Issue),
        ("metric_alert.critical", None, Kind::Metric),
        ("uptime.down", Some("uptime"), Kind::Uptime),
        ("preprod_artifact.build_distribution_completed", Some("feedback"), Kind::Other),
        ("installation.created", None, Kind::Other),
        ("test", None, Kind::Other),
    ] {
        assert_eq!(Kind::of(&alert(kind, category)), expected, "{kind} {category:?}");
    }
}

#[test]
fn what_an_alert_lacks_is_no_fact() {
    let bare = Alert { level: Some("loud".to_owned()), ..alert("error", None) };
    let bare = Alert { project: UNKNOWN_PROJECT.to_owned(), ..bare };
    let kind = Some(Kind::Error);
    assert_eq!(AlertFacts::from(&bare), AlertFacts { kind, ..AlertFacts::default() });

    let warned = Alert { level: Some(" WARNING ".to_owned()), ..alert("error", None) };
    assert_eq!(AlertFacts::from(&warned).level, Some(Level::Warning));
}

#[test]
fn the_number_of_a_metric_alert_or_an_uptime_check_is_no_issues() {
    let numbered = |kind| Alert { issue_id: Some("7".to_owned()), ..alert(kind, None) };
    assert_eq!(AlertFacts::from(&numbered("issue.created")).issue, Some("7"));
    assert_eq!(AlertFacts::from(&numbered("metric_alert.critical")).issue, None);
    assert_eq!(AlertFacts::from(&numbered("uptime.down")).issue, None);
}
