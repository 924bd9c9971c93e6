//! Answers to interactions.

use super::{Call, Outcome};
use crate::{error::ApiError, world::World};

/// Interactions that were sent to the bot.
#[derive(Debug, Default)]
pub(crate) struct Interactions;

fn none() -> Outcome {
    Err(ApiError::new(404, 10062, "Unknown interaction"))
}

pub(super) fn callback(_world: &mut World, _call: &Call) -> Outcome {
    none()
}

pub(super) fn follow_up(_world: &mut World, _call: &Call) -> Outcome {
    none()
}

pub(super) fn get(_world: &mut World, _call: &Call) -> Outcome {
    none()
}

pub(super) fn edit(_world: &mut World, _call: &Call) -> Outcome {
    none()
}

pub(super) fn delete(_world: &mut World, _call: &Call) -> Outcome {
    none()
}
