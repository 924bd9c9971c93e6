//! The conditions of a rule or a mute.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantNames};

use super::{AlertFacts, Glob};

/// Conditions that must all hold. An absent one always holds. One on a value
/// that the alert lacks does not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// The project's slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<Glob>,
    /// The environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Glob>,
    /// The lowest level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
}

impl Conditions {
    /// Whether all of them hold for such an alert.
    pub fn hold(&self, facts: &AlertFacts<'_>) -> bool {
        holds(self.kind.as_ref(), facts.kind, |wanted, kind| *wanted == kind)
            && holds(self.level.as_ref(), facts.level, |lowest, level| *lowest <= level)
            && holds(self.environment.as_ref(), facts.environment, Glob::matches)
            && holds(self.project.as_ref(), facts.project, Glob::matches)
    }

    /// Whether these hold for each alert for which `other` hold.
    pub fn cover(&self, other: &Self) -> bool {
        holds(self.kind.as_ref(), other.kind, |wanted, kind| *wanted == kind)
            && holds(self.level.as_ref(), other.level, |lowest, level| *lowest <= level)
            && holds(self.environment.as_ref(), other.environment.as_ref(), Glob::covers)
            && holds(self.project.as_ref(), other.project.as_ref(), Glob::covers)
    }
}

/// Whether one condition holds for what may be absent.
fn holds<C, V>(condition: Option<&C>, value: Option<V>, test: impl Fn(&C, V) -> bool) -> bool {
    condition.is_none_or(|condition| value.is_some_and(|value| test(condition, value)))
}

/// Sentry's levels, the lowest first.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", ascii_case_insensitive)]
#[expect(missing_docs, reason = "the names are Sentry's")]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
    Fatal,
}

/// What an alert is about.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    Display,
    EnumString,
    IntoStaticStr,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", ascii_case_insensitive)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    Error,
    Issue,
    Metric,
    Cron,
    Uptime,
    Performance,
    Feedback,
    Other,
}
