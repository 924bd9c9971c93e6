//! Whether what came with a request is what its channel demands. Pure: the
//! table of docs/ARCHITECTURE.md, and nothing else.

use actix_web::http::header::HeaderMap;
use shared::alert::Trust;

use super::channel_keys::Keys;

pub(super) const SIGNATURE: &str = "Sentry-Hook-Signature";
pub(super) const TIMESTAMP: &str = "Sentry-Hook-Timestamp";
/// How far a request's timestamp may be off, either way, in milliseconds.
const MAX_SKEW_MS: u64 = 10 * 60 * 1_000;

/// A header that should stand once at most.
#[derive(Clone, Copy)]
pub(super) enum Header<'a> {
    Absent,
    Once(&'a [u8]),
    Repeated,
}

impl<'a> Header<'a> {
    fn of(headers: &'a HeaderMap, name: &str) -> Self {
        let mut values = headers.get_all(name);
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::Once(value.as_bytes()),
            (Some(_), Some(_)) => Self::Repeated,
        }
    }
}

/// What a request brings to be trusted. No `Debug`: it is all secret.
#[derive(Clone, Copy)]
pub(crate) struct Evidence<'a> {
    token: Option<&'a str>,
    signature: Header<'a>,
    timestamp: Header<'a>,
    pub(crate) body: &'a [u8],
}

impl<'a> Evidence<'a> {
    /// That of a request with this token in its query and this body, as it came.
    pub(crate) fn of(token: Option<&'a str>, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        let signature = Header::of(headers, SIGNATURE);
        Self { token, signature, timestamp: Header::of(headers, TIMESTAMP), body }
    }
}

/// Why a request is not trusted. The words stand in `status`, for the channel's
/// admins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Distrust {
    #[error("token: the channel has none")]
    NoSuchToken,
    #[error("token: not this channel's")]
    WrongToken,
    #[error("token: missing")]
    TokenMissing,
    #[error("signature: the channel has no client secret to check it with, and a token is missing")]
    NoSecret,
    #[error("signature: matches none of the channel's secrets")]
    WrongSignature,
    #[error("signature: matches none of the channel's secrets, and SECRETS_KEY does not open all of them")]
    Sealed,
    #[error("signature: its timestamp is more than 10 minutes off")]
    Stale,
    #[error("signature: its timestamp is not a time")]
    Timeless,
}

impl Distrust {
    /// A short name for counters.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NoSuchToken | Self::WrongToken => "wrong_token",
            Self::TokenMissing | Self::NoSecret => "missing",
            Self::WrongSignature => "wrong_signature",
            Self::Sealed => "sealed_secret",
            Self::Stale | Self::Timeless => "wrong_timestamp",
        }
    }
}

/// What a request's signature says.
enum Signature<'a> {
    /// There is none, or the channel has no secrets and looks at none.
    None,
    Wrong,
    Right(&'a str),
}

/// How far a request received at `received_ms`, in milliseconds since 1970, is
/// trusted for a channel with these keys.
///
/// # Errors
/// [`Distrust`] when the channel demands something else.
pub(super) fn judge(keys: &Keys, evidence: &Evidence<'_>, received_ms: i64) -> Result<Trust, Distrust> {
    let token = evidence.token.map(|token| keys.token(token).ok_or_else(|| no_token(keys))).transpose()?;
    let signature = match evidence.signature {
        _ if !keys.has_secrets() => Signature::None,
        Header::Absent => Signature::None,
        Header::Repeated => Signature::Wrong,
        Header::Once(signature) => {
            keys.signer(signature, evidence.body).map_or(Signature::Wrong, Signature::Right)
        }
    };
    match (token, signature) {
        (Some(_), Signature::Right(secret)) => Ok(Trust::Signature(secret.to_owned())),
        (Some(token), _) => Ok(Trust::Token(token.to_owned())),
        (None, Signature::Right(secret)) => {
            check_timestamp(evidence.timestamp, received_ms)?;
            Ok(Trust::Signature(secret.to_owned()))
        }
        (None, Signature::Wrong) if keys.has_sealed_secrets() => Err(Distrust::Sealed),
        (None, Signature::Wrong) => Err(Distrust::WrongSignature),
        (None, Signature::None) if !keys.secured => Ok(Trust::None),
        (None, Signature::None) if matches!(evidence.signature, Header::Absent) => {
            Err(Distrust::TokenMissing)
        }
        (None, Signature::None) => Err(Distrust::NoSecret),
    }
}

const fn no_token(keys: &Keys) -> Distrust {
    if keys.has_tokens() { Distrust::WrongToken } else { Distrust::NoSuchToken }
}

/// A missing one is let in: it is not signed, so whoever would leave it out could
/// as well set it.
fn check_timestamp(timestamp: Header<'_>, received_ms: i64) -> Result<(), Distrust> {
    let seconds = match timestamp {
        Header::Absent => return Ok(()),
        Header::Repeated => return Err(Distrust::Timeless),
        Header::Once(text) => str::from_utf8(text).ok().and_then(|text| text.trim().parse::<i64>().ok()),
    };
    let sent_ms = seconds.and_then(|seconds| seconds.checked_mul(1_000)).ok_or(Distrust::Timeless)?;
    if sent_ms.abs_diff(received_ms) > MAX_SKEW_MS { Err(Distrust::Stale) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_763_905_862_123;
    const BODY: &[u8] = b"{}";
    /// Of the body under `hunter2`, made by the `hmac` of Python's library.
    const RIGHT: Header<'_> =
        Header::Once(b"603176255680307a81ec5b984e3a7b4143d0aef1fd1576987618e55c50868ad7");
    const WRONG: Header<'_> =
        Header::Once(b"0000000000000000000000000000000000000000000000000000000000000000");
    const NO: Header<'_> = Header::Absent;

    fn outcome(keys: &Keys, token: Option<&str>, signature: Header<'_>, timestamp: Header<'_>) -> String {
        let evidence = Evidence { token, signature, timestamp, body: BODY };
        match judge(keys, &evidence, NOW_MS) {
            Ok(Trust::None) => "in".to_owned(),
            Ok(Trust::Token(id) | Trust::Signature(id)) => id,
            Err(distrust) => format!("{distrust:?}"),
        }
    }

    #[test]
    fn every_combination_of_what_is_kept_and_what_is_brought() {
        // For a channel that is open and for one that is secured: what comes of
        // no token, the right one and a wrong one.
        type Row<'a> = (Option<&'a str>, &'a [Option<&'a str>], Header<'a>, [&'a str; 3], [&'a str; 3]);
        let (token, none) = (Some("swordfish"), "NoSuchToken");
        let secrets: &[Option<&str>] = &[Some("other"), Some("hunter2")];
        let (sealed, some_sealed): (&[Option<&str>], &[Option<&str>]) = (&[None], &[None, Some("hunter2")]);
        let rows: [Row<'_>; 19] = [
            // Nothing kept: a token is refused, a signature ignored.
            (None, &[], NO, ["in", none, none], ["TokenMissing", none, none]),
            (None, &[], RIGHT, ["in", none, none], ["NoSecret", none, none]),
            (None, &[], WRONG, ["in", none, none], ["NoSecret", none, none]),
            (None, &[], Header::Repeated, ["in", none, none], ["NoSecret", none, none]),
            // A token.
            (token, &[], NO, ["in", "t1", "WrongToken"], ["TokenMissing", "t1", "WrongToken"]),
            (token, &[], RIGHT, ["in", "t1", "WrongToken"], ["NoSecret", "t1", "WrongToken"]),
            (token, &[], WRONG, ["in", "t1", "WrongToken"], ["NoSecret", "t1", "WrongToken"]),
            // Secrets.
            (None, secrets, NO, ["in", none, none], ["TokenMissing", none, none]),
            (None, secrets, RIGHT, ["s2", none, none], ["s2", none, none]),
            (None, secrets, WRONG, ["WrongSignature", none, none], ["WrongSignature", none, none]),
            (None, secrets, Header::Repeated, ["WrongSignature", none, none], ["WrongSignature", none, none]),
            // Both.
            (token, secrets, NO, ["in", "t1", "WrongToken"], ["TokenMissing", "t1", "WrongToken"]),
            (token, secrets, RIGHT, ["s2", "s2", "WrongToken"], ["s2", "s2", "WrongToken"]),
            (
                token,
                secrets,
                WRONG,
                ["WrongSignature", "t1", "WrongToken"],
                ["WrongSignature", "t1", "WrongToken"],
            ),
            (
                token,
                secrets,
                Header::Repeated,
                ["WrongSignature", "t1", "WrongToken"],
                ["WrongSignature", "t1", "WrongToken"],
            ),
            // Secrets that SECRETS_KEY does not open.
            (None, sealed, NO, ["in", none, none], ["TokenMissing", none, none]),
            (None, sealed, RIGHT, ["Sealed", none, none], ["Sealed", none, none]),
            (token, sealed, RIGHT, ["Sealed", "t1", "WrongToken"], ["Sealed", "t1", "WrongToken"]),
            (None, some_sealed, RIGHT, ["s2", none, none], ["s2", none, none]),
        ];
        for (n, (token, secrets, signature, open, secured)) in rows.iter().enumerate() {
            for (is_secured, expected) in [(false, open), (true, secured)] {
                let keys = Keys::of(is_secured, *token, secrets);
                let given = [None, Some("swordfish"), Some("Swordfish")];
                let outcomes = given.map(|token| outcome(&keys, token, *signature, NO));
                assert_eq!(
                    outcomes.each_ref().map(String::as_str),
                    *expected,
                    "row {n}, secured: {is_secured}"
                );
            }
        }
    }

    #[test]
    fn a_timestamp_may_be_ten_minutes_off_where_the_signature_counts() {
        let keys = Keys::of(true, Some("swordfish"), &[Some("hunter2")]);
        let now = NOW_MS / 1_000;
        for (timestamp, expected) in [
            (now.to_string(), "s1"),
            ((now - 599).to_string(), "s1"),
            ((now + 600).to_string(), "s1"),
            ((now - 601).to_string(), "Stale"),
            ((now + 601).to_string(), "Stale"),
            ("0".to_owned(), "Stale"),
            ("-1".to_owned(), "Stale"),
            (i64::MAX.to_string(), "Timeless"),
            (i64::MIN.to_string(), "Timeless"),
            (String::new(), "Timeless"),
            (format!("{now}.5"), "Timeless"),
            ("2025-11-23T13:51:02Z".to_owned(), "Timeless"),
        ] {
            let header = Header::Once(timestamp.as_bytes());
            assert_eq!(outcome(&keys, None, RIGHT, header), expected, "{timestamp}");
            // A right token is enough.
            assert_eq!(outcome(&keys, Some("swordfish"), RIGHT, header), "s1", "{timestamp}");
            assert_eq!(outcome(&keys, Some("swordfish"), WRONG, header), "t1", "{timestamp}");
            let open = Keys::of(false, None, &[]);
            assert_eq!(outcome(&open, None, RIGHT, header), "in", "{timestamp}");
        }
        assert_eq!(outcome(&keys, None, RIGHT, Header::Once(b"\xff")), "Timeless");
        assert_eq!(outcome(&keys, None, RIGHT, Header::Repeated), "Timeless");
        assert_eq!(outcome(&keys, None, RIGHT, Header::Absent), "s1");
    }
}
