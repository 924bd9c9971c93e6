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
    let error = answer(400, &[], body).into_result(false).expect_err("a refusal");
    assert_eq!(
        error.to_string(),
        "Discord refused with 400, code 50035: Invalid Form Body: embeds.0.fields.1.value This field is required"
    );
}

#[test]
fn answers_are_told_apart_by_status_and_code() {
    let result = |status, headers: &[(&'static str, &str)], body, own_token| {
        answer(status, headers, body).into_result(own_token).map(|_| ())
    };
    let json = r#"{"message":"Unknown Channel","code":10003}"#;
    assert!(matches!(result(204, &[], "", false), Ok(())));
    assert!(matches!(result(401, &[], "", false), Err(DiscordError::BadToken(_))));
    assert!(matches!(result(401, &[], "", true), Err(DiscordError::Refused { status: 401, code: 0, .. })));
    assert!(matches!(result(404, &[], json, false), Err(DiscordError::Refused { code: 10_003, .. })));
    assert!(matches!(result(403, &[], "", false), Err(DiscordError::Refused { status: 403, code: 0, .. })));
    let page = [("content-type", "text/html; charset=UTF-8")];
    assert!(matches!(result(403, &page, "<html>", false), Err(DiscordError::Unavailable(_))));
    for passing in [302, 408, 500, 502, 504] {
        assert!(matches!(result(passing, &[], "", false), Err(DiscordError::Unavailable(_))), "{passing}");
    }
    let overloaded = r#"{"message":"overloaded","code":130000}"#;
    assert!(matches!(result(400, &[], overloaded, false), Err(DiscordError::Unavailable(_))));
}
