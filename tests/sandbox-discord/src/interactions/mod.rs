//! Interactions: what a person does with the bot's commands and buttons, and
//! what the bot answers.

pub(crate) mod answers;
mod invoke;
mod options;
mod press;

use std::{collections::BTreeMap, time::Instant};

use serde::Serialize;
use serde_json::Value;

use crate::world::message::{Message, Stored};

/// The type of a first answer that is a modal.
pub(crate) const MODAL: u64 = 9;

/// What a person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    Command = 2,
    Component = 3,
    Autocomplete = 4,
    ModalSubmit = 5,
}

/// One interaction and all answers to it.
#[derive(Debug)]
pub(crate) struct Interaction {
    pub(crate) kind: Kind,
    pub(crate) token: String,
    pub(crate) user: u64,
    pub(crate) channel: u64,
    /// The message whose component was used.
    pub(crate) pressed: Option<u64>,
    /// The type of the option that is being completed.
    pub(crate) completing: Option<i64>,
    pub(crate) sent: Instant,
    /// The first answer: its type and its data.
    pub(crate) answer: Option<Answer>,
    /// The messages of the bot, `@original` first.
    pub(crate) messages: Vec<Stored>,
}

/// The first answer to an interaction.
#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    /// Discord's number: 4 a message, 5 a message later, 6 an edit later, 7 an edit of the
    /// pressed message, 8 choices, 9 a modal.
    pub kind: u64,
    /// What belongs to it, exactly as it came in.
    pub data: Value,
}

/// All interactions since the start, by id.
#[derive(Debug, Default)]
pub(crate) struct Interactions(pub(crate) BTreeMap<u64, Interaction>);

/// What became of an interaction so far.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// The first answer, if there was one.
    pub answer: Option<Answer>,
    /// The bot's messages about it, the first answer's first. One that it
    /// deferred is missing until it came.
    pub messages: Vec<Message>,
}
