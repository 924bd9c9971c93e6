//! JSON's grammar allows strings with half of a surrogate pair, and numbers of
//! any size; Rust's `str` and `f64` hold neither. Senders that cut strings by
//! UTF-16 units do produce the former.

#[cfg(test)]
mod tests;

/// The replacement of a number beyond `f64`: large and finite.
const HUGE: &str = "1e308";

/// `json` with U+FFFD in place of lone surrogates and [`HUGE`] in place of
/// numbers too large. `json` must be correct by JSON's grammar; of anything
/// else the result is unspecified.
pub(super) fn repair(json: &str) -> String {
    let mut repaired = String::with_capacity(json.len());
    let mut rest = json;
    let mut in_string = false;
    while let Some(char) = rest.chars().next() {
        let taken = match (in_string, char) {
            (true, '\\') => escape(rest, &mut repaired),
            (false, '-' | '0'..='9') => number(rest, &mut repaired),
            _ => {
                in_string ^= char == '"';
                repaired.push(char);
                char.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    repaired
}

/// Copies the escape at the beginning of `rest`; says how long it is.
fn escape(rest: &str, repaired: &mut String) -> usize {
    const UNIT: usize = r"\uXXXX".len();
    let (taken, copied) = match (unit(rest), rest.get(UNIT..).and_then(unit)) {
        (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (2 * UNIT, rest.get(..2 * UNIT)),
        (Some(0xD800..=0xDFFF), _) => (UNIT, Some(r"\ufffd")),
        (Some(_), _) => (UNIT, rest.get(..UNIT)),
        (None, _) => (2, rest.get(..2)),
    };
    repaired.push_str(copied.unwrap_or_default());
    taken
}

/// The UTF-16 unit that `\uXXXX` at the beginning of `rest` means.
fn unit(rest: &str) -> Option<u16> {
    u16::from_str_radix(rest.strip_prefix(r"\u")?.get(..4)?, 16).ok()
}

/// Copies the number at the beginning of `rest`; says how long it is.
fn number(rest: &str, repaired: &mut String) -> usize {
    let end =
        rest.find(|c: char| !matches!(c, '0'..='9' | '+' | '-' | '.' | 'e' | 'E')).unwrap_or(rest.len());
    let number = rest.get(..end).unwrap_or_default();
    if number.parse::<f64>().is_ok_and(f64::is_infinite) {
        repaired.push_str(if number.starts_with('-') { "-" } else { "" });
        repaired.push_str(HUGE);
    } else {
        repaired.push_str(number);
    }
    end
}
