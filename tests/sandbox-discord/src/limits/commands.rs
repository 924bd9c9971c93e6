//! Application commands as a bot registers them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::values;
use crate::{
    error::{ApiError, FormErrors},
    form::Field,
};

/// Commands that a bot may have globally, and in one guild.
pub(crate) const COMMANDS_MAX: usize = 100;

const NAME_MAX: usize = 32;
const DESCRIPTION_MAX: usize = 100;
const OPTIONS_MAX: usize = 25;
const TOTAL_MAX: usize = 8000;

/// Types of options, with Discord's numbers.
pub(crate) mod option {
    pub(crate) const SUB_COMMAND: i64 = 1;
    pub(crate) const SUB_COMMAND_GROUP: i64 = 2;
    pub(crate) const STRING: i64 = 3;
    pub(crate) const INTEGER: i64 = 4;
    pub(crate) const BOOLEAN: i64 = 5;
    pub(crate) const USER: i64 = 6;
    pub(crate) const CHANNEL: i64 = 7;
    pub(crate) const ROLE: i64 = 8;
    pub(crate) const MENTIONABLE: i64 = 9;
    pub(crate) const NUMBER: i64 = 10;
}

/// Checks one slash command.
pub(crate) fn check(command: &Value) -> Result<(), ApiError> {
    let mut errors = FormErrors::default();
    read_command(&Field::root(command), &mut errors);
    errors.check()
}

/// Checks a list of slash commands that replaces all.
pub(crate) fn check_all(commands: &Value) -> Result<(), ApiError> {
    let mut errors = FormErrors::default();
    let mut names = BTreeSet::new();
    for command in Field::root(commands).items(&mut errors, COMMANDS_MAX) {
        if let Some(name) = read_command(&command, &mut errors)
            && !names.insert(name)
        {
            let message = "Application command names must be unique";
            command.refuse(&mut errors, "APPLICATION_COMMANDS_DUPLICATE_NAME", message);
        }
    }
    errors.check()
}

fn read_command(command: &Field<'_>, errors: &mut FormErrors) -> Option<String> {
    if !command.is_object(errors) {
        return None;
    }
    if let Some(kind) = command.get("type") {
        kind.integer(errors, 1..=1);
    }
    let mut total = 0;
    let name = read_names(command, errors, &mut total);
    if let Some(permissions) = command.get("default_member_permissions") {
        let number = permissions.value.as_str().and_then(|text| text.parse::<u64>().ok());
        if number.is_none() {
            permissions.refuse(errors, "NUMBER_TYPE_COERCE", "Value is not a permission set.");
        }
    }
    read_options(command, 0, errors, &mut total);
    if total > TOTAL_MAX {
        let message = format!("Command exceeds maximum size ({TOTAL_MAX})");
        command.refuse(errors, "APPLICATION_COMMAND_TOO_LARGE", message);
    }
    name
}

/// Name and description, which both commands and options have.
fn read_names(field: &Field<'_>, errors: &mut FormErrors, total: &mut usize) -> Option<String> {
    let description = field.required_text(errors, "description", DESCRIPTION_MAX);
    *total += description.map(|text| text.chars().count()).unwrap_or_default();
    let name = field.required_text(errors, "name", NAME_MAX)?;
    *total += name.chars().count();
    let allowed = |c: char| c.is_alphanumeric() && !c.is_uppercase() || matches!(c, '-' | '_' | '\'');
    if !name.chars().all(allowed) {
        if let Some(field) = field.get("name") {
            let message = "Command name is invalid";
            field.refuse(errors, "APPLICATION_COMMAND_INVALID_NAME", message);
        }
        return None;
    }
    Some(name.to_owned())
}

fn read_options(parent: &Field<'_>, depth: u8, errors: &mut FormErrors, total: &mut usize) {
    let Some(list) = parent.get("options") else { return };
    let (mut names, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    let mut optional_seen = false;
    for item in list.items(errors, OPTIONS_MAX) {
        if !item.is_object(errors) {
            continue;
        }
        if let Some(name) = read_names(&item, errors, total)
            && !names.insert(name)
        {
            let message = "Option names must be unique";
            item.refuse(errors, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", message);
        }
        let Some(kind) = item.get("type").and_then(|kind| kind.integer(errors, 1..=11)) else {
            item.require(errors, "type");
            continue;
        };
        kinds.insert(kind);
        let nested = matches!(kind, option::SUB_COMMAND | option::SUB_COMMAND_GROUP);
        if nested {
            read_nested(&item, kind, depth, errors, total);
            continue;
        }
        values::check(&item, kind, errors, total);
        let is_required = item.value["required"] == true;
        if is_required && optional_seen {
            let message = "Required options must be placed before non-required options";
            item.refuse(errors, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message);
        }
        optional_seen |= !is_required;
    }
    let nests = |kind: &i64| *kind <= option::SUB_COMMAND_GROUP;
    if kinds.iter().any(nests) && !kinds.iter().all(nests) {
        let message =
            "Sub-command and sub-command group option types are mutually exclusive to all other types";
        list.refuse(errors, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message);
    }
}

/// A group holds subcommands, and a subcommand holds plain options. Nothing is
/// deeper.
fn read_nested(item: &Field<'_>, kind: i64, depth: u8, errors: &mut FormErrors, total: &mut usize) {
    let inside = item.value["options"].as_array().into_iter().flatten();
    let groups_subcommands = inside.clone().all(|inner| inner["type"] == option::SUB_COMMAND);
    let plain = inside.clone().all(|inner| inner["type"].as_i64() > Some(option::SUB_COMMAND_GROUP));
    let fits = match kind {
        option::SUB_COMMAND => depth <= 1 && plain,
        _ => depth == 0 && groups_subcommands && inside.count() > 0,
    };
    if !fits {
        let message = "This option type cannot be nested like this";
        item.refuse(errors, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message);
    }
    if depth < 2 {
        read_options(item, depth + 1, errors, total);
    }
}
