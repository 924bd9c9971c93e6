use shared::trust::{SecretKey, TokenKey};

use super::*;

fn kept(secured: bool) -> ChannelTrust {
    ChannelTrust {
        secured,
        secured_ms: if secured { 100 } else { 0 },
        tokens: vec![TokenKey { id: "t".to_owned(), sha256: String::new() }],
        secrets: vec![SecretKey { id: "s".to_owned(), sealed: String::new() }],
        ..ChannelTrust::default()
    }
}

#[test]
fn a_key_is_good_while_the_channel_has_it_secured_or_not() {
    for secured in [false, true] {
        let judge = |trust| distrust(&kept(secured), &trust, 1);
        assert_eq!(judge(Trust::Token("t".to_owned())), None);
        assert_eq!(judge(Trust::Signature("s".to_owned())), None);
        assert_eq!(judge(Trust::Token("s".to_owned())), Some(Distrust::Revoked), "a secret is no token");
        assert_eq!(judge(Trust::Signature("t".to_owned())), Some(Distrust::Revoked));
    }
}

#[test]
fn without_a_key_it_must_have_come_before_the_channel_was_secured() {
    assert_eq!(distrust(&kept(true), &Trust::None, 99), None);
    assert_eq!(distrust(&kept(true), &Trust::None, 100), Some(Distrust::Unproven));
    assert_eq!(distrust(&kept(false), &Trust::None, 100), None);
    assert_eq!(distrust(&ChannelTrust::default(), &Trust::None, 100), None);
}
