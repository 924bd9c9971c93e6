//! Reads the fields of a JSON body the way Discord does, and notes each that
//! breaks a limit. `null` counts as absent where the documentation allows it.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::{error::FormErrors, snowflake};

/// One value of a form with the path that leads to it.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    pub(crate) value: &'a Value,
    path: Vec<String>,
}

impl<'a> Field<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, path: Vec::new() }
    }

    /// The member of that name, unless it is absent or `null`.
    pub(crate) fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name).filter(|value| !value.is_null())?;
        Some(Self { value, path: self.below(name) })
    }

    fn below(&self, name: &str) -> Vec<String> {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        path
    }

    pub(crate) fn refuse(&self, errors: &mut FormErrors, code: &str, message: impl Into<String>) {
        errors.add(&self.path, code, message);
    }

    /// Notes that the member of that name is missing.
    pub(crate) fn require(&self, errors: &mut FormErrors, name: &str) {
        self.refuse_member(errors, name, "BASE_TYPE_REQUIRED", "This field is required");
    }

    /// Notes what is wrong with the member of that name, which may be missing.
    pub(crate) fn refuse_member(&self, errors: &mut FormErrors, name: &str, code: &str, message: &str) {
        errors.add(&self.below(name), code, message);
    }

    /// Notes every `null` below here: Discord documents none there. A custom
    /// emoji is the exception: its `id` or its `name` may be `null`.
    pub(crate) fn refuse_nulls(&self, errors: &mut FormErrors) {
        match self.value {
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate() {
                    Self { value, path: self.below(&index.to_string()) }.refuse_nulls(errors);
                }
            }
            Value::Object(members) => {
                let emoji = self.path.last().is_some_and(|name| name == "emoji");
                for (name, value) in members {
                    let member = Self { value, path: self.below(name) };
                    if value.is_null() && !emoji {
                        member.refuse(errors, "BASE_TYPE_REQUIRED", "This field may not be null");
                    }
                    member.refuse_nulls(errors);
                }
            }
            _ => {}
        }
    }

    /// A string without the blanks around it. Discord drops them before it
    /// counts.
    pub(crate) fn text(&self, errors: &mut FormErrors, length: RangeInclusive<usize>) -> Option<&'a str> {
        let Some(text) = self.value.as_str().map(trim) else {
            let message = format!("Could not interpret \"{}\" as string.", self.value);
            self.refuse(errors, "STRING_TYPE_CONVERT", message);
            return None;
        };
        let count = text.chars().count();
        let (min, max) = length.into_inner();
        if count == 0 && min > 0 {
            self.refuse(errors, "BASE_TYPE_REQUIRED", "This field is required");
        } else if count > max && min <= 1 {
            self.refuse(errors, "BASE_TYPE_MAX_LENGTH", format!("Must be {max} or fewer in length."));
        } else if count < min || count > max {
            self.refuse(
                errors,
                "BASE_TYPE_BAD_LENGTH",
                format!("Must be between {min} and {max} in length."),
            );
        } else {
            return Some(text);
        }
        None
    }

    /// The text of a member that must be there.
    pub(crate) fn required_text(&self, errors: &mut FormErrors, name: &str, max: usize) -> Option<&'a str> {
        let Some(field) = self.get(name) else {
            self.require(errors, name);
            return None;
        };
        field.text(errors, 1..=max)
    }

    pub(crate) fn items(&self, errors: &mut FormErrors, max: usize) -> Vec<Self> {
        let Some(items) = self.value.as_array() else {
            self.refuse(errors, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
            return Vec::new();
        };
        if items.len() > max {
            self.refuse(errors, "BASE_TYPE_MAX_LENGTH", format!("Must be {max} or fewer in length."));
        }
        let field = |(index, value): (usize, &'a Value)| Self { value, path: self.below(&index.to_string()) };
        items.iter().enumerate().map(field).collect()
    }

    /// Whether it is an object. Notes an error if not.
    pub(crate) fn is_object(&self, errors: &mut FormErrors) -> bool {
        if !self.value.is_object() {
            self.refuse(errors, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType");
        }
        self.value.is_object()
    }

    pub(crate) fn boolean(&self, errors: &mut FormErrors) -> Option<bool> {
        if self.value.as_bool().is_none() {
            self.refuse(errors, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.");
        }
        self.value.as_bool()
    }

    pub(crate) fn integer(&self, errors: &mut FormErrors, range: RangeInclusive<i64>) -> Option<i64> {
        let Some(number) = self.value.as_i64() else {
            self.refuse(errors, "NUMBER_TYPE_COERCE", format!("Value \"{}\" is not int.", self.value));
            return None;
        };
        let (min, max) = range.into_inner();
        if number > max {
            let message = format!("int value should be less than or equal to {max}.");
            self.refuse(errors, "NUMBER_TYPE_MAX", message);
        } else if number < min {
            let message = format!("int value should be greater than or equal to {min}.");
            self.refuse(errors, "NUMBER_TYPE_MIN", message);
        } else {
            return Some(number);
        }
        None
    }

    pub(crate) fn snowflake(&self, errors: &mut FormErrors) -> Option<u64> {
        let id = snowflake::from_json(self.value);
        if id.is_none() {
            self.refuse(errors, "NUMBER_TYPE_COERCE", format!("Value \"{}\" is not snowflake.", self.value));
        }
        id
    }
}

/// Drops blanks at both ends as Discord's Python does: the separators U+001C to
/// U+001F count as blanks there, the zero-width space does not.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}
