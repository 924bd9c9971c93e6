//! Answers to interactions that are no messages: modals and autocompletions.

use std::collections::BTreeSet;

use serde_json::Value;

use super::commands;
use crate::{
    error::{ApiError, FormErrors},
    form::Field,
};

const CUSTOM_ID_MAX: usize = 100;
const TITLE_MAX: usize = 45;
const ROWS_MAX: usize = 5;
const LABEL_MAX: usize = 45;
const PLACEHOLDER_MAX: usize = 100;
const INPUT_MAX: usize = 4000;
const CHOICES_MAX: usize = 25;

const ACTION_ROW: i64 = 1;
const TEXT_INPUT: i64 = 4;

/// Checks the `data` of a modal.
pub(crate) fn check(data: &Value) -> Result<(), ApiError> {
    let mut errors = FormErrors::default();
    let form = Field::root(data);
    form.required_text(&mut errors, "custom_id", CUSTOM_ID_MAX);
    form.required_text(&mut errors, "title", TITLE_MAX);
    let rows = form.get("components").map(|rows| rows.items(&mut errors, ROWS_MAX)).unwrap_or_default();
    if rows.is_empty() {
        form.require(&mut errors, "components");
    }
    let mut ids = BTreeSet::new();
    for row in rows {
        let inputs = row.get("components").map(|list| list.items(&mut errors, 1)).unwrap_or_default();
        if row.value["type"] != ACTION_ROW || inputs.is_empty() {
            let message = "Value of field \"type\" must be one of (1,).";
            row.refuse(&mut errors, "UNION_TYPE_CHOICES", message);
        }
        for input in inputs {
            if let Some(id) = check_input(&input, &mut errors)
                && !ids.insert(id)
            {
                let message = "Component custom id cannot be duplicated";
                input.refuse(&mut errors, "COMPONENT_CUSTOM_ID_DUPLICATED", message);
            }
        }
    }
    errors.check()
}

fn check_input<'a>(input: &Field<'a>, errors: &mut FormErrors) -> Option<&'a str> {
    if input.value["type"] != TEXT_INPUT {
        input.refuse(errors, "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (4,).");
        return None;
    }
    match input.get("style") {
        Some(style) => {
            style.integer(errors, 1..=2);
        }
        None => input.require(errors, "style"),
    }
    input.required_text(errors, "label", LABEL_MAX);
    for (name, max) in [("placeholder", PLACEHOLDER_MAX), ("value", INPUT_MAX)] {
        if let Some(text) = input.get(name) {
            text.text(errors, 0..=max);
        }
    }
    for (name, min) in [("min_length", 0), ("max_length", 1)] {
        if let Some(length) = input.get(name) {
            length.integer(errors, min..=4000);
        }
    }
    input.required_text(errors, "custom_id", CUSTOM_ID_MAX)
}

/// Checks the `data` of an autocompletion.
pub(crate) fn check_choices(data: &Value) -> Result<(), ApiError> {
    let mut errors = FormErrors::default();
    let form = Field::root(data);
    match form.get("choices") {
        Some(choices) => {
            for choice in choices.items(&mut errors, CHOICES_MAX) {
                commands::check_choice(&choice, &mut errors, &mut 0);
            }
        }
        None => form.require(&mut errors, "choices"),
    }
    errors.check()
}
