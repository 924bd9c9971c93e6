use super::*;

#[test]
fn what_a_newer_build_notes_stays_and_nothing_to_note_is_no_value() {
    let note: Note = serde_json::from_str(r#"{"secured_ms":7,"rules":true,"newer":1}"#).expect("a note");
    assert_eq!((note.secured_ms, note.rules), (Some(7), true));
    let open = Note { secured_ms: None, ..note.clone() }.encode().expect("JSON");
    assert_eq!(open, r#"{"rules":true,"newer":1}"#);
    let neither = Note { secured_ms: None, rules: false, ..note }.encode().expect("JSON");
    assert_eq!(neither, r#"{"newer":1}"#);
    assert_eq!(Note::default().encode().expect("JSON"), "");
}
