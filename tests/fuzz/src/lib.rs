//! What is fuzzed: functions from any bytes to nothing, that must not panic.
//! `tests/tools/fuzz.sh` drives them with libFuzzer; a test runs each over its
//! seeds and over every input that once broke it.

/// A record on the bus, which another version may have written.
pub fn alert(bytes: &[u8]) {
    if let Ok(alert) = shared::Alert::decode(bytes) {
        let again = shared::Alert::decode(&alert.encode()).expect("what was read can be written and read");
        assert_eq!(again, alert);
    }
}
