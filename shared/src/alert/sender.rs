//! Whose webhook an alert came in.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// Whose webhook an alert came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Sender {
    #[default]
    Sentry,
    GlitchTip,
    Bugsink,
    /// One that only a newer build knows.
    #[serde(other)]
    Other,
}

impl Sender {
    pub(super) fn is_sentry(&self) -> bool {
        *self == Self::Sentry
    }
}
