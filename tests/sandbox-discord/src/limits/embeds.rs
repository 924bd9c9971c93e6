//! Embeds: the limit of each field, and of all embeds of a message together.

use chrono::DateTime;
use serde_json::{Map, Value, json};

use super::links;
use crate::{error::FormErrors, form::Field};

const EMBEDS_MAX: usize = 10;
const TITLE_MAX: usize = 256;
const DESCRIPTION_MAX: usize = 4096;
const FIELDS_MAX: usize = 25;
const FIELD_NAME_MAX: usize = 256;
const FIELD_VALUE_MAX: usize = 1024;
const FOOTER_MAX: usize = 2048;
const AUTHOR_MAX: usize = 256;
const TOTAL_MAX: usize = 6000;
const COLOUR_MAX: i64 = 0x00FF_FFFF;

/// The embeds as Discord keeps them: trimmed, without those that show nothing.
pub(crate) fn check(list: &Field<'_>, errors: &mut FormErrors) -> Vec<Value> {
    list.refuse_nulls(errors);
    let mut total = 0;
    let items = list.items(errors, EMBEDS_MAX);
    let embeds = items.iter().filter_map(|item| embed(item, errors, &mut total)).collect();
    if total > TOTAL_MAX {
        let message = format!("Embed size exceeds maximum size of {TOTAL_MAX}");
        list.refuse(errors, "MAX_EMBED_SIZE_EXCEEDED", message);
    }
    embeds
}

fn embed(field: &Field<'_>, errors: &mut FormErrors, total: &mut usize) -> Option<Value> {
    if !field.is_object(errors) {
        return None;
    }
    let mut embed = Map::new();
    for (name, max) in [("title", TITLE_MAX), ("description", DESCRIPTION_MAX)] {
        if let Some(text) = field.get(name).and_then(|text| text.text(errors, 0..=max)) {
            put_text(&mut embed, name, text, total);
        }
    }
    if let Some(fields) = field.get("fields") {
        let items = fields.items(errors, FIELDS_MAX);
        let fields: Vec<_> = items.iter().filter_map(|item| entry(item, errors, total)).collect();
        put_unless_empty(&mut embed, "fields", fields.into());
    }
    if let Some(footer) = field.get("footer").filter(|footer| footer.is_object(errors)) {
        put_unless_empty(&mut embed, "footer", part(&footer, errors, ("text", FOOTER_MAX), total));
    }
    if let Some(author) = field.get("author").filter(|author| author.is_object(errors)) {
        put_unless_empty(&mut embed, "author", part(&author, errors, ("name", AUTHOR_MAX), total));
    }
    for name in ["image", "thumbnail"] {
        if let Some(picture) = field.get(name).filter(|picture| picture.is_object(errors)) {
            let url = picture.get("url").and_then(|url| links::media(&url, errors));
            put_unless_empty(&mut embed, name, url.map_or_else(|| json!({}), |url| json!({ "url": url })));
        }
    }
    let shows_something = !embed.is_empty();
    plain_parts(field, errors, &mut embed);
    embed.insert("type".to_owned(), "rich".into());
    shows_something.then_some(Value::Object(embed))
}

/// The parts that show nothing alone: link, colour, time.
fn plain_parts(field: &Field<'_>, errors: &mut FormErrors, embed: &mut Map<String, Value>) {
    if let Some(url) = field.get("url").and_then(|url| links::web(&url, errors)) {
        embed.insert("url".to_owned(), url.into());
    }
    if let Some(colour) = field.get("color").and_then(|colour| colour.integer(errors, 0..=COLOUR_MAX)) {
        embed.insert("color".to_owned(), colour.into());
    }
    if let Some(time) = field.get("timestamp") {
        match time.value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok()) {
            Some(parsed) => {
                embed.insert("timestamp".to_owned(), parsed.to_rfc3339().into());
            }
            None => {
                let message = format!("Could not parse {}. Should be ISO8601.", time.value);
                time.refuse(errors, "DATE_TIME_TYPE_PARSE", message);
            }
        }
    }
}

/// One name and value of the embed's fields.
fn entry(field: &Field<'_>, errors: &mut FormErrors, total: &mut usize) -> Option<Value> {
    if !field.is_object(errors) {
        return None;
    }
    let mut entry = Map::new();
    for (name, max) in [("name", FIELD_NAME_MAX), ("value", FIELD_VALUE_MAX)] {
        match field.get(name) {
            Some(text) => {
                if let Some(text) = text.text(errors, 1..=max) {
                    put_text(&mut entry, name, text, total);
                }
            }
            None => field.require(errors, name),
        }
    }
    let inline = field.get("inline").and_then(|inline| inline.boolean(errors)).unwrap_or(false);
    entry.insert("inline".to_owned(), inline.into());
    Some(Value::Object(entry))
}

/// A footer or an author: a text that is required, and links.
fn part(field: &Field<'_>, errors: &mut FormErrors, text: (&str, usize), total: &mut usize) -> Value {
    let (name, max) = text;
    let mut part = Map::new();
    match field.get(name) {
        Some(text) => {
            if let Some(text) = text.text(errors, 0..=max) {
                put_text(&mut part, name, text, total);
            }
        }
        None => field.require(errors, name),
    }
    if let Some(url) = field.get("url").and_then(|url| links::web(&url, errors)) {
        part.insert("url".to_owned(), url.into());
    }
    if let Some(url) = field.get("icon_url").and_then(|url| links::media(&url, errors)) {
        part.insert("icon_url".to_owned(), url.into());
    }
    Value::Object(part)
}

fn put_text(object: &mut Map<String, Value>, name: &str, text: &str, total: &mut usize) {
    *total += text.chars().count();
    if !text.is_empty() {
        object.insert(name.to_owned(), text.into());
    }
}

fn put_unless_empty(object: &mut Map<String, Value>, name: &str, value: Value) {
    let empty = match &value {
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    if !empty {
        object.insert(name.to_owned(), value);
    }
}
