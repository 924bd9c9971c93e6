//! Lenient pieces of the bodies. The schemas refuse what breaks an alert; where
//! a lesser field is not as expected, the alert does without it.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;
use shared::alert::kept_text;

use crate::payload::{fields::label, timestamp, title::meaningful};

/// A `T`, or nothing where the body has something else.
#[derive(Debug, Clone)]
pub(super) struct Maybe<T>(Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(T::deserialize(Value::deserialize(deserializer)?).ok()))
    }
}

impl<T> Maybe<T> {
    pub(super) const fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }
}

impl Maybe<String> {
    /// The text, unless it is blank or only a placeholder.
    pub(super) fn text(&self) -> Option<&str> {
        meaningful(self.get()?)
    }

    /// The text as an alert keeps it.
    pub(super) fn kept(&self) -> Option<String> {
        kept_text(self.text()?)
    }

    /// The text, cut to a few words.
    pub(super) fn brief(&self) -> Option<String> {
        label(self.text()?)
    }
}

/// A `T`, or the default where the body has something else.
pub(super) fn read<T: DeserializeOwned + Default>(value: Option<&Value>) -> T {
    value.and_then(|value| T::deserialize(value).ok()).unwrap_or_default()
}

/// An id: versions differ in whether it is a number or text.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(i64),
}

/// An id as text.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Scalar")]
pub(super) struct SentryId(pub(super) String);

impl From<Scalar> for SentryId {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Text(text) => Self(text),
            Scalar::Number(number) => Self(number.to_string()),
        }
    }
}

/// A count, also where it is sent as text.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Scalar")]
pub(super) struct Count(pub(super) u64);

impl TryFrom<Scalar> for Count {
    type Error = std::num::ParseIntError;

    fn try_from(scalar: Scalar) -> Result<Self, Self::Error> {
        SentryId::from(scalar).0.trim().parse().map(Self)
    }
}

/// A time in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time(pub(super) i64);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        timestamp::milliseconds(&value).map(Self).ok_or_else(|| serde::de::Error::custom("no time"))
    }
}

impl Maybe<Time> {
    pub(super) fn ms(&self) -> Option<i64> {
        self.get().map(|time| time.0)
    }
}

/// Who did it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Actor {
    id: Maybe<SentryId>,
    name: Maybe<String>,
}

impl Actor {
    /// The name to show; none where it was Sentry itself.
    pub(super) fn person(&self) -> Option<String> {
        if self.id.get().is_some_and(|id| id.0 == "sentry") {
            return None;
        }
        self.name.text().and_then(person)
    }
}

/// A person's name. Sentry sends a mail address for who has none: only the part
/// before the `@` is shown.
pub(super) fn person(name: &str) -> Option<String> {
    label(name.split('@').next().unwrap_or(name))
}

/// Words from a name in code: `by_commit` is `by commit`.
pub(super) fn words(name: &str) -> Option<String> {
    label(&name.replace('_', " "))
}
