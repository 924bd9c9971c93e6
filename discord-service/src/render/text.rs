//! One text of an embed, how it is shown and how it is cut.

use shared::Alert;

use super::{
    clean::clean,
    escape,
    size::{cut, units},
};

/// The text in place of what Sentry left empty.
const NOTHING: &str = "None";

/// The longest title.
const MAX_TITLE: usize = 256;
/// The longest field value.
pub(super) const MAX_FIELD: usize = 1024;
/// Room for any slug that a user may register (100) and its code span.
const MAX_DESCRIPTION: usize = 128;
/// A few rules' names: more would push the rest aside.
const MAX_FOOTER: usize = 256;
/// Lines of evidence shown at most.
const MAX_LINES: usize = 3;
/// A file, a line and a function.
pub(super) const MAX_PLACE: usize = 256;

/// One text of an embed, harmless already.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    /// Our own words before it, which are never cut.
    before: &'static str,
    text: String,
    show: Show,
    max: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Show {
    /// As inline code, cut to its share.
    Code,
    /// As a block of code, cut to its share.
    Block,
    /// As prose: what markdown would read has a backslash. Cut to its share.
    Prose,
    /// As it is, cut to its share.
    Plain,
    /// As it is and never cut: our own words, or a link.
    Whole,
}

impl Show {
    /// What is around the text.
    const fn fences(self) -> (&'static str, &'static str) {
        match self {
            Self::Code => ("`", "`"),
            Self::Block => ("```\n", "\n```"),
            Self::Prose | Self::Plain | Self::Whole => ("", ""),
        }
    }
}

impl Text {
    fn new(text: impl Into<String>, show: Show, max: usize) -> Self {
        Self { before: "", text: text.into(), show, max }
    }

    /// Foreign text as inline code; where there is none to see, the word `None`.
    pub(super) fn code(text: Option<&str>) -> Self {
        text.and_then(Self::some_code).unwrap_or_else(|| Self::code_of(NOTHING.to_owned()))
    }

    /// Foreign text as inline code, if there is any to see.
    pub(super) fn some_code(text: &str) -> Option<Self> {
        Some(clean(text)).filter(|text| !text.is_empty()).map(Self::code_of)
    }

    fn code_of(text: String) -> Self {
        Self::new(text, Show::Code, MAX_FIELD)
    }

    /// Lines of [`clean`] text as a block of code.
    pub(super) fn block(lines: &[String]) -> Self {
        Self::new(lines.join("\n"), Show::Block, MAX_FIELD)
    }

    /// [`clean`] text as a title.
    pub(super) fn title(text: String) -> Self {
        Self::new(text, Show::Prose, MAX_TITLE)
    }

    /// So many characters of foreign text as prose after words of our own, if there
    /// is any to see.
    pub(super) fn prose(before: &'static str, text: &str, most: usize) -> Option<Self> {
        let text = cut(&clean(text), most);
        // A backslash before each.
        (!text.is_empty()).then(|| Self { before, ..Self::new(text, Show::Prose, units(before) + 2 * most) })
    }

    /// Words of our own, or a checked link.
    pub(super) fn whole(text: impl Into<String>) -> Self {
        Self::new(text, Show::Whole, MAX_FIELD)
    }

    /// Text for a place that reads no markdown and holds only what it may.
    pub(super) fn plain(before: &'static str, text: String, max: usize) -> Self {
        Self { before, ..Self::new(text, Show::Plain, max) }
    }

    /// A project's slug, plain where markdown has nothing in it to read.
    pub(super) fn slug(slug: &str) -> Self {
        let show = if is_plain_slug(slug.trim()) { Show::Plain } else { Show::Code };
        Self { show, max: MAX_DESCRIPTION, ..Self::code(Some(slug)) }
    }

    /// Names for the footer, each made harmless by this; `None` without any.
    pub(super) fn footer(names: &[String], harmless: impl Fn(&str) -> String) -> Option<Self> {
        let names: Vec<_> = names.iter().map(|name| harmless(name)).filter(|name| !name.is_empty()).collect();
        (!names.is_empty()).then(|| Self::new(names.join(", "), Show::Plain, MAX_FOOTER))
    }

    /// A place in the user's code.
    pub(super) fn place(text: &str) -> Option<Self> {
        Some(Self::some_code(text)?.at_most(MAX_PLACE))
    }

    /// The source line at a place, in the same field.
    pub(super) fn line(text: &str) -> Option<Self> {
        Some(Self::some_code(text)?.at_most(MAX_FIELD - MAX_PLACE - 1))
    }

    /// What explains the issue, one a line: each as [`evidence_line`](Self::evidence_line)
    /// or no longer than that.
    pub(super) fn evidence(alert: &Alert, line: impl Fn(&str, &str) -> Option<Self>) -> Vec<Self> {
        let lines = alert.details.evidence.iter().take(MAX_LINES);
        lines.filter_map(|(name, value)| line(name, value)).collect()
    }

    /// A name and its value as inline code.
    pub(super) fn evidence_line(name: &str, value: &str) -> Option<Self> {
        Some(Self::some_code(&format!("{name}: {value}"))?.at_most((MAX_FIELD + 1) / MAX_LINES - 1))
    }

    /// The same, of so many characters at most.
    pub(super) fn at_most(self, max: usize) -> Self {
        Self { max, ..self }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.show == Show::Whole
    }

    /// How long it is where it is not cut.
    pub(super) fn wanted(&self) -> usize {
        let text = match self.show {
            Show::Prose => units(&escape::prose(&self.text)),
            _ => units(&self.text),
        };
        (self.around() + text).min(self.max)
    }

    /// The text, cut to this many characters at most.
    pub(super) fn shown(&self, share: usize) -> String {
        let room = share.min(self.max).saturating_sub(self.around());
        let text = match self.show {
            Show::Prose => escape::prose_within(&self.text, room),
            Show::Whole => self.text.clone(),
            Show::Code | Show::Block | Show::Plain => cut(&self.text, room),
        };
        let (begin, end) = self.show.fences();
        [self.before, begin, &text, end].concat()
    }

    fn around(&self) -> usize {
        let (begin, end) = self.show.fences();
        units(self.before) + begin.len() + end.len()
    }
}

/// Foreign text as inline code of so many characters at most, if there is any to see.
pub(super) fn code_within(text: &str, most: usize) -> Option<String> {
    Some(Text::some_code(text)?.shown(most))
}

/// Of what a slug may hold, only underscores start markdown, and not between
/// letters.
pub(super) fn is_plain_slug(slug: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let parts: Vec<&str> = slug.split('_').collect();
    let joined = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.ends_with(|c: char| c.is_ascii_alphanumeric())
    };
    !slug.is_empty()
        && slug.chars().all(|c| plain(c) || c == '_')
        && (parts.len() == 1 || parts.iter().all(joined))
}
