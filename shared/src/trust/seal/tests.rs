use super::*;

fn keys(bytes: &[u8]) -> SecretsKeys {
    let list: Vec<_> = bytes.iter().map(|&byte| BASE64_STANDARD.encode([byte; KEY_BYTES])).collect();
    SecretsKeys::parse(&list.join(", ")).expect("keys")
}

#[test]
fn a_secret_opens_for_its_channel_alone_and_under_every_key_that_is_still_listed() {
    let channel = ChannelId::new(7);
    let sealed = keys(&[1]).seal(channel, &ClientSecret::from(b"hunter2".to_vec())).expect("sealed");
    assert!(!sealed.contains("hunter2"));
    for rotated in [keys(&[1]), keys(&[2, 1])] {
        assert_eq!(rotated.open(channel, &sealed).expect("opens").expose_secret(), b"hunter2");
    }
    assert!(keys(&[2]).open(channel, &sealed).is_err());
    assert!(keys(&[1]).open(ChannelId::new(8), &sealed).is_err());
    for garbage in ["", "!", "AAAA", &sealed[4..]] {
        assert!(keys(&[1]).open(channel, garbage).is_err(), "{garbage}");
    }
}

#[test]
fn what_another_key_sealed_is_sealed_anew_under_the_first_and_then_left_alone() {
    let channel = ChannelId::new(7);
    let sealed = keys(&[1]).seal(channel, &ClientSecret::from(b"hunter2".to_vec())).expect("sealed");
    assert_eq!(keys(&[1, 2]).reseal(channel, &sealed).expect("opens"), None);
    let resealed = keys(&[2, 1]).reseal(channel, &sealed).expect("opens").expect("another key sealed it");
    assert_eq!(keys(&[2]).open(channel, &resealed).expect("opens").expose_secret(), b"hunter2");
    assert_eq!(keys(&[2, 1]).reseal(channel, &resealed).expect("opens"), None);
    assert!(keys(&[3]).reseal(channel, &sealed).is_err());
}

#[test]
fn nothing_secret_is_printed() {
    let secret = ClientSecret::from(b"hunter2".to_vec());
    assert!(!format!("{secret:?} {:?}", keys(&[104])).contains("104"));
}

#[test]
fn keys_are_32_bytes_each() {
    for wrong in ["", "x", "c2hvcnQ=", ","] {
        assert!(SecretsKeys::parse(wrong).is_none(), "{wrong}");
    }
}
