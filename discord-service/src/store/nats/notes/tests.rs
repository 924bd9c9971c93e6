use super::*;

#[test]
fn what_a_newer_build_notes_stays_and_nothing_to_note_is_no_value() {
    let note: Note = serde_json::from_str(r#"{"secured_ms":7,"rules":true}"#).expect("a note");
    let open = Note { secured_ms: None, ..note }.encode().expect("JSON");
    assert_eq!(open, r#"{"rules":true}"#);
    assert_eq!(Note::new(None).encode().expect("JSON"), "");
}
