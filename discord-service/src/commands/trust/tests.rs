use super::*;

#[test]
fn a_client_secret_is_one_word_of_a_fitting_length() {
    let read = |text: &str| {
        let secret = client_secret(&text.to_owned().into())?;
        Some(String::from_utf8(secret.expose_secret().to_vec()).expect("it was text"))
    };
    let word = "0123456789abcdef".repeat(4);
    assert_eq!(read(&format!(" {word}\n")), Some(word));
    for wrong in ["", "short", "two words of enough length", "ünicode-ünicode-ünicode", &"x".repeat(257)] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}
