use super::*;

#[test]
fn secrets_and_mail_addresses_are_taken_out_and_all_else_stays() {
    for (before, after) in [
        ("cannot reach nats://bot:hunter2@10.0.0.1:4222", "cannot reach nats://[removed]@10.0.0.1:4222"),
        ("GET /x?id=1&token=abc&mention=2", "GET /x?id=1&token=[removed]&mention=2"),
        ("Authorization: Bot MTIz.abc-def_ghi.jkl", "Authorization: Bot [removed]"),
        ("no user jane.doe@example.com there", "no user [removed] there"),
        ("Password: x1, next", "Password: [removed], next"),
        ("Discord answered 403 (50001): Missing Access", "Discord answered 403 (50001): Missing Access"),
    ] {
        assert_eq!(text(before), after);
    }
}

#[test]
fn nothing_of_a_user_or_a_request_is_kept_in_an_event() {
    let event = self::event(Event {
        message: Some("token=abc".to_owned()),
        user: Some(sentry::protocol::User::default()),
        request: Some(sentry::protocol::Request::default()),
        extra: [("rule".to_owned(), Value::from(vec!["a@b.example"]))].into(),
        ..Event::default()
    });
    assert_eq!((event.user, event.request), (None, None));
    assert_eq!(event.message.as_deref(), Some("token=[removed]"));
    assert_eq!(event.extra["rule"], Value::from(vec![GONE]));
}
