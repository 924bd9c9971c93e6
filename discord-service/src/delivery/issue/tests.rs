use shared::ChannelId;

use super::*;

fn key(project: &str, url: &str, issue: &str) -> IssueKey {
    let alert = Alert::new("error", project, ChannelId::new(1), 0);
    let url = (!url.is_empty()).then(|| url.to_owned());
    IssueKey::of(&Alert { url, issue_id: Some(issue.to_owned()), ..alert }).expect("it names one")
}

#[test]
fn hosts_tell_no_issues_apart() {
    let links = [
        "https://sentry.io/organizations/acme/issues/7/events/0a1b/",
        "https://acme.sentry.io/issues/7/",
        "https://ACME.sentry.io/issues/7/?referrer=webhooks_plugin",
        "https://us.sentry.io/api/0/organizations/acme/issues/7/",
        "http://10.0.0.5:9000/organizations/acme/issues/7/",
        "http://10.0.0.5/issues/7/",
        "https://sentry.io/issues/7/",
        "",
    ];
    for one in links {
        for other in links {
            assert!(key("shop", one, "7").is(&key("shop", other, "7")), "{one} {other}");
        }
    }
}

#[test]
fn ids_projects_and_organizations_do_where_both_are_known() {
    let acme = "https://acme.sentry.io/issues/7/";
    let other = "https://sentry.io/organizations/other/issues/7/";
    assert!(!key("shop", acme, "7").is(&key("shop", acme, "8")));
    assert!(!key("shop", acme, "7").is(&key("web", acme, "7")));
    assert!(!key("shop", acme, "7").is(&key("shop", other, "7")));
    assert!(key("shop", acme, "7").is(&key(UNKNOWN_PROJECT, acme, "7")));
    assert!(!key("shop", acme, "7").is(&key(UNKNOWN_PROJECT, other, "7")));
    let issues: Issues = [key("shop", acme, "7"), key("shop", other, "7")].into_iter().collect();
    assert!(issues.contains(&key("shop", "", "7")) && !issues.contains(&key("web", "", "7")));
}

#[test]
fn ids_of_metric_alerts_and_uptime_checks_are_none_of_issues() {
    let key = |kind: &str| {
        let alert = Alert::new(kind, "shop", ChannelId::new(1), 0);
        IssueKey::of(&Alert { issue_id: Some("7".to_owned()), ..alert }).expect("it names one")
    };
    assert!(key("metric_alert.critical").is(&key("metric_alert.resolved")));
    assert!(key("uptime.down").is(&key("uptime.up")));
    assert!(key("issue.created").is(&key("error")) && key("error").is(&key("comment.created")));
    for (one, other) in
        [("error", "metric_alert.critical"), ("error", "uptime.up"), ("metric_alert.open", "uptime.up")]
    {
        assert!(!key(one).is(&key(other)) && key(one).former() != key(other).former(), "{one} {other}");
    }
}

#[test]
fn an_organization_is_named_by_the_path_or_by_a_subdomain_that_is_none_of_sentry_s_own() {
    let of = |url: &str| organization(&Url::parse(url).expect("a URL"));
    assert_eq!(of("https://us.sentry.io/issues/7/"), None);
    assert_eq!(of("https://sentry.io/issues/7/"), None);
    assert_eq!(of("https://a.b.sentry.io/issues/7/"), None);
    assert_eq!(of("https://acme.sentry.io.example/issues/7/"), None);
    assert_eq!(of("https://sentry.example/organizations/"), None);
    assert_eq!(of("https://acme.sentry.io/organizations/Other/issues/7/").as_deref(), Some("other"));
    assert_eq!(of("https://acme.sentry.io/issues/7/").as_deref(), Some("acme"));
}
