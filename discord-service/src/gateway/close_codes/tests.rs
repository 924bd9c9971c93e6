use super::*;

#[test]
fn close_codes_ask_for_what_is_documented() {
    for code in [4010, 4012, 4013] {
        assert_eq!(Closed::of(Some(code)), Closed::Final(code));
    }
    assert_eq!(Closed::of(Some(4004)), Closed::BadToken);
    assert_eq!(Closed::of(Some(4011)), Closed::TooFewShards);
    assert_eq!(Closed::of(Some(4014)), Closed::ContentNotGranted);
    for code in [4003, 4006, 4007, 4009] {
        assert_eq!(Closed::of(Some(code)), Closed::Identify);
    }
    for code in [None, Some(1000), Some(1006), Some(4000), Some(4001), Some(4008), Some(4015)] {
        assert_eq!(Closed::of(code), Closed::Resume);
    }
}

#[test]
fn every_documented_code_has_words() {
    for code in 4000..=4014 {
        assert_ne!(words(code), words(0), "{code}");
    }
}
