//! The query of a webhook's URL: `id=<channel>[&mention=<user>][&token=<secret>]`.

#[cfg(test)]
mod tests;

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
    /// The same parameter twice.
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
