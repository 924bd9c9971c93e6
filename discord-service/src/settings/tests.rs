use super::{host_port, prefix};

#[test]
fn an_emulator_is_a_host_and_a_port() {
    for good in ["127.0.0.1:8080", "localhost:80", "[::1]:8080", "firestore.svc:8080"] {
        assert_eq!(host_port(good).as_deref(), Ok(good));
    }
    for bad in
        ["", "x y", "localhost", ":8080", "http://localhost:8080", "a@b:80", "a:80/x", "a:b", "a:99999"]
    {
        assert!(host_port(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_prefix_is_one_short_word_that_stays_in_its_code_span() {
    for good in ["!sentry", "?", "ä!"] {
        assert_eq!(prefix(good).as_deref(), Ok(good));
    }
    for bad in ["", "two words", "a\u{7}b", "`s`", &"x".repeat(33)] {
        assert!(prefix(bad).is_err(), "{bad:?}");
    }
}
