use super::*;

#[test]
fn a_mistyped_url_shows_no_token() {
    for path in [
        "/sentry-bot/channel&id=7&token=hunter2",
        "/sentry-bot/channel%3Fid=7&token=hunter2",
        "/sentry-bot/channel%26token%3Dhunter2",
        "/sentry-bot/channel=hunter2",
        "/sentry-bot/channel?token=hunter2",
        "/sentry-bot/channel&id=7/0123456789abcdef0123456789abcdef0123456789a",
    ] {
        assert_eq!(shown(path), "/sentry-bot/channel", "{path}");
    }
    let token = "0123456789abcdef-123456789ABCDEF_123456789a";
    for (path, expected) in [
        (format!("/sentry-bot/channel/{token}"), "/sentry-bot/channel/"),
        (format!("/sentry-bot/channel:{token}/x"), "/sentry-bot/channel:"),
        (format!("/{token}"), "/"),
        (token.to_owned(), ""),
    ] {
        assert_eq!(shown(&path), expected, "{path}");
    }
    for path in ["/sentry-bot/channel", "/sentry-bot/channel/", "/elsewhere", ""] {
        assert_eq!(shown(path), path);
    }
}
