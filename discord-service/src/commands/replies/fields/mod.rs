//! Lists in the fields of embeds.

use std::iter;

use serde_json::{Value, json};

use crate::render::{cut, units};

/// The text of an empty list.
pub(super) const NONE: &str = "None";

/// The most fields that an embed may have.
pub(super) const MOST: usize = 25;
/// The most characters that a field's value may have.
const MAX_VALUE: usize = 1024;
/// Room for how many more lines there are.
const MAX_MORE: usize = 20;

/// A number, or that there is none.
pub(super) fn count(count: u64) -> String {
    if count == 0 { NONE.to_owned() } else { count.to_string() }
}

/// The lines in at most so many fields, and how many more there are.
pub(super) fn pages(name: &str, lines: &[String], most: usize) -> Vec<Value> {
    let (mut rest, mut pages) = (lines, Vec::new());
    while !rest.is_empty() && pages.len() < most {
        let (page, after) = page(rest, MAX_VALUE - MAX_MORE);
        pages.push(page);
        rest = after;
    }
    if let Some(last) = pages.last_mut().filter(|_| !rest.is_empty()) {
        *last += &format!("\n{}", and_more(rest.len()).trim_start());
    }
    let names = iter::once(name.to_owned()).chain(iter::repeat(format!("{name} (continued)")));
    names.zip(pages).map(|(name, page)| json!({"name": name, "value": page})).collect()
}

/// As many lines as fit, at least one, and the other lines.
fn page(lines: &[String], max: usize) -> (String, &[String]) {
    let mut page = String::new();
    for (index, line) in lines.iter().enumerate() {
        if index > 0 && units(&page) + 1 + units(line) > max {
            return (page, lines.split_at(index).1);
        }
        page += if index == 0 { "" } else { "\n" };
        page += &cut(line, max);
    }
    (page, &[])
}

/// The items with commas, as many as a field holds, and how many more there are.
pub(super) fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let total = items.len();
    let mut text = String::new();
    for (index, item) in items.enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let after = and_more(total - index - 1);
        if [&text, separator, &item, &after].iter().map(|part| part.chars().count()).sum::<usize>()
            > MAX_VALUE
        {
            return text + &and_more(total - index);
        }
        text = text + separator + &item;
    }
    if text.is_empty() { NONE.to_owned() } else { text }
}

fn and_more(count: usize) -> String {
    if count == 0 { String::new() } else { format!(" and {count} more") }
}

#[cfg(test)]
mod tests;
