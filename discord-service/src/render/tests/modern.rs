//! What a reader sees in the modern layout, for alerts that stand for all.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::Value;
use shared::alert::{Details, Frame};

use super::{
    super::{Change, Exhibit, edit},
    discord::{field, text},
    pictures::picture,
    *,
};

fn modern(folded: &Folded) -> Value {
    embed(folded, &Style::of(Layout::Modern), 6_000).json
}

fn description(alert: Alert) -> String {
    text(&modern(&lone(alert)), "/description").to_owned()
}

fn told(kind: &str, details: Details) -> Alert {
    Alert { kind: kind.to_owned(), details, ..exception() }
}

fn title(alert: Alert) -> String {
    text(&modern(&lone(alert)), "/title").to_owned()
}

/// As many of one alert, the first of them so many minutes before the last.
fn folded(alert: Alert, count: u64, minutes: i64) -> Folded {
    Folded { count, first_ms: alert.timestamp_ms - minutes * 60_000, ..lone(alert) }
}

#[test]
fn alerts_that_stand_for_all() {
    let chained = Alert {
        logger: Some("db.pool".to_owned()),
        message: Some("after 3 tries".to_owned()),
        tags: vec![
            ("transaction".to_owned(), "orders.views in lookup".to_owned()),
            ("server_name".to_owned(), "ip-10-0-3-41".to_owned()),
        ],
        details: Details {
            causes: vec!["socket.timeout: timed out".to_owned(), "ConnectionError: no_route to *".to_owned()],
            events: Some(3),
            users: Some(1),
            since_ms: Some(HAPPENED - 3_600_000),
            ..Details::default()
        },
        culprit: Some("orders.views in lookup".repeat(4)),
        ..exception()
    };
    let hostile = Alert {
        title: Some("`Err`*or*__x__: ```js\nalert(1)\n``` @everyone <@&2> :fire:".to_owned()),
        culprit: Some("orders`views in ``lookup`` @here".to_owned()),
        message: Some("[click](https://evil.example) ||spoiler||\u{202E}gnp.exe".to_owned()),
        rules: vec!["@everyone `rule`".to_owned(), "×9 [x](https://evil.example)".to_owned()],
        project: "[ops](https://evil.example)".to_owned(),
        level: Some("`".to_owned()),
        frame: Some(Frame {
            file: "a`b".to_owned(),
            source: Some("```\n# end".to_owned()),
            ..Frame::default()
        }),
        ..exception()
    };
    let mut gallery = String::new();
    for (name, folded) in [
        ("a usual exception", lone(exception())),
        ("nothing in it", lone(bare())),
        ("a chained exception", lone(chained)),
        ("folded", folded(exception(), 240, 3)),
        ("hostile", lone(hostile)),
        ("not linkable", lone(Alert { url: Some("http://sentry:9000/issues/7/".to_owned()), ..exception() })),
    ] {
        writeln!(gallery, "== {name}\n{}", picture(&modern(&folded))).expect("memory");
    }
    assert_snapshot!(gallery);
}

#[test]
fn in_a_message_of_many_each_is_a_title_and_a_line() {
    assert_eq!(Layout::Modern.among(3), Layout::Modern);
    assert_eq!(Layout::Modern.among(4), Layout::Compact);
    assert_eq!(Layout::Classic.among(10), Layout::Classic);
    let resolved = Alert {
        details: Details { actor: Some("Jane".to_owned()), ..Details::default() },
        ..told("issue.resolved", Details::default())
    };
    let metric = Alert {
        kind: "metric_alert.critical".to_owned(),
        title: Some("Too many errors".to_owned()),
        message: Some("1234 events in the last 10 minutes\nFilter: level:error".to_owned()),
        ..bare()
    };
    let mut gallery = String::new();
    for folded in [lone(exception()), folded(exception(), 240, 3), lone(resolved), lone(metric), lone(bare())]
    {
        let embed = embed(&folded, &Style::of(Layout::Compact), 600);
        writeln!(gallery, "{}", picture(&embed.json)).expect("memory");
    }
    assert_snapshot!(gallery);
}

#[test]
fn the_title_says_what_happened_first() {
    let how = |how: &str| Details { how: Some(how.to_owned()), ..Details::default() };
    let category = |category: &str| Details { category: Some(category.to_owned()), ..Details::default() };
    let none = Details::default;
    for (kind, details, said) in [
        ("error", none(), "KeyError: 'order_id'"),
        ("error", category("cron"), "Cron failure: KeyError: 'order_id'"),
        ("error", category("uptime"), "Downtime: KeyError: 'order_id'"),
        ("error", category("performance"), "Performance: KeyError: 'order_id' in orders.views in lookup"),
        ("error", category("feedback"), "User feedback: KeyError: 'order_id'"),
        ("error", category("replay"), "Replay: KeyError: 'order_id' in orders.views in lookup"),
        ("issue.created", none(), "New: KeyError: 'order_id'"),
        ("issue.unresolved", how("regression"), "Regression: KeyError: 'order_id'"),
        ("issue.unresolved", how("unmuted"), "Unmuted: KeyError: 'order_id'"),
        ("issue.unresolved", how("more than 5 events an hour"), "Back: KeyError: 'order_id'"),
        ("issue.unresolved", none(), "Reopened: KeyError: 'order_id'"),
        ("uptime.down", none(), "Down: KeyError: 'order_id'"),
        ("uptime.up", none(), "Up again: KeyError: 'order_id'"),
        ("test", none(), "Test alert: KeyError: 'order_id'"),
        (
            "activity_alert.triggered",
            how("seer pr created"),
            "Seer opened a pull request: KeyError: 'order_id'",
        ),
        ("activity_alert.triggered", how("set regression"), "Set regression: KeyError: 'order_id'"),
        ("seer.triage_*", none(), r"Seer triage \*: KeyError: 'order_id'"),
    ] {
        assert_eq!(title(told(kind, details)), said, "{kind}");
    }
    // Sentry's own words, and titles that are missing.
    let named = |title: &str| Alert { title: Some(title.to_owned()), ..told("error", category("cron")) };
    assert_eq!(title(named("Cron failure: nightly-backup")), "Cron failure: nightly-backup");
    assert_eq!(title(named("Monitor failure: nightly-backup")), "Monitor failure: nightly-backup");
    // Titles that only begin with the same letters.
    let about = |kind, details, title: &str| Alert { title: Some(title.to_owned()), ..told(kind, details) };
    assert_eq!(title(about("issue.created", none(), "NewsletterError: x")), "New: NewsletterError: x");
    assert_eq!(title(about("uptime.down", none(), "Download mirror")), "Down: Download mirror");
    let unresolved = about("activity_alert.triggered", how("unresolved"), "Unresolved reference: f");
    assert_eq!(title(unresolved), "Unresolved: Unresolved reference: f");
    let untitled = Alert { title: Some("\u{200B}".to_owned()), short_id: Some("API-1".to_owned()), ..bare() };
    assert_eq!(title(untitled), "Issue API-1");
    assert_eq!(modern(&lone(told("uptime.up", none())))["color"], 0x4D_C7_71);
}

#[test]
fn the_first_line_says_who_and_how() {
    let by = |assignee: Option<&str>, how: Option<&str>| Details {
        actor: Some("Jane_".to_owned()),
        assignee: assignee.map(str::to_owned),
        how: how.map(str::to_owned),
        ..Details::default()
    };
    let first = |kind: &str, details| description(told(kind, details)).lines().next().map(str::to_owned);
    for (kind, details, said) in [
        ("issue.resolved", by(None, Some("in the next release")), r"By Jane\_ (in the next release)"),
        ("issue.assigned", by(Some("Bob"), None), r"To Bob by Jane\_"),
        ("issue.assigned", by(Some("Jane_"), None), r"Self-assigned by Jane\_"),
        ("issue.archived", Details { how: Some("for ever".to_owned()), ..Details::default() }, "(for ever)"),
        ("comment.created", by(None, None), r"By Jane\_"),
        ("issue.unresolved", Details { how: Some("regression".to_owned()), ..Details::default() }, "```"),
    ] {
        assert_eq!(first(kind, details).as_deref(), Some(said), "{kind}");
    }
}

#[test]
fn a_message_is_shown_where_it_adds_to_the_title() {
    let shown =
        |message: &str| description(Alert { message: Some(message.to_owned()), frame: None, ..exception() });
    assert_eq!(shown("KeyError: 'order_id'"), "");
    assert_eq!(shown("order_id"), "");
    assert_eq!(shown("KeyError: 'order_id'\nin *all* shops"), r"KeyError: 'order_id' in \*all\* shops");
    assert_eq!(shown(&"x".repeat(400)), format!("{}…", "x".repeat(299)));
}

#[test]
fn the_failing_line_is_what_a_developer_would_look_for() {
    let source = |file: &str, line: Option<u64>, function: &str, source: Option<&str>| {
        let function = Some(function.to_owned());
        let frame = Frame { file: file.to_owned(), line, function, source: source.map(str::to_owned) };
        let shown = description(Alert { frame: Some(frame), ..exception() });
        shown.trim_start_matches("```\n").trim_end_matches("\n```").to_owned()
    };
    assert_eq!(
        source("app/views.py", Some(88), "lookup", Some("   return x\n")),
        "app/views.py:88 in lookup\n    return x"
    );
    let middle = format!("{{snip}} {}HERE{} {{snip}}", "a".repeat(98), "b".repeat(98));
    assert_eq!(
        source("app/views.tsx", Some(2), "o", Some(&middle)),
        format!("app/views.tsx:2 in o\n    …{}HERE{}…", "a".repeat(58), "b".repeat(57))
    );
    for minified in [middle, "a".repeat(121)] {
        let shown = source("/js/main.3f2c.js?v=1", Some(2), "o", Some(&minified));
        assert_eq!(shown, "`/js/main.3f2c.js?v=1:2 in o (minified)`");
    }
    let long = source("app.py", Some(1), "f", Some(&"a".repeat(500)));
    assert_eq!(long, format!("app.py:1 in f\n    {}…", "a".repeat(119)));
    assert_eq!(source("libgame.so", None, "crash_now", None), "`crash_now (libgame.so)`");
    assert_eq!(source("UIKitCore", None, "-[UIView layout]", None), "`-[UIView layout] (UIKitCore)`");
    assert_eq!(source("orders/models.py", None, "lookup", None), "`orders/models.py in lookup`");
    assert_eq!(source("a`b.py", Some(1), "f", Some("```")), "aˋb.py:1 in f\n    ˋˋˋ");
}

#[test]
fn the_state_of_an_issue_is_in_its_first_line_and_in_the_colour() {
    let style = Style::of(Layout::Modern);
    let mut pictures = String::new();
    for alert in [exception(), told("issue.resolved", Details::default())] {
        let folded = lone(alert);
        let first = embed(&folded, &style, 6_000);
        let mut exhibit = Exhibit::new(folded, &style, &first);
        for (kind, minutes) in [("issue.assigned", 1), ("issue.resolved", 2), ("issue.unresolved", 3)] {
            let details = Details {
                actor: Some("Jane".to_owned()),
                assignee: Some("Bob".to_owned()).filter(|_| kind == "issue.assigned"),
                ..Details::default()
            };
            let at = HAPPENED + minutes * 60_000;
            let change = Alert { timestamp_ms: at, received_ms: at, ..told(kind, details) };
            assert!(exhibit.add(&Change::of(&change).expect("a change")));
        }
        // Another setting does not change what is posted already.
        let body = edit(std::iter::once(&exhibit), &Style::of(Layout::Classic), 6_000);
        writeln!(pictures, "{}", picture(&body["embeds"][0])).expect("memory");
    }
    assert_snapshot!(pictures);
}

#[test]
fn an_exhibit_of_a_build_before_there_were_layouts_is_classic() {
    let style = Style::of(Layout::Modern);
    let folded = lone(exception());
    let posted = Exhibit::new(folded.clone(), &style, &embed(&folded, &style, 6_000));
    let mut stored = serde_json::to_value(&posted).expect("it encodes");
    assert!(stored.as_object_mut().is_some_and(|stored| stored.remove("layout").is_some()));
    let before: Exhibit = serde_json::from_value(stored).expect("it is read");
    let shown = |exhibit| edit(std::iter::once(exhibit), &style, 6_000)["embeds"][0]["title"].clone();
    assert_eq!(shown(&before), "***SENTRY ALERT***");
    assert_eq!(shown(&posted), "KeyError: 'order_id'");
}

#[test]
fn a_field_says_what_no_other_part_does() {
    let tag = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let alert = Alert {
        tags: vec![
            tag("transaction", "orders.views in lookup"),
            tag("server_name", &"long ".repeat(30)),
            tag("runtime", "CPython"),
            tag("[x](https://evil.example)", "y"),
            tag("browser", "Firefox 145"),
            tag("os", "Linux"),
            tag("device", ""),
            tag("handled", "no"),
        ],
        ..exception()
    };
    let json = modern(&lone(alert));
    let names: Vec<_> = discord::fields(&json).iter().map(|field| text(field, "/name")).collect();
    assert_eq!(names, ["Level", "Environment", "Release", "Culprit", "browser", "os", "server_name"]);
    assert_eq!(field(&json, "server_name").map(|value| value.chars().count()), Some(64));
}
