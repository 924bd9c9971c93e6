//! Foreign text made harmless. Whatever an attacker writes into an exception's
//! message, what comes out is one line that shows what it holds:
//!
//! - No backtick, so that nothing ends a code span from within. A look-alike
//!   replaces it, because Discord has no escape inside code, and a longer run
//!   can match any fence. The characters that Unicode normalisation turns into
//!   a backtick are replaced as well.
//! - No `×`, which is ours: it says how many alerts an embed stands for.
//! - Line breaks, tabs and every kind of blank become one space, also letters
//!   that merely look blank. Discord trims both ends and refuses an empty field.
//! - Nothing invisible: control and format characters (zero-width, bidi
//!   overrides and isolates, tags) and variation selectors are removed.
//!   The joiner stays where it joins two emoji into one.
//! - What no reader could tell apart (unassigned, private use) shows as `�`.
//! - Towers of combining marks end at [`MAX_MARKS`].

use unicode_general_category::{GeneralCategory as Category, get_general_category};

/// How many combining marks may stand on one character: Vietnamese, Hebrew and
/// Thai need up to three.
const MAX_MARKS: usize = 3;
/// Stands for a backtick.
pub(super) const BACKTICK: &str = "ˋ";

/// ZERO WIDTH JOINER.
pub(super) const JOINER: char = '\u{200D}';

enum Treatment {
    Keep,
    Mark,
    Space,
    Remove,
    Replace(char),
}

/// `text` as one harmless line without blanks at its ends; empty when nothing
/// of it can be seen.
pub(crate) fn clean(text: &str) -> String {
    // GREEK VARIA and FULLWIDTH GRAVE ACCENT normalise to a backtick.
    visible(text).replace(['`', '\u{1FEF}', '\u{FF40}'], BACKTICK)
}

/// The same with its backticks, for a place that shows no code.
pub(super) fn visible(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    // Full at first and after a space: there is nothing to stand on.
    let mut marks = MAX_MARKS;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c == JOINER {
            if cleaned.chars().next_back().is_some_and(joins) && rest.peek().copied().is_some_and(joins) {
                cleaned.push(c);
            }
            continue;
        }
        let kept = match treatment(c) {
            Treatment::Remove => continue,
            Treatment::Mark if marks >= MAX_MARKS => continue,
            Treatment::Mark => {
                marks += 1;
                cleaned.push(c);
                continue;
            }
            Treatment::Space => {
                marks = MAX_MARKS;
                if !cleaned.is_empty() && !cleaned.ends_with(' ') {
                    cleaned.push(' ');
                }
                continue;
            }
            Treatment::Keep => c,
            Treatment::Replace(other) => other,
        };
        marks = 0;
        cleaned.push(kept);
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

/// Whether emoji are made by joining this: pictures and skin tones, which are
/// all kept.
fn joins(c: char) -> bool {
    let picture = matches!(c, '\u{1F3FB}'..='\u{1F3FF}') || get_general_category(c) == Category::OtherSymbol;
    picture && matches!(treatment(c), Treatment::Keep)
}

/// [`clean`] text for a footer, which shows no code. Discord renders no
/// markdown there today. This does not ping or link even in a client that does.
pub(super) fn clean_outside_code(text: &str) -> String {
    clean(text).replace('@', "＠").replace("](", "] (").replace("://", ":/ /")
}

fn treatment(c: char) -> Treatment {
    match c {
        // Most of all text. Builds without optimisation copy the whole table at each look-up.
        '!'..='~' => return Treatment::Keep,
        '×' => return Treatment::Replace('x'),
        '\u{FFFC}' => return Treatment::Replace(char::REPLACEMENT_CHARACTER),
        _ if c.is_whitespace() || is_blank_symbol(c) => return Treatment::Space,
        _ if is_ignorable(c) => return Treatment::Remove,
        _ => {}
    }
    match get_general_category(c) {
        Category::Control | Category::Format => Treatment::Remove,
        Category::NonspacingMark | Category::EnclosingMark => Treatment::Mark,
        Category::LineSeparator | Category::ParagraphSeparator | Category::SpaceSeparator => Treatment::Space,
        Category::Unassigned | Category::PrivateUse | Category::Surrogate => {
            Treatment::Replace(char::REPLACEMENT_CHARACTER)
        }
        _ => Treatment::Keep,
    }
}

/// Letters and symbols whose glyph is empty: Hangul fillers, the blank braille
/// pattern, the null notehead, the Egyptian blanks and the Khitan filler.
const fn is_blank_symbol(c: char) -> bool {
    matches!(
        c,
        '\u{115F}'
            | '\u{1160}'
            | '\u{3164}'
            | '\u{FFA0}'
            | '\u{2800}'
            | '\u{1D159}'
            | '\u{13441}'
            | '\u{13442}'
            | '\u{16FE4}'
    )
}

/// Unicode's Default_Ignorable_Code_Point beyond the format characters.
const fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{034F}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{2065}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FFF0}'..='\u{FFF8}' | '\u{E0000}'..='\u{E0FFF}'
    )
}

#[cfg(test)]
mod tests;
