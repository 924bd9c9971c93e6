//! What a reader sees in the classic layout, for alerts that stand for all.

use std::fmt::Write as _;

use insta::assert_snapshot;
use serde_json::Value;

use super::{
    discord::{fields, text},
    *,
};

/// An embed as text: author, colour and title with its link, description, fields, footer, time.
pub(super) fn picture(embed: &Value) -> String {
    let mut picture = String::new();
    if let Some(author) = embed.pointer("/author/name") {
        writeln!(picture, "({})", author.as_str().expect("an author")).expect("memory");
    }
    let colour = embed["color"].as_u64().expect("a colour");
    write!(picture, "#{colour:06X} {}", text(embed, "/title")).expect("memory");
    if let Some(url) = embed.get("url") {
        write!(picture, " -> {}", url.as_str().expect("a URL")).expect("memory");
    }
    writeln!(picture, "\n{}", text(embed, "/description")).expect("memory");
    for field in fields(embed) {
        let (name, value) = (text(field, "/name"), text(field, "/value"));
        let wide = if field["inline"] == true { "" } else { " (wide)" };
        writeln!(picture, "{name}{wide}: {}", value.replace('\n', "\n  ")).expect("memory");
    }
    if let Some(footer) = embed.pointer("/footer/text") {
        writeln!(picture, "-- {}", footer.as_str().expect("a footer")).expect("memory");
    }
    if let Some(time) = embed.get("timestamp") {
        writeln!(picture, "at {}", time.as_str().expect("a time")).expect("memory");
    }
    picture
}

pub(super) fn seen(alert: Alert) -> String {
    picture(&rendered(alert).json)
}

#[test]
fn a_usual_exception() {
    assert_snapshot!(seen(exception()), @r#"
    #E03E2F ***SENTRY ALERT*** -> https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin
    backend-api
    Title: `KeyError: 'order_id'`
    Logger: `None`
    Level: `error`
    Culprit: `orders.views in lookup`
    Message: `None`
    URL: https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin
    Timestamp (UTC): `23-11-2025 13:51:02`
    Source (wide): `orders/views.py:88 in lookup`
      `return ORDERS[request.data["order_id"]]`
    Environment: `production`
    Release: `backend@3.14.1`
    -- Send a notification for high priority issues
    "#);
}

#[test]
fn an_alert_with_nothing_in_it() {
    assert_snapshot!(seen(bare()), @r#"
    #E74C3C ***SENTRY ALERT***
    backend-api
    Title: `None`
    Logger: `None`
    Level: `None`
    Culprit: `None`
    Message: `None`
    URL: `None`
    Timestamp (UTC): `23-11-2025 13:51:02`
    "#);
}

#[test]
fn markdown_and_mentions_stay_text() {
    let alert = Alert {
        title: Some("`Err`*or*__x__: ```js\nalert(1)\n``` @everyone <@&2>".to_owned()),
        culprit: Some("orders`views in ``lookup`` @here".to_owned()),
        message: Some("[click](https://evil.example) ||spoiler||\u{202E}gnp.exe".to_owned()),
        rules: vec!["@everyone `rule`".to_owned(), "×9 [x](https://evil.example)".to_owned()],
        project: "[ops](https://evil.example)".to_owned(),
        level: Some("`".to_owned()),
        ..exception()
    };
    assert_snapshot!(seen(alert), @r#"
    #E74C3C ***SENTRY ALERT*** -> https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin
    `[ops](https://evil.example)`
    Title: `ˋErrˋ*or*__x__: ˋˋˋjs alert(1) ˋˋˋ @everyone <@&2>`
    Logger: `None`
    Level: `ˋ`
    Culprit: `ordersˋviews in ˋˋlookupˋˋ @here`
    Message: `[click](https://evil.example) ||spoiler||gnp.exe`
    URL: https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin
    Timestamp (UTC): `23-11-2025 13:51:02`
    Source (wide): `orders/views.py:88 in lookup`
      `return ORDERS[request.data["order_id"]]`
    Environment: `production`
    Release: `backend@3.14.1`
    -- ＠everyone ˋruleˋ, x9 [x] (https:/ /evil.example)
    "#);
}

#[test]
fn other_scripts_stay_readable() {
    let alert = Alert {
        title: Some(
            "ОшибкаКлюча: 顧客IDが見つかりません 🧑🏽\u{200D}🚀 — naïve café — مرحبا — \u{202E}gnp.exe\u{202C}"
                .to_owned(),
        ),
        ..bare()
    };
    assert_snapshot!(seen(alert).replace('\u{200D}', "+"), @r#"
    #E74C3C ***SENTRY ALERT***
    backend-api
    Title: `ОшибкаКлюча: 顧客IDが見つかりません 🧑🏽+🚀 — naïve café — مرحبا — gnp.exe`
    Logger: `None`
    Level: `None`
    Culprit: `None`
    Message: `None`
    URL: `None`
    Timestamp (UTC): `23-11-2025 13:51:02`
    "#);
}

#[test]
fn folded_alerts_say_how_many_and_from_when_to_when() {
    let folded = Folded { count: 12, first_ms: HAPPENED - 456_000, ..lone(exception()) };
    assert_snapshot!(picture(&embed(&folded, &style(), 6_000).json), @r#"
    #E03E2F ***SENTRY ALERT*** -> https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin
    backend-api
    Alerts (wide): ×12 from 23-11-2025 13:43:26 to 23-11-2025 13:51:02
    Title: `KeyError: 'order_id'`
    Logger: `None`
    Level: `error`
    Culprit: `orders.views in lookup`
    Message: `None`
    URL: https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin
    Timestamp (UTC): `23-11-2025 13:51:02`
    Source (wide): `orders/views.py:88 in lookup`
      `return ORDERS[request.data["order_id"]]`
    Environment: `production`
    Release: `backend@3.14.1`
    -- Send a notification for high priority issues
    "#);
}

#[test]
fn in_600_characters_the_longest_texts_are_cut_and_the_rest_stays() {
    let alert = Alert {
        title: Some("OperationalError: ".to_owned() + &"could not connect to the database; ".repeat(20)),
        message: Some("SELECT ".to_owned() + &"column, ".repeat(1_000)),
        logger: Some("app.jobs".to_owned()),
        ..exception()
    };
    assert_snapshot!(picture(&embed(&lone(alert), &style(), 600).json), @r#"
    #E03E2F ***SENTRY ALERT*** -> https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin
    backend-api
    Title: `OperationalError: could not connect to the database; could not connect to the database; could not connect to t…`
    Logger: `app.jobs`
    Level: `error`
    Culprit: `orders.views in lookup`
    Message: `SELECT column, column, column, column, column, column, column, column, column, column, column, column, column,…`
    URL: https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin
    Timestamp (UTC): `23-11-2025 13:51:02`
    Source (wide): `orders/views.py:88 in lookup`
      `return ORDERS[request.data["order_id"]]`
    Environment: `production`
    Release: `backend@3.14.1`
    -- Send a notification for high priority issues
    "#);
}

#[test]
fn at_the_smallest_size_the_contract_stays_and_extras_go() {
    let alert = Alert { message: Some("word ".repeat(300)), title: Some("word ".repeat(300)), ..exception() };
    assert_snapshot!(picture(&embed(&lone(alert), &style(), 400).json), @r#"
    #E03E2F ***SENTRY ALERT*** -> https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin
    backend-api
    Title: `word word word word word word word word word word word word word word word word word word word w…`
    Logger: `None`
    Level: `error`
    Culprit: `orders.views in lookup`
    Message: `word word word word word word word word word word word word word word word word word word word w…`
    URL: https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin
    Timestamp (UTC): `23-11-2025 13:51:02`
    "#);
}

#[test]
fn a_host_without_a_dot_is_shown_as_code_and_not_linked() {
    let url = Some("http://sentry:9000/organizations/acme/issues/7/".to_owned());
    let embed = rendered(Alert { url, ..bare() });
    assert_eq!(discord::field(&embed.json, "URL"), Some("`http://sentry:9000/organizations/acme/issues/7/`"));
    assert_eq!((embed.json.get("url"), embed.link), (None, None));
}

#[test]
fn without_links_nothing_links() {
    let embed = embed(&lone(exception()), &Style { links: false, ..style() }, 6_000);
    assert_eq!(
        discord::field(&embed.json, "URL"),
        Some("`https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin`")
    );
    assert_eq!((embed.json.get("url"), embed.json.get("thumbnail"), embed.link), (None, None, None));
}

#[test]
fn the_glyph_is_set_where_discord_would_take_it() {
    let thumbnail = &rendered(bare()).json["thumbnail"];
    assert_eq!(thumbnail, &serde_json::json!({"url": "https://glyph.example/sentry.png"}));
    let glyph_url = Url::parse("http://glyph/sentry.png").expect("a URL");
    let embed = embed(&lone(bare()), &Style { glyph_url, ..style() }, 6_000);
    assert_eq!(embed.json.get("thumbnail"), None);
}

#[test]
fn a_link_too_long_for_a_button_still_links_the_title() {
    let url = format!("https://acme.sentry.io/issues/{}", "1".repeat(600));
    let embed = rendered(Alert { url: Some(url.clone()), ..bare() });
    assert_eq!((embed.json["url"].as_str(), embed.link), (Some(url.as_str()), None));
    assert_eq!(discord::field(&embed.json, "URL"), Some(url.as_str()));
}

#[test]
fn the_colour_follows_the_level() {
    let colour = |level: Option<&str>| {
        rendered(Alert { level: level.map(str::to_owned), ..bare() }).json["color"].clone()
    };
    for (level, expected) in [
        ("debug", 0xFB_E1_4F),
        ("info", 0x27_88_CE),
        ("warning", 0xFF_C2_27),
        ("error", 0xE0_3E_2F),
        ("FATAL", 0xFA_47_47),
        ("critical", 0xE7_4C_3C),
        ("sample", 0xE7_4C_3C),
    ] {
        assert_eq!(colour(Some(level)), expected, "{level}");
    }
    assert_eq!(colour(None), 0xE7_4C_3C);
}

#[test]
fn an_impossible_time_gives_way_to_the_receipt() {
    let time = |timestamp_ms, received_ms| {
        let embed = rendered(Alert { timestamp_ms, received_ms, ..bare() });
        discord::field(&embed.json, "Timestamp (UTC)").map(str::to_owned)
    };
    assert_eq!(time(i64::MAX, HAPPENED).as_deref(), Some("`23-11-2025 13:51:02`"));
    assert_eq!(time(i64::MIN, i64::MAX).as_deref(), Some("`None`"));
}
