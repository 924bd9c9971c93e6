//! Buttons and menus under a message.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::links;
use crate::{error::FormErrors, form::Field};

const ROWS_MAX: usize = 5;
const BUTTONS_MAX: usize = 5;
const LABEL_MAX: usize = 80;
const CUSTOM_ID_MAX: usize = 100;
const OPTIONS_MAX: usize = 25;
const OPTION_TEXT_MAX: usize = 100;
const PLACEHOLDER_MAX: usize = 150;
const VALUES_MAX: i64 = 25;

const ACTION_ROW: i64 = 1;
const BUTTON: i64 = 2;
const STRING_MENU: i64 = 3;
const MENUS: [i64; 5] = [STRING_MENU, 5, 6, 7, 8];
const LINK: i64 = 5;
const PREMIUM: i64 = 6;

/// The rows as Discord keeps them, with the number that it gives each component.
pub(crate) fn check(list: &Field<'_>, errors: &mut FormErrors) -> Vec<Value> {
    list.refuse_nulls(errors);
    let mut state = Numbering::default();
    list.items(errors, ROWS_MAX).iter().filter_map(|item| row(item, errors, &mut state)).collect()
}

#[derive(Default)]
struct Numbering {
    last: u32,
    custom_ids: BTreeSet<String>,
}

impl Numbering {
    fn next(&mut self) -> u32 {
        self.last += 1;
        self.last
    }
}

fn kind(field: &Field<'_>, errors: &mut FormErrors) -> Option<i64> {
    if !field.is_object(errors) {
        return None;
    }
    match field.get("type") {
        Some(kind) => kind.integer(errors, 1..=i64::from(u8::MAX)),
        None => {
            field.require(errors, "type");
            None
        }
    }
}

fn row(field: &Field<'_>, errors: &mut FormErrors, state: &mut Numbering) -> Option<Value> {
    if kind(field, errors)? != ACTION_ROW {
        field.refuse(errors, "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1,).");
        return None;
    }
    let id = state.next();
    let items = match field.get("components") {
        Some(list) => list.items(errors, BUTTONS_MAX),
        None => Vec::new(),
    };
    if items.is_empty() {
        field.require(errors, "components");
    }
    let components: Vec<_> = items.iter().filter_map(|item| component(item, errors, state)).collect();
    if components.len() > 1 && components.iter().any(|component| component["type"] != BUTTON) {
        field.refuse(
            errors,
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
            "The specified component exceeds the maximum width",
        );
    }
    Some(json!({ "type": ACTION_ROW, "id": id, "components": components }))
}

fn component(field: &Field<'_>, errors: &mut FormErrors, state: &mut Numbering) -> Option<Value> {
    let kind = kind(field, errors)?;
    let mut kept = field.value.clone();
    kept["id"] = state.next().into();
    if kind == BUTTON {
        button(field, errors, state);
    } else if MENUS.contains(&kind) {
        menu(field, kind, errors, state);
    } else {
        let message = "Value of field \"type\" must be one of (2, 3, 5, 6, 7, 8).";
        field.refuse(errors, "UNION_TYPE_CHOICES", message);
    }
    Some(kept)
}

fn button(field: &Field<'_>, errors: &mut FormErrors, state: &mut Numbering) {
    let Some(style) = field.get("style").and_then(|style| style.integer(errors, 1..=PREMIUM)) else {
        field.require(errors, "style");
        return;
    };
    let label = field.get("label").and_then(|label| label.text(errors, 0..=LABEL_MAX));
    if style != PREMIUM && label.is_none_or(str::is_empty) && field.get("emoji").is_none() {
        let message = "A button must have a label or an emoji";
        field.refuse(errors, "BUTTON_COMPONENT_INVALID_LABEL", message);
    }
    if let Some(disabled) = field.get("disabled") {
        disabled.boolean(errors);
    }
    if style == PREMIUM {
        return;
    }
    if style != LINK {
        custom_id(field, errors, state);
        if field.get("url").is_some() {
            refuse_both(field, errors);
        }
        return;
    }
    match field.get("url") {
        Some(url) => {
            links::button(&url, errors);
        }
        None => field.refuse_member(errors, "url", "BUTTON_COMPONENT_URL_REQUIRED", "A url is required"),
    }
    if field.get("custom_id").is_some() {
        refuse_both(field, errors);
    }
}

fn refuse_both(field: &Field<'_>, errors: &mut FormErrors) {
    let message = "A custom id and url cannot both be specified";
    field.refuse(errors, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message);
}

fn menu(field: &Field<'_>, kind: i64, errors: &mut FormErrors, state: &mut Numbering) {
    custom_id(field, errors, state);
    if let Some(placeholder) = field.get("placeholder") {
        placeholder.text(errors, 0..=PLACEHOLDER_MAX);
    }
    for (name, min) in [("min_values", 0), ("max_values", 1)] {
        if let Some(number) = field.get(name) {
            number.integer(errors, min..=VALUES_MAX);
        }
    }
    if kind != STRING_MENU {
        return;
    }
    let options = field.get("options").map(|list| list.items(errors, OPTIONS_MAX)).unwrap_or_default();
    if options.is_empty() {
        field.require(errors, "options");
    }
    let mut values = BTreeSet::new();
    for option in options {
        option.required_text(errors, "label", OPTION_TEXT_MAX);
        if let Some(description) = option.get("description") {
            description.text(errors, 0..=OPTION_TEXT_MAX);
        }
        let value = option.required_text(errors, "value", OPTION_TEXT_MAX);
        if value.is_some_and(|value| !values.insert(value)) {
            let message = "The specified option value is already used";
            option.refuse_member(errors, "value", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message);
        }
    }
}

fn custom_id(field: &Field<'_>, errors: &mut FormErrors, state: &mut Numbering) {
    let Some(id) = field.get("custom_id") else {
        let code = "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED";
        field.refuse_member(errors, "custom_id", code, "A custom id is required");
        return;
    };
    if let Some(text) = id.text(errors, 1..=CUSTOM_ID_MAX)
        && !state.custom_ids.insert(text.to_owned())
    {
        id.refuse(errors, "COMPONENT_CUSTOM_ID_DUPLICATED", "Component custom id cannot be duplicated");
    }
}
