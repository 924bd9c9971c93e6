//! What each resource's module says of it.

use serde_json::Value;
use shared::Alert;

use crate::payload::prune::{SCALAR, Wanted};

/// Who did it, in every body.
pub(super) const ACTOR: &Wanted = &Wanted::object(&[("type", SCALAR), ("id", SCALAR), ("name", SCALAR)]);

/// One resource that Sentry tells of.
#[derive(Debug)]
pub struct PlatformResource {
    pub(super) name: &'static str,
    /// Its actions, and the kind of alert that each becomes.
    pub(super) kinds: &'static [(&'static str, &'static str)],
    pub(super) schema: &'static str,
    pub(super) body: &'static Wanted,
    /// Puts into the alert what a body's `data` says under this action.
    pub(super) tell: fn(&str, &Value, Alert) -> Alert,
}

impl PlatformResource {
    /// As Sentry names it.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its actions.
    pub fn actions(&self) -> impl Iterator<Item = &'static str> {
        self.kinds.iter().map(|(action, _)| *action)
    }
}
