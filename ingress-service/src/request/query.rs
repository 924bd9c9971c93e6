//! The query of a webhook's URL: `id=<channel>[&mention=<user>][&token=<secret>]`.

use std::{borrow::Cow, fmt};

use shared::{ChannelId, UserId, ids::InvalidId};

/// A query that has an id and nothing unknown. Whether ids are numbers is asked
/// later: the contract answers a broken body first.
#[derive(Clone, PartialEq, Eq)]
pub struct Query {
    id: String,
    mention: Option<String>,
    token: Option<String>,
}

/// Why a query is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// `id` is missing or empty.
    #[error("query: no id")]
    NoId,
    /// A parameter other than `id`, `mention` and `token`.
    #[error("query: unknown parameter")]
    Unknown,
    /// A parameter stands there twice.
    #[error("query: repeated parameter")]
    Repeated,
    /// Percent-encoding that is none, or not of UTF-8.
    #[error("query: broken encoding")]
    Encoding,
}

impl Query {
    /// Parses what follows the `?` of a URL.
    ///
    /// # Errors
    /// [`QueryError`]: the first thing that is wrong.
    pub fn parse(query: &str) -> Result<Self, QueryError> {
        let (mut id, mut mention, mut token) = (None, None, None);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let slot = match decode(name)?.as_ref() {
                "id" => &mut id,
                "mention" => &mut mention,
                "token" => &mut token,
                _ => return Err(QueryError::Unknown),
            };
            if slot.replace(decode(value)?.into_owned()).is_some() {
                return Err(QueryError::Repeated);
            }
        }
        let given = |value: Option<String>| value.filter(|value| !value.is_empty());
        Ok(Self { id: given(id).ok_or(QueryError::NoId)?, mention: given(mention), token: given(token) })
    }

    /// The channel that a query names, also one that is refused.
    pub(crate) fn names(query: &str) -> Option<ChannelId> {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut ids = pairs.filter(|(name, _)| decode(name).is_ok_and(|name| name == "id"));
        decode(ids.next()?.1).ok()?.parse().ok()
    }

    /// Where to post.
    ///
    /// # Errors
    /// When `id` is not an id.
    pub fn channel(&self) -> Result<ChannelId, InvalidId> {
        self.id.parse()
    }

    /// Whom to mention.
    ///
    /// # Errors
    /// When `mention` is not an id.
    pub fn mention(&self) -> Result<Option<UserId>, InvalidId> {
        self.mention.as_deref().map(str::parse).transpose()
    }

    /// The token that the URL carries.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }
}

impl fmt::Debug for Query {
    /// Without the token, which is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("id", &self.id).field("mention", &self.mention).finish_non_exhaustive()
    }
}

/// Undoes the encoding of HTML forms, strictly: a `%` must begin two
/// hexadecimal digits, and the result must be UTF-8.
fn decode(text: &str) -> Result<Cow<'_, str>, QueryError> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || bytes.next().and_then(|byte| char::from(byte).to_digit(16));
                let (high, low) = (digit(), digit());
                match (high, low) {
                    (Some(high), Some(low)) => (high * 16 + low) as u8,
                    _ => return Err(QueryError::Encoding),
                }
            }
            other => other,
        });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| QueryError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_parameters_of_the_contract_in_any_order() {
        let query = Query::parse("mention=2&id=1&token=s").expect("valid");
        assert_eq!(query.channel(), Ok(ChannelId::new(1)));
        assert_eq!(query.mention(), Ok(Some(UserId::new(2))));
        assert_eq!(query.token(), Some("s"));
        assert_eq!(Query::parse("%69d=%31").expect("valid").channel(), Ok(ChannelId::new(1)));
    }

    #[test]
    fn an_empty_parameter_counts_as_absent() {
        let query = Query::parse("id=1&mention=&token=&&").expect("valid");
        assert_eq!(query.mention(), Ok(None));
        assert_eq!(query.token(), None);
        assert_eq!(Query::parse("id="), Err(QueryError::NoId));
        assert_eq!(Query::parse("id"), Err(QueryError::NoId));
        assert_eq!(Query::parse(""), Err(QueryError::NoId));
    }

    #[test]
    fn refuses_unknown_repeated_and_broken_parameters() {
        for (query, error) in [
            ("id=1&x=2", QueryError::Unknown),
            ("id=1&x=", QueryError::Unknown),
            ("ID=1", QueryError::Unknown),
            ("id=1&=2", QueryError::Unknown),
            ("id=1&id=1", QueryError::Repeated),
            ("id=1&mention=&mention=2", QueryError::Repeated),
            ("id=1&%69d=2", QueryError::Repeated),
            ("id=%", QueryError::Encoding),
            ("id=%3", QueryError::Encoding),
            ("id=%+1", QueryError::Encoding),
            ("id=%zz", QueryError::Encoding),
            ("id=1&mention=%ff", QueryError::Encoding),
            ("%ff=1", QueryError::Encoding),
        ] {
            assert_eq!(Query::parse(query), Err(error), "{query}");
        }
    }

    #[test]
    fn the_channel_of_a_refused_query_is_known_where_it_names_one() {
        for query in ["id=42&x=1", "x=%&id=42", "id=42&id=43", "%69d=%342&mention=%ff"] {
            assert_eq!(Query::names(query), Some(ChannelId::new(42)), "{query}");
        }
        for query in ["", "id", "id=", "id=x", "ID=42", "mention=42"] {
            assert_eq!(Query::names(query), None, "{query}");
        }
    }

    #[test]
    fn whether_an_id_is_a_number_is_asked_later() {
        let query = Query::parse("id=abc&mention=%20").expect("the parameters are known");
        assert_eq!(query.channel(), Err(InvalidId));
        assert_eq!(query.mention(), Err(InvalidId));
    }

    #[test]
    fn a_token_is_not_printed() {
        let query = Query::parse("id=1&token=hunter2").expect("valid");
        assert!(!format!("{query:?}").contains("hunter2"));
    }
}
