//! Which alerts a channel's trust lets through. The ingress has verified them when
//! they came; this is about what changed since.

use shared::{alert::Trust, trust::ChannelTrust};

use crate::dead_letters::{Cause, Reason};

/// Why an alert that was let in is not trusted any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Distrust {
    /// Its key was revoked.
    Revoked,
    /// It had none, and came after the channel was secured.
    Unproven,
}

/// Whether an alert that came at `received_ms` in this way may be posted.
pub(crate) fn distrust(kept: &ChannelTrust, trust: &Trust, received_ms: i64) -> Option<Distrust> {
    let revoked = |valid: bool| (!valid).then_some(Distrust::Revoked);
    match trust {
        Trust::None => (kept.secured && received_ms >= kept.secured_ms).then_some(Distrust::Unproven),
        Trust::Token(id) => revoked(kept.tokens.iter().any(|key| key.id == *id)),
        Trust::Signature(id) => revoked(kept.secrets.iter().any(|key| key.id == *id)),
    }
}

impl Distrust {
    /// Why, for the dead letter.
    pub(crate) fn cause(self) -> Cause {
        let words = match self {
            Self::Revoked => {
                "the token or client secret under which it came was revoked: give Sentry the channel's present one"
            }
            Self::Unproven => {
                "it came without a token or signature after the channel was secured: give Sentry the URL with the token, or open the channel"
            }
        };
        Cause::new(Reason::Untrusted, words)
    }
}

#[cfg(test)]
mod tests {
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
}
