//! The parts of an embed, and how long each of their texts may be. See the head of
//! [`super`].

use super::{
    size::{fair_share, units},
    text::Text,
};

/// A text that gets less than this is hardly worth reading: then extras go first.
const COMFORTABLE: usize = 64;

/// A field: its texts stand one a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    /// Nothing in it that markdown reads.
    pub(super) name: String,
    pub(super) inline: bool,
    pub(super) texts: Vec<Text>,
}

impl Field {
    pub(super) fn inline(name: impl Into<String>, text: Text) -> Self {
        Self { name: name.into(), inline: true, texts: vec![text] }
    }

    pub(super) fn wide(name: impl Into<String>, texts: Vec<Text>) -> Self {
        Self { name: name.into(), inline: false, texts }
    }
}

/// Everything in an embed that counts, and its time.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    pub(super) author: Option<Text>,
    pub(super) title: Text,
    /// One a line.
    pub(super) description: Vec<Text>,
    /// So many lines of the description are always shown.
    pub(super) kept_lines: usize,
    /// Always shown.
    pub(super) fields: Vec<Field>,
    /// Shown where there is room, the first the most welcome.
    pub(super) extras: Vec<Field>,
    pub(super) footer: Option<Text>,
    /// When it happened, in milliseconds since 1970.
    pub(super) timestamp_ms: Option<i64>,
}

/// The parts with every text cut to its length.
#[derive(Debug)]
pub(super) struct CutParts {
    pub(super) author: Option<String>,
    pub(super) title: String,
    /// Empty where there is nothing to say.
    pub(super) description: String,
    pub(super) fields: Vec<(String, String, bool)>,
    pub(super) footer: Option<String>,
}

impl Parts {
    /// What is left for texts that may be cut.
    pub(super) fn spare(&self, max_chars: usize) -> usize {
        let names: usize = self.all_fields().map(|field| units(&field.name) + field.texts.len() - 1).sum();
        let whole: usize = self.texts().filter(|text| text.is_whole()).map(Text::wanted).sum();
        max_chars.saturating_sub(self.description.len().saturating_sub(1) + names + whole)
    }

    /// Cuts the longest texts first until all fit in `max_chars`. Rather than
    /// cut all to shreds it goes without what matters least.
    pub(super) fn cut(mut self, max_chars: usize) -> CutParts {
        let share = loop {
            let mut wanted: Vec<_> = self.texts().filter(|text| !text.is_whole()).map(Text::wanted).collect();
            match fair_share(&mut wanted, self.spare(max_chars)) {
                None => break usize::MAX,
                Some(share) if share < COMFORTABLE && self.drop_least() => {}
                Some(share) => break share,
            }
        };
        let lines =
            |texts: &[Text]| texts.iter().map(|text| text.shown(share)).collect::<Vec<_>>().join("\n");
        CutParts {
            author: self.author.as_ref().map(|text| text.shown(share)),
            title: self.title.shown(share),
            description: lines(&self.description),
            fields: self
                .all_fields()
                .map(|field| (field.name.clone(), lines(&field.texts), field.inline))
                .collect(),
            footer: self.footer.as_ref().map(|text| text.shown(share)),
        }
    }

    fn drop_least(&mut self) -> bool {
        let droppable = self.description.len() > self.kept_lines;
        self.footer.take().is_some()
            || self.extras.pop().is_some()
            || (droppable && self.description.pop().is_some())
    }

    fn all_fields(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().chain(&self.extras)
    }

    fn texts(&self) -> impl Iterator<Item = &Text> {
        let head = self.author.iter().chain([&self.title]).chain(&self.description);
        head.chain(self.all_fields().flat_map(|field| &field.texts)).chain(&self.footer)
    }
}

impl CutParts {
    /// What Discord counts towards the limit of 6,000.
    pub(super) fn chars(&self) -> usize {
        let fields: usize = self.fields.iter().map(|(name, value, _)| units(name) + units(value)).sum();
        let others = self.author.iter().chain([&self.title, &self.description]).chain(&self.footer);
        others.map(|text| units(text)).sum::<usize>() + fields
    }
}
