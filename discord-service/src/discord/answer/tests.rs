use reqwest::header::{HeaderName, HeaderValue};

use super::*;

fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let headers = headers
        .iter()
        .map(|(name, value)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"))
        })
        .collect();
    let status = StatusCode::from_u16(status).expect("a status");
    Answer { status, headers, body: body.as_bytes().to_vec() }
}

#[test]
fn a_window_needs_all_its_headers() {
    let headers = |limit, remaining, reset| {
        answer(
            200,
            &[
                ("x-ratelimit-limit", limit),
                ("x-ratelimit-remaining", remaining),
                ("x-ratelimit-reset-after", reset),
            ],
            "",
        )
        .window()
    };
    let window = Window { limit: 5, remaining: 4, reset_after: Duration::from_millis(1_250) };
    assert_eq!(headers("5", "4", "1.25"), Some(window));
    for (limit, remaining, reset) in [
        ("0", "4", "1"),
        ("five", "4", "1"),
        ("5", "-1", "1"),
        ("5", "4", "-1"),
        ("5", "4", "NaN"),
        ("5", "4", ""),
        ("99999999999", "4", "1"),
    ] {
        assert_eq!(headers(limit, remaining, reset), None, "{limit} {remaining} {reset}");
    }
    assert_eq!(answer(200, &[], "").window(), None);
    let endless = headers("5", "0", "inf").expect("cut to a day");
    assert_eq!(endless.reset_after, Duration::from_secs(86_400));
}

#[test]
fn a_429_about_old_messages_is_told_from_others() {
    let about = |status, body| answer(status, &[], body).old_edits_limited();
    assert_eq!(about(429, r#"{"code":30046,"retry_after":7}"#), Some(Duration::from_secs(7)));
    assert_eq!(about(429, r#"{"message":"…","code":30046}"#), Some(OLD_EDITS_WAIT));
    assert_eq!(about(429, r#"{"code":20028,"retry_after":7}"#), None);
    assert_eq!(about(400, r#"{"code":30046}"#), None);
}

#[test]
fn a_429_says_whom_it_stops_and_for_how_long() {
    let half = Some(Duration::from_millis(500));
    let body = r#"{"message":"slow","retry_after":0.5,"global":false}"#;
    let global = r#"{"message":"slow","retry_after":0.5,"global":true}"#;
    assert_eq!(answer(429, &[("x-ratelimit-scope", "shared")], body).rate_limited(), (Scope::Shared, half));
    assert_eq!(answer(429, &[], body).rate_limited(), (Scope::User, half));
    assert_eq!(answer(429, &[], global).rate_limited(), (Scope::Global, half));
    assert_eq!(answer(429, &[("x-ratelimit-global", "true")], body).rate_limited(), (Scope::Global, half));
    assert_eq!(answer(429, &[], r#"{"message":"slow"}"#).rate_limited(), (Scope::Address, None));
    assert_eq!(
        answer(429, &[("retry-after", "3")], "error code: 1015").rate_limited(),
        (Scope::Address, Some(Duration::from_secs(3)))
    );
    assert_eq!(answer(429, &[("retry-after", "soon")], "").rate_limited(), (Scope::Address, None));
}

#[test]
fn a_form_error_names_the_field() {
    let body = r#"{"message":"Invalid Form Body","code":50035,"errors":{"embeds":{"0":{"fields":{"1":{"value":
        {"_errors":[{"code":"BASE_TYPE_REQUIRED","message":"This field is required"}]}}}}}}}"#;
    assert_eq!(
        answer(400, &[], body).refused(DiscordRefusal::Message).to_string(),
        "Discord refused with 400, code 50035: Invalid Form Body: embeds.0.fields.1.value This field is required"
    );
    assert_eq!(
        answer(404, &[], "").refused(DiscordRefusal::MessageGone).to_string(),
        "Discord refused with 404, code 0: Not Found"
    );
}

#[test]
fn a_passing_fault_is_told_with_discords_words() {
    let edge = answer(403, &[], r#"{"message":"internal network error","code":40333}"#).passing(true);
    assert!(matches!(edge, DiscordError::Unavailable { answered_4xx: true, .. }));
    assert_eq!(
        edge.to_string(),
        "Discord is unavailable: it answered 403 Forbidden, code 40333: internal network error"
    );
    let text = answer(502, &[], "error code: 1020").passing(false);
    assert!(matches!(text, DiscordError::Unavailable { answered_4xx: false, .. }));
    assert_eq!(text.to_string(), "Discord is unavailable: it answered 502 Bad Gateway");
}

#[test]
fn only_a_code_that_is_a_number_counts() {
    let closed = Meaning::Refused(DiscordRefusal::Channel);
    let passing = Meaning::Passing { answered_4xx: true };
    for (body, meaning) in [
        (r#"{"message":"Missing Access","code":50001}"#, closed),
        (r#"{"code":50001}"#, closed),
        (r#"{"message":"Missing Access","code":"50001"}"#, passing),
        (r#"{"message":"Missing Access","code":50001.5}"#, passing),
        (r#"{"message":"Missing Access","code":-1}"#, passing),
        (r#"{"message":"Missing Access"}"#, passing),
        ("[50001]", passing),
        ("50001", passing),
        ("", passing),
    ] {
        let json = [("content-type", "application/json")];
        assert_eq!(answer(403, &json, body).meaning(Asked::Post), meaning, "{body}");
        let page = [("content-type", "text/html")];
        assert_eq!(answer(403, &page, body).meaning(Asked::Post), passing, "{body}");
    }
}
