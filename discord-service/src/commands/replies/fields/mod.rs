//! Lists in the fields of embeds.

/// The text of an empty list.
pub(super) const NONE: &str = "None";

/// The most characters that a field's value may have.
const MAX_VALUE: usize = 1024;

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
