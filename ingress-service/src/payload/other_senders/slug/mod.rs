//! A project's slug, where only its name is sent.

#[cfg(test)]
mod tests;

use unicode_normalization::UnicodeNormalization as _;

/// The most characters that a slug has.
const MAX_SLUG: usize = 100;

/// The slug that GlitchTip and Bugsink make of a name. Both use Django's rule:
/// accents go, letters, digits and `_` stay, in lower case. Blanks and hyphens
/// become one hyphen, and the rest goes. `None` where nothing is left.
pub(super) fn slug(name: &str) -> Option<String> {
    let mut slug = String::new();
    for c in name.nfkd().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() || c == '_' {
            slug.push(c);
        } else if (c.is_whitespace() || c == '-') && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let ends = ['-', '_'];
    let short: String = slug.trim_matches(ends).chars().take(MAX_SLUG).collect();
    let short = short.trim_end_matches(ends);
    (!short.is_empty()).then(|| short.to_owned())
}
