//! Patterns for the names of projects and environments.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::MAX_TEXT;

/// Stands for any text, also for none.
const STAR: char = '*';

/// A pattern of 1 to [`MAX_TEXT`] characters. `*` stands for any text, also for none, and
/// every other character for itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Glob(String);

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGlob {
    /// Nothing but blanks.
    #[error("a pattern needs at least one character")]
    Empty,
    /// Longer than a pattern may be.
    #[error("a pattern has at most {MAX_TEXT} characters")]
    TooLong,
    /// It holds a character that no name has.
    #[error("a pattern has no line breaks and no other control characters")]
    ControlCharacter,
}

impl Glob {
    /// Whether the whole text is as the pattern says.
    pub fn matches(&self, text: &str) -> bool {
        let mut literals = self.0.split(STAR);
        let Some(mut rest) = literals.next().and_then(|first| text.strip_prefix(first)) else {
            return false;
        };
        let Some(last) = literals.next_back() else { return rest.is_empty() };
        // The leftmost place of each leaves the most room for the next.
        for literal in literals {
            let Some((_, after)) = rest.split_once(literal) else { return false };
            rest = after;
        }
        rest.ends_with(last)
    }

    /// Whether this matches each text that `other` matches.
    pub fn covers(&self, other: &Self) -> bool {
        // A star of `other` may be a text that only a star matches, such as this one. If
        // that matches, any other text in its place does too.
        self.matches(&other.0.replace(STAR, "\0"))
    }
}

impl FromStr for Glob {
    type Err = InvalidGlob;

    /// Blanks around the pattern do not count.
    fn from_str(text: &str) -> Result<Self, InvalidGlob> {
        let text = text.trim();
        match text {
            "" => Err(InvalidGlob::Empty),
            _ if text.chars().any(char::is_control) => Err(InvalidGlob::ControlCharacter),
            _ if text.chars().nth(MAX_TEXT.into()).is_some() => Err(InvalidGlob::TooLong),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Glob {
    type Error = InvalidGlob;

    fn try_from(text: String) -> Result<Self, InvalidGlob> {
        text.parse()
    }
}

impl From<Glob> for String {
    fn from(glob: Glob) -> Self {
        glob.0
    }
}

impl AsRef<str> for Glob {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
