//! Counting and cutting text as Discord counts it.
//!
//! Discord documents "characters". Its API counts code points (its staff in
//! discord-api-docs issue 1315), its clients UTF-16 code units. The latter are
//! never fewer: what fits by them fits by both.

use shared::text::ELLIPSIS;

use super::clean::JOINER;

/// The length of `text` in UTF-16 code units.
pub(crate) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// `text`, or its beginning and `…` so that it has at most `max` units.
pub(crate) fn cut(text: &str, max: usize) -> String {
    if units(text) <= max {
        return text.to_owned();
    }
    let Some(room) = max.checked_sub(ELLIPSIS.len_utf16()) else { return String::new() };
    let mut left = room;
    let mut kept: String = text
        .chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= left;
            left = left.saturating_sub(c.len_utf16());
            fits
        })
        .collect();
    kept.truncate(kept.trim_end_matches([' ', ELLIPSIS, JOINER]).len());
    kept.push(ELLIPSIS);
    kept
}

/// The largest share so that `wanted`, each cut to it, fits in `budget` in all:
/// the longest gives first, the short stay whole. `None` when all fit uncut.
pub(super) fn fair_share(wanted: &mut [usize], budget: usize) -> Option<usize> {
    wanted.sort_unstable();
    let mut left = budget;
    for (index, &want) in wanted.iter().enumerate() {
        let share = left / (wanted.len() - index);
        if want > share {
            return Some(share);
        }
        left -= want;
    }
    None
}

#[cfg(test)]
mod tests;
