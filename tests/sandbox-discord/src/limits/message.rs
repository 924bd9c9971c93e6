//! The body of a message as a bot sends it.

use serde_json::Value;

use super::{components, embeds, mentions::AllowedMentions};
use crate::{
    error::{ApiError, FormErrors},
    form::Field,
};

const CONTENT_MAX: usize = 2000;
const NONCE_MAX: usize = 25;

/// Message flags that a bot may set.
pub(crate) mod flags {
    pub(crate) const SUPPRESS_EMBEDS: u64 = 1 << 2;
    pub(crate) const EPHEMERAL: u64 = 1 << 6;
    pub(crate) const LOADING: u64 = 1 << 7;
    pub(crate) const SUPPRESS_NOTIFICATIONS: u64 = 1 << 12;
}

/// Fields that the sandbox does not support. It refuses bodies with them, so
/// that nobody takes silence for support.
const NOT_PLAYED: [&str; 4] = ["attachments", "sticker_ids", "poll", "shared_client_theme"];

/// A message body that keeps every limit. `None` is a field that was not sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub(crate) content: Option<String>,
    pub(crate) embeds: Option<Vec<Value>>,
    pub(crate) components: Option<Vec<Value>>,
    pub(crate) allowed_mentions: AllowedMentions,
    pub(crate) nonce: Option<String>,
    pub(crate) enforce_nonce: bool,
    pub(crate) tts: bool,
    pub(crate) flags: u64,
    pub(crate) reply: Option<Reply>,
}

/// The message that another one answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reply {
    pub(crate) message: u64,
    pub(crate) channel: Option<u64>,
    pub(crate) must_exist: bool,
}

impl Draft {
    /// Checks everything that can be told from the body alone.
    pub(crate) fn check(body: &Value) -> Result<Self, ApiError> {
        let form = Field::root(body);
        let mut errors = FormErrors::default();
        if !form.is_object(&mut errors) {
            return errors.check().map(|()| Self::default());
        }
        for name in NOT_PLAYED {
            if form.get(name).is_some_and(|field| field.value.as_array().is_none_or(|list| !list.is_empty()))
            {
                return Err(ApiError::new(501, 0, format!("The sandbox does not play `{name}`")));
            }
        }
        let draft = Self::read(&form, &mut errors);
        errors.check()?;
        Ok(draft)
    }

    fn read(form: &Field<'_>, errors: &mut FormErrors) -> Self {
        let text = form.get("content").and_then(|text| text.text(errors, 0..=CONTENT_MAX));
        Self {
            content: form.value.get("content").map(|_| text.unwrap_or_default().to_owned()),
            embeds: form.get("embeds").map(|list| embeds::check(&list, errors)),
            components: form.get("components").map(|list| components::check(&list, errors)),
            allowed_mentions: form
                .get("allowed_mentions")
                .map(|field| AllowedMentions::check(&field, errors))
                .unwrap_or_default(),
            nonce: form.get("nonce").and_then(|nonce| read_nonce(&nonce, errors)),
            enforce_nonce: flag(form, "enforce_nonce", errors),
            tts: flag(form, "tts", errors),
            flags: form.get("flags").and_then(|flags| read_flags(&flags, errors)).unwrap_or(0),
            reply: form.get("message_reference").and_then(|field| read_reply(&field, errors)),
        }
    }

    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        let none = |list: &Option<Vec<Value>>| list.as_ref().is_none_or(Vec::is_empty);
        self.content.as_ref().is_none_or(String::is_empty) && none(&self.embeds) && none(&self.components)
    }
}

fn flag(form: &Field<'_>, name: &str, errors: &mut FormErrors) -> bool {
    form.get(name).and_then(|field| field.boolean(errors)).unwrap_or(false)
}

fn read_flags(field: &Field<'_>, errors: &mut FormErrors) -> Option<u64> {
    let number = field.integer(errors, 0..=i64::MAX)?;
    let flags = u64::try_from(number).ok()?;
    let known = flags::SUPPRESS_EMBEDS | flags::EPHEMERAL | flags::SUPPRESS_NOTIFICATIONS;
    if flags & !known != 0 {
        field.refuse(errors, "BASE_TYPE_CHOICES", "The sandbox does not play these flags");
    }
    Some(flags & known)
}

/// A nonce is a string or an integer, both of at most 25 characters.
fn read_nonce(field: &Field<'_>, errors: &mut FormErrors) -> Option<String> {
    if let Some(number) = field.value.as_i64() {
        return Some(number.to_string());
    }
    field.text(errors, 0..=NONCE_MAX).map(str::to_owned).filter(|nonce| !nonce.is_empty())
}

fn read_reply(field: &Field<'_>, errors: &mut FormErrors) -> Option<Reply> {
    if !field.is_object(errors) {
        return None;
    }
    let Some(message) = field.get("message_id") else {
        field.require(errors, "message_id");
        return None;
    };
    Some(Reply {
        message: message.snowflake(errors)?,
        channel: field.get("channel_id").and_then(|channel| channel.snowflake(errors)),
        must_exist: field.get("fail_if_not_exists").and_then(|flag| flag.boolean(errors)).unwrap_or(true),
    })
}
