//! Tokens and those who act with them.

use serde::Deserialize;

use crate::id;

/// Who does something in Sentry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Sentry itself, such as when an issue escalates.
    Sentry,
    /// The organization's internal integration.
    Integration,
    /// A user, by their user id.
    User(u64),
}

/// A token of the API.
#[derive(Debug, Clone)]
pub struct Token {
    pub(crate) secret: String,
    pub(crate) organization: u64,
    /// `None` is an organization token, which is nobody's.
    pub(crate) actor: Option<Actor>,
    pub(crate) scopes: Vec<String>,
}

impl Token {
    fn new(prefix: &str, organization: u64, actor: Option<Actor>) -> Self {
        let secret = format!("{prefix}{}{}", id::random_hex(), id::random_hex());
        Self { secret, organization, actor, scopes: Vec::new() }
    }

    /// `sntryi_…`: a token of the organization's internal integration.
    pub fn integration(organization: u64) -> Self {
        Self::new("sntryi_", organization, Some(Actor::Integration))
    }

    /// 64 hexadecimal digits: such a token from a version that knew no prefixes.
    pub fn bare(organization: u64) -> Self {
        Self::new("", organization, Some(Actor::Integration))
    }

    /// `sntryu_…`: a personal token of this user.
    pub fn user(organization: u64, user: u64) -> Self {
        Self::new("sntryu_", organization, Some(Actor::User(user)))
    }

    /// `sntrys_…`: an organization token, for build servers. It has the scope `org:ci`, and no other ever.
    pub fn organization(organization: u64) -> Self {
        let mut token = Self::new("sntrys_", organization, None);
        token.scopes = vec!["org:ci".to_owned()];
        token
    }

    /// What it may do, such as `event:write`. Without any it may do nothing.
    #[must_use]
    pub fn scopes<'a>(mut self, scopes: impl IntoIterator<Item = &'a str>) -> Self {
        self.scopes.extend(scopes.into_iter().map(str::to_owned));
        self
    }

    /// A known text in place of one by chance.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = secret.into();
        self
    }

    pub(crate) fn may(&self, any_of: &[&str]) -> bool {
        any_of.iter().any(|scope| self.scopes.iter().any(|have| have == scope))
    }
}
