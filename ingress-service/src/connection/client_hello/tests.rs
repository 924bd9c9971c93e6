use super::*;

#[test]
fn a_record_is_waited_for_and_anything_else_is_not() {
    assert!(!is_record(&[]));
    assert!(!is_record(&[HANDSHAKE, 3, 1, 0]));
    assert!(!is_record(&[HANDSHAKE, 3, 1, 0, 2, 1]));
    assert!(is_record(&[HANDSHAKE, 3, 1, 0, 2, 1, 1]));
    assert!(is_record(&[HANDSHAKE, 3, 1, 0, 0]));
    assert!(is_record(b"P"), "plain HTTP");
    let long = [&[HANDSHAKE, 3, 1, 255, 255][..], &[0; MAX_HELLO]].concat();
    assert!(!is_record(&long[..MAX_HELLO - 1]) && is_record(&long[..MAX_HELLO]));
}
