//! Answers to interactions that are not messages: modals and autocompletions.

use std::collections::BTreeSet;

use serde_json::Value;

use super::values;
use crate::{
    error::{ApiError, FormErrors},
    form::Field,
};

const CUSTOM_ID_MAX: usize = 100;
const TITLE_MAX: usize = 45;
const ROWS_MAX: usize = 5;
const LABEL_MAX: usize = 45;
const DESCRIPTION_MAX: usize = 100;
const PLACEHOLDER_MAX: usize = 100;
const INPUT_MAX: usize = 4000;

const ACTION_ROW: i64 = 1;
const TEXT_INPUT: i64 = 4;
const LABEL: i64 = 18;

/// Checks the `data` of a modal.
pub(crate) fn check(data: &Value) -> Result<(), ApiError> {
    let mut errors = FormErrors::default();
    let form = Field::root(data);
    form.refuse_nulls(&mut errors);
    form.required_text(&mut errors, "custom_id", CUSTOM_ID_MAX);
    form.required_text(&mut errors, "title", TITLE_MAX);
    let rows = form.get("components").map(|rows| rows.items(&mut errors, ROWS_MAX)).unwrap_or_default();
    if rows.is_empty() {
        form.require(&mut errors, "components");
    }
    let mut ids = BTreeSet::new();
    for row in rows {
        let labelled = row.value["type"] == LABEL;
        for input in inputs(&row, labelled, &mut errors) {
            if let Some(id) = check_input(&input, labelled, &mut errors)
                && !ids.insert(id)
            {
                let message = "Component custom id cannot be duplicated";
                input.refuse(&mut errors, "COMPONENT_CUSTOM_ID_DUPLICATED", message);
            }
        }
    }
    errors.check()
}

/// The one input of a label, or of an action row, as it was done before labels.
fn inputs<'a>(row: &Field<'a>, labelled: bool, errors: &mut FormErrors) -> Vec<Field<'a>> {
    let inputs = if labelled {
        row.required_text(errors, "label", LABEL_MAX);
        if let Some(description) = row.get("description") {
            description.text(errors, 0..=DESCRIPTION_MAX);
        }
        row.get("component").into_iter().collect()
    } else {
        row.get("components").map(|list| list.items(errors, 1)).unwrap_or_default()
    };
    if !labelled && row.value["type"] != ACTION_ROW || inputs.is_empty() {
        row.refuse(errors, "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1, 18).");
    }
    inputs
}

fn check_input<'a>(input: &Field<'a>, labelled: bool, errors: &mut FormErrors) -> Option<&'a str> {
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
    if !labelled {
        input.required_text(errors, "label", LABEL_MAX);
    }
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

/// Checks the `data` of an autocompletion of an option of this type.
pub(crate) fn check_choices(data: &Value, kind: i64) -> Result<(), ApiError> {
    let mut errors = FormErrors::default();
    let form = Field::root(data);
    match form.get("choices") {
        Some(choices) => values::check_choices(&choices, kind, &mut errors, &mut 0),
        None => form.require(&mut errors, "choices"),
    }
    errors.check()
}
