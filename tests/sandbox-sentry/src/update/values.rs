//! Values of a form, and what Django REST framework says of wrong ones.

use serde_json::Value;

/// What is said of a text that is not in the list.
pub(super) fn not_a_choice(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("\"{text}\" is not a valid choice.")
}

pub(super) fn boolean(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err("Must be a valid boolean.".to_owned()),
    }
}

pub(super) fn integer(value: &Value, max: i64) -> Result<i64, String> {
    let number = match value {
        Value::String(text) => text.parse().ok(),
        _ => value.as_i64(),
    };
    match number {
        None => Err("A valid integer is required.".to_owned()),
        Some(number) if number > max => Err(format!("Ensure this value is less than or equal to {max}.")),
        Some(number) => Ok(number),
    }
}

/// Python's name of a JSON type.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}
