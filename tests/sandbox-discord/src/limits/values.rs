//! The values that an option of a command takes: its choices and its bounds.

use std::collections::BTreeSet;

use serde_json::Value;

use super::commands::option;
use crate::{error::FormErrors, form::Field};

const CHOICES_MAX: usize = 25;
const CHOICE_MAX: usize = 100;
const TEXT_MAX: i64 = 6000;

/// What a number in JavaScript holds exactly. Discord's numbers go no further.
pub(crate) const NUMBER_MAX: i64 = (1 << 53) - 1;

/// Checks what an option says of its values. Each type takes only some of it.
pub(super) fn check(item: &Field<'_>, kind: i64, errors: &mut FormErrors, total: &mut usize) {
    let number = matches!(kind, option::INTEGER | option::NUMBER);
    let chosen = number || kind == option::STRING;
    for (name, fits) in [
        ("choices", chosen),
        ("autocomplete", chosen),
        ("min_value", number),
        ("max_value", number),
        ("min_length", kind == option::STRING),
        ("max_length", kind == option::STRING),
        ("channel_types", kind == option::CHANNEL),
    ] {
        // serenity sends what is off or empty as well, and Discord takes it.
        if let Some(field) = item.get(name).filter(|field| !fits && !is_nothing(field.value)) {
            let message = format!("An option of type {kind} has no {name}");
            field.refuse(errors, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message);
        }
    }
    read_choices(item, kind, errors, total);
    let bound = |name, errors: &mut FormErrors| read_bound(item.get(name)?, kind, errors);
    check_order(item, "max_value", bound("min_value", errors), bound("max_value", errors), errors);
    let length = |name, least, errors: &mut FormErrors| item.get(name)?.integer(errors, least..=TEXT_MAX);
    let (min, max) = (length("min_length", 0, errors), length("max_length", 1, errors));
    check_order(item, "max_length", min, max, errors);
}

fn is_nothing(value: &Value) -> bool {
    value.as_bool() == Some(false) || value.as_array().is_some_and(Vec::is_empty)
}

/// The bound of a number. Of an integer it is one too.
fn read_bound(field: Field<'_>, kind: i64, errors: &mut FormErrors) -> Option<f64> {
    if kind == option::INTEGER {
        return field.integer(errors, -NUMBER_MAX..=NUMBER_MAX).map(|bound| bound as f64);
    }
    let bound = field.value.as_f64();
    if bound.is_none() {
        field.refuse(errors, "NUMBER_TYPE_COERCE", format!("Value \"{}\" is not float.", field.value));
    }
    bound
}

fn check_order<T: PartialOrd>(
    item: &Field<'_>,
    upper: &str,
    min: Option<T>,
    max: Option<T>,
    errors: &mut FormErrors,
) {
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        let message = "The greatest value is below the least";
        item.refuse_member(errors, upper, "APPLICATION_COMMAND_OPTIONS_RANGE_INVALID", message);
    }
}

fn read_choices(item: &Field<'_>, kind: i64, errors: &mut FormErrors, total: &mut usize) {
    let Some(choices) = item.get("choices") else { return };
    let any = choices.value.as_array().is_some_and(|list| !list.is_empty());
    if any && item.value["autocomplete"] == true {
        let message = "Choices and autocomplete are mutually exclusive";
        item.refuse(errors, "APPLICATION_COMMAND_OPTIONS_CHOICES_AUTOCOMPLETE", message);
    }
    check_choices(&choices, kind, errors, total);
}

/// Choices of an option of this type, as registered or as an autocompletion offers them.
pub(crate) fn check_choices(choices: &Field<'_>, kind: i64, errors: &mut FormErrors, total: &mut usize) {
    let mut names = BTreeSet::new();
    for choice in choices.items(errors, CHOICES_MAX) {
        if let Some(name) = check_choice(&choice, kind, errors, total)
            && !names.insert(name)
        {
            let message = "Choice names must be unique";
            choice.refuse(errors, "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS", message);
        }
    }
}

fn check_choice<'a>(
    choice: &Field<'a>,
    kind: i64,
    errors: &mut FormErrors,
    total: &mut usize,
) -> Option<&'a str> {
    let name = choice.required_text(errors, "name", CHOICE_MAX);
    *total += name.map(|text| text.chars().count()).unwrap_or_default();
    let Some(value) = choice.get("value") else {
        choice.require(errors, "value");
        return name;
    };
    if matches!(kind, option::INTEGER | option::NUMBER) {
        read_bound(value, kind, errors);
    } else {
        let text = value.text(errors, 0..=CHOICE_MAX);
        *total += text.map(|text| text.chars().count()).unwrap_or_default();
    }
    name
}
