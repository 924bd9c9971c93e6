//! How long each text of an embed may be. See the head of [`super`].

use super::{
    clean::{clean, clean_outside_code},
    size::{cut, fair_share, units},
};

/// The text in place of what Sentry left empty.
const NOTHING: &str = "None";
/// A text that gets less than this is hardly worth reading: then extras go first.
const COMFORTABLE: usize = 64;

/// The longest field value.
pub(super) const MAX_FIELD: usize = 1024;
/// Room for any slug that a user may register (100) and its code span.
const MAX_DESCRIPTION: usize = 128;
/// A few rules' names: more would push the rest aside.
const MAX_FOOTER: usize = 256;
/// A file, a line and a function.
const MAX_PLACE: usize = 256;

/// One text of an embed, harmless already.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Text {
    text: String,
    show: Show,
    max: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Show {
    /// As inline code, cut to its share.
    Code,
    /// As it is, cut to its share.
    Plain,
    /// As it is and never cut: our own words, or a link.
    Whole,
}

const FENCES: usize = 2;

impl Text {
    /// Foreign text as inline code; where there is none to see, the word `None`.
    pub(super) fn code(text: Option<&str>) -> Self {
        text.and_then(Self::some_code).unwrap_or_else(|| Self::code_of(NOTHING.to_owned()))
    }

    /// Foreign text as inline code, if there is any to see.
    pub(super) fn some_code(text: &str) -> Option<Self> {
        Some(clean(text)).filter(|text| !text.is_empty()).map(Self::code_of)
    }

    fn code_of(text: String) -> Self {
        Self { text, show: Show::Code, max: MAX_FIELD }
    }

    /// Words of our own, or a checked link.
    pub(super) fn whole(text: impl Into<String>) -> Self {
        Self { text: text.into(), show: Show::Whole, max: MAX_FIELD }
    }

    /// A project's slug, plain where markdown has nothing in it to read.
    pub(super) fn slug(slug: &str) -> Self {
        let show = if is_plain_slug(slug.trim()) { Show::Plain } else { Show::Code };
        Self { show, max: MAX_DESCRIPTION, ..Self::code(Some(slug)) }
    }

    /// Names for the footer, which shows no code; `None` without any.
    pub(super) fn footer(names: &[String]) -> Option<Self> {
        let names: Vec<_> =
            names.iter().map(|name| clean_outside_code(name)).filter(|name| !name.is_empty()).collect();
        (!names.is_empty()).then(|| Self { text: names.join(", "), show: Show::Plain, max: MAX_FOOTER })
    }

    /// A place in the user's code.
    pub(super) fn place(text: &str) -> Option<Self> {
        Some(Self { max: MAX_PLACE, ..Self::some_code(text)? })
    }

    /// The source line at a place, in the same field.
    pub(super) fn line(text: &str) -> Option<Self> {
        Some(Self { max: MAX_FIELD - MAX_PLACE - 1, ..Self::some_code(text)? })
    }

    /// One of so many lines in the same field.
    pub(super) fn one_of(text: &str, lines: usize) -> Option<Self> {
        Some(Self { max: (MAX_FIELD + 1) / lines.max(1) - 1, ..Self::some_code(text)? })
    }

    fn wanted(&self) -> usize {
        let fences = if self.show == Show::Code { FENCES } else { 0 };
        (units(&self.text) + fences).min(self.max)
    }

    fn shown(&self, share: usize) -> String {
        let room = share.min(self.max);
        match self.show {
            Show::Code => format!("`{}`", cut(&self.text, room.saturating_sub(FENCES))),
            Show::Plain => cut(&self.text, room),
            Show::Whole => self.text.clone(),
        }
    }
}

/// Of what a slug may hold, only underscores start markdown, and not between
/// letters.
fn is_plain_slug(slug: &str) -> bool {
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

/// A field: its texts stand one a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) inline: bool,
    pub(super) texts: Vec<Text>,
}

impl Field {
    pub(super) fn inline(name: &'static str, text: Text) -> Self {
        Self { name, inline: true, texts: vec![text] }
    }

    pub(super) fn wide(name: &'static str, texts: Vec<Text>) -> Self {
        Self { name, inline: false, texts }
    }
}

/// Everything in an embed that counts.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) title: &'static str,
    pub(super) description: Text,
    /// Always shown.
    pub(super) fields: Vec<Field>,
    /// Shown where there is room, the first the most welcome.
    pub(super) extras: Vec<Field>,
    pub(super) footer: Option<Text>,
}

/// A layout with every text cut to its length.
#[derive(Debug)]
pub(super) struct Cut {
    pub(super) title: &'static str,
    pub(super) description: String,
    pub(super) fields: Vec<(&'static str, String, bool)>,
    pub(super) footer: Option<String>,
}

impl Layout {
    /// What is left for texts that may be cut.
    pub(super) fn spare(&self, max_chars: usize) -> usize {
        let names: usize = self.all_fields().map(|field| units(field.name) + field.texts.len() - 1).sum();
        let whole: usize = self.texts().filter(|text| text.show == Show::Whole).map(Text::wanted).sum();
        max_chars.saturating_sub(units(self.title) + names + whole)
    }

    /// Cuts the longest texts first until all fit in `max_chars`. Rather than
    /// cut all to shreds it goes without the footer and then without extras.
    pub(super) fn cut(mut self, max_chars: usize) -> Cut {
        let share = loop {
            let mut wanted: Vec<_> =
                self.texts().filter(|text| text.show != Show::Whole).map(Text::wanted).collect();
            match fair_share(&mut wanted, self.spare(max_chars)) {
                None => break usize::MAX,
                Some(share) if share < COMFORTABLE && self.drop_least() => {}
                Some(share) => break share,
            }
        };
        let value =
            |field: &Field| field.texts.iter().map(|text| text.shown(share)).collect::<Vec<_>>().join("\n");
        Cut {
            title: self.title,
            description: self.description.shown(share),
            fields: self.all_fields().map(|field| (field.name, value(field), field.inline)).collect(),
            footer: self.footer.as_ref().map(|text| text.shown(share)),
        }
    }

    fn drop_least(&mut self) -> bool {
        self.footer.take().is_some() || self.extras.pop().is_some()
    }

    fn all_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().chain(&self.extras)
    }

    fn texts(&self) -> impl Iterator<Item = &Text> {
        std::iter::once(&self.description)
            .chain(self.all_fields().flat_map(|field| &field.texts))
            .chain(&self.footer)
    }
}

impl Cut {
    /// What Discord counts towards the limit of 6,000.
    pub(super) fn chars(&self) -> usize {
        let fields: usize = self.fields.iter().map(|(name, value, _)| units(name) + units(value)).sum();
        units(self.title)
            + units(&self.description)
            + fields
            + self.footer.as_deref().map(units).unwrap_or_default()
    }
}
