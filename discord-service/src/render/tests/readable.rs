//! What a person on call would stumble over in the modern layout.

use serde_json::Value;
use shared::alert::Details;

use super::{
    discord::{field, text},
    *,
};

fn shown(alert: Alert) -> Value {
    embed(&lone(alert), &Style::of(Layout::Modern), 6_000).json
}

fn description(alert: Alert) -> String {
    text(&shown(Alert { frame: None, ..alert }), "/description").to_owned()
}

#[test]
fn a_message_goes_on_where_the_title_ends() {
    let whole = "duplicate key value violates unique constraint";
    let told = |title: &str, message: &str| {
        let (title, message) = (Some(title.to_owned()), Some(message.to_owned()));
        description(Alert { title, message, ..exception() })
    };
    assert_eq!(told(whole, &format!("{whole}\nDETAIL: Key (a)=(b)")), "… DETAIL: Key (a)=(b)");
    assert_eq!(told(&format!("{}...", &whole[..40]), &format!("{whole} \"a\"")), "…traint \"a\"");
    assert_eq!(told(whole, &format!("{whole}s of *a*")), format!(r"{whole}s of \*a\*"), "another word");
    assert_eq!(told("Error", "Error: boom"), "Error: boom", "it is short");
}

#[test]
fn a_metric_says_its_value_once() {
    let metric = |query: Option<&str>| Alert {
        kind: "metric_alert.resolved".to_owned(),
        title: Some("Too many errors".to_owned()),
        message: Some("3 events in the last 10 minutes\nFilter: level:error".to_owned()),
        level: Some("resolved".to_owned()),
        details: Details { query: query.map(str::to_owned), ..Details::default() },
        ..bare()
    };
    assert_eq!(description(metric(Some("count() of level:error"))), "3 events in the last 10 minutes");
    assert_eq!(description(metric(None)), "3 events in the last 10 minutes (filter: level:error)");
    assert_eq!(field(&shown(metric(None)), "Level"), None);
}

#[test]
fn evidence_that_is_a_time_says_how_long_ago() {
    let at = "2025-11-22T13:51:02.123456+00:00";
    let evidence = [("Last `check-in`", at), ("Why", "<t:1:R>"), ("At", "2025-11-22T13:51:02Z <@1>")];
    let evidence = evidence.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let json = shown(Alert { details: Details { evidence, ..Details::default() }, ..exception() });
    let lines = "`Last ˋcheck-inˋ:` <t:1763819462:R>\n`Why: <t:1:R>`\n`At: 2025-11-22T13:51:02Z <@1>`";
    assert_eq!(field(&json, "Evidence"), Some(lines));
}

#[test]
fn an_event_without_a_title_says_where_it_happened() {
    let unlabeled = |culprit: Option<&str>, logger: Option<&str>| {
        let (culprit, logger) = (culprit.map(str::to_owned), logger.map(str::to_owned));
        let (title, issue_id) = (Some("Issue 61".to_owned()), Some("61".to_owned()));
        text(&shown(Alert { title, issue_id, culprit, logger, ..bare() }), "/title").to_owned()
    };
    assert_eq!(unlabeled(Some("/pay"), Some("app.jobs")), "Unlabeled event in /pay");
    assert_eq!(unlabeled(None, Some("app.jobs")), "Unlabeled event in app.jobs");
    assert_eq!(unlabeled(None, None), "Issue 61");
}

#[test]
fn a_culprit_that_is_the_title_is_no_field() {
    let json =
        shown(Alert { title: Some("/books/".to_owned()), culprit: Some("/books/ ".to_owned()), ..bare() });
    assert_eq!(field(&json, "Culprit"), None);
}

#[test]
fn in_a_message_of_many_how_bad_it_is_comes_first() {
    let line = |ms: i64| {
        let folded = Folded { count: 2, first_ms: HAPPENED - ms, ..lone(exception()) };
        text(&embed(&folded, &Style::of(Layout::Compact), 600).json, "/description").to_owned()
    };
    assert_eq!(line(1_000), "**×2 in 1 s** · `orders.views in lookup` · `production`");
    let since = "**×2 in 1 min** · `orders.views in lookup` · `production` · first <t:1763905802:R>";
    assert_eq!(line(60_000), since);
}
