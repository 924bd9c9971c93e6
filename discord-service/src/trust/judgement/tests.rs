use shared::trust::{SecretKey, TokenKey};

use super::*;

fn own(kept: ChannelTrust) -> JudgingKeys {
    JudgingKeys { own: kept, homes: BTreeMap::new() }
}

fn admitted(home: Option<u64>, trust: Trust) -> Admission {
    Admission { home: home.map(ChannelId::new), trust }
}

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
        let judge = |trust| own(kept(secured)).distrust(&admitted(None, trust), 1);
        assert_eq!(judge(Trust::Token("t".to_owned())), None);
        assert_eq!(judge(Trust::Signature("s".to_owned())), None);
        assert_eq!(judge(Trust::Token("s".to_owned())), Some(Distrust::Revoked), "a secret is no token");
        assert_eq!(judge(Trust::Signature("t".to_owned())), Some(Distrust::Revoked));
    }
}

#[test]
fn without_a_key_it_must_have_come_before_the_channel_was_secured() {
    let judge = |kept, received_ms| own(kept).distrust(&admitted(None, Trust::None), received_ms);
    assert_eq!(judge(kept(true), 99), None);
    assert_eq!(judge(kept(true), 100), Some(Distrust::Unproven));
    assert_eq!(judge(kept(false), 100), None);
    assert_eq!(judge(ChannelTrust::default(), 100), None);
}

#[test]
fn a_rule_brings_nothing_from_an_open_channel_into_a_secured_one() {
    let judge = |own: bool, home: Option<bool>, trust: Trust| {
        let homes = home.map(|secured| (ChannelId::new(7), kept(secured))).into_iter().collect();
        let keys = JudgingKeys { own: ChannelTrust { secured: own, ..ChannelTrust::default() }, homes };
        keys.distrust(&admitted(Some(7), trust), 100)
    };
    let token = || Trust::Token("t".to_owned());
    assert_eq!(judge(false, Some(false), token()), None, "the key is its home's");
    assert_eq!(judge(false, Some(false), Trust::None), None);
    assert_eq!(judge(false, Some(true), Trust::None), Some(Distrust::Unproven));
    assert_eq!(judge(true, Some(true), token()), None);
    assert_eq!(judge(true, Some(true), Trust::Token("x".to_owned())), Some(Distrust::Revoked));
    assert_eq!(judge(true, Some(false), token()), Some(Distrust::OpenHome));
    assert_eq!(judge(true, Some(false), Trust::None), Some(Distrust::OpenHome));
    assert_eq!(judge(false, None, Trust::None), Some(Distrust::OpenHome), "nothing is known of its home");
}
