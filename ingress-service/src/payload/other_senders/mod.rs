//! Webhooks of GlitchTip and Bugsink. They send no header of their own, so the
//! shape of the body tells the sender. A body with an `event` is always Sentry's. So
//! no body that the legacy schema allows is taken for another sender's.
//!
//! One body may tell several things. Each becomes an alert, ten at most.

mod bugsink;
mod glitchtip;
mod link;
mod shape;
mod slug;

use std::sync::LazyLock;

use jsonschema::Validator;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use shared::{
    Alert, ChannelId, UserId,
    alert::{Sender, kept_text},
    text::cut,
};

use super::{
    legacy,
    parsed_alert::ParsedAlert,
    prune::{KEPT_ITEMS, SCALAR, Wanted, prune},
    schema::{PayloadError, schema, validate},
};
pub use shape::MAX_ALERTS;
use shape::{Report, Reports, Shape};

/// The most characters of a title that also says how many more there are. An
/// embed's title has room for both.
const TITLE_BEFORE_MORE: usize = 200;

/// Everything that the code reads of a body without a resource, Sentry's included.
/// So each body is parsed once.
pub(crate) const BODY: &Wanted = &Wanted {
    fields: &[
        ("text", SCALAR),
        ("alias", SCALAR),
        ("attachments", &Wanted::list(ATTACHMENT)),
        ("sections", &Wanted::list(&Wanted::object(&[("activitySubtitle", SCALAR)]))),
        ("content", SCALAR),
        ("embeds", &Wanted::list(EMBED)),
        ("blocks", &Wanted::list(BLOCK)),
        ("alert_reason", SCALAR),
        ("unmute_reason", SCALAR),
        ("friendly_id", SCALAR),
        ("digested_event_count", SCALAR),
        ("first_seen", SCALAR),
        ("last_seen", SCALAR),
        ("calculated_value", SCALAR),
        ("transaction", SCALAR),
        ("title", SCALAR),
    ],
    items: None,
    also: Some(legacy::BODY),
};
const ATTACHMENT: &Wanted = &Wanted::object(&[
    ("title", SCALAR),
    ("title_link", SCALAR),
    ("text", SCALAR),
    ("color", SCALAR),
    ("fields", &Wanted::list(&Wanted::object(&[("title", SCALAR), ("value", SCALAR)]))),
    ("mrkdown_in", SCALAR),
]);
const EMBED: &Wanted = &Wanted::object(&[
    ("title", SCALAR),
    ("description", SCALAR),
    ("url", SCALAR),
    ("color", SCALAR),
    ("fields", &Wanted::list(&Wanted::object(&[("name", SCALAR), ("value", SCALAR)]))),
]);
const BLOCK: &Wanted =
    &Wanted::object(&[("type", SCALAR), ("text", BLOCK_TEXT), ("fields", &Wanted::list(BLOCK_TEXT))]);
const BLOCK_TEXT: &Wanted = &Wanted::object(&[("text", SCALAR)]);

/// All shapes. A body has the first one that fits.
static SHAPES: [Shape; 5] =
    [bugsink::CUSTOM, glitchtip::GENERAL, glitchtip::DISCORD, bugsink::DISCORD, bugsink::SLACK];

static SCHEMAS: LazyLock<Vec<Validator>> =
    LazyLock::new(|| SHAPES.iter().map(|shape| schema(shape.schema)).collect());

/// A webhook of GlitchTip or Bugsink that its schema allows.
#[derive(Debug, Clone)]
pub struct OtherWebhook {
    sender: Sender,
    /// One to [`MAX_ALERTS`].
    reports: Vec<Report>,
}

impl OtherWebhook {
    /// Reads a request's body. `None` when it is none of theirs.
    ///
    /// # Errors
    /// [`PayloadError`] when it is not JSON, or is theirs and breaks the schema of
    /// its shape.
    pub fn parse(body: &[u8]) -> Result<Option<Self>, PayloadError> {
        Self::of(&prune(body, BODY)?, body)
    }

    /// The same of the part of a body that matters, and of the whole.
    pub(super) fn of(body: &Value, whole: &[u8]) -> Result<Option<Self>, PayloadError> {
        if body.get("event").is_some() {
            return Ok(None);
        }
        let mut shapes = SHAPES.iter().zip(&*SCHEMAS);
        let Some((shape, schema)) = shapes.find(|(shape, _)| (shape.is)(body)) else { return Ok(None) };
        validate(schema, body).map_err(|error| error.of_sender(shape.sender.into()))?;
        let Reports { first: mut reports, total } = (shape.read)(body);
        let total = if total == KEPT_ITEMS as u64 { total.max(count(whole)) } else { total };
        let more = total.saturating_sub(reports.len() as u64);
        if let (Some(last), 1..) = (reports.last_mut(), more) {
            let title = last.alert.title.as_deref().map(|title| cut(title, TITLE_BEFORE_MORE));
            let noun = if more == 1 { "issue" } else { "issues" };
            last.alert.title = kept_text(&format!("{} (and {more} more {noun})", title.unwrap_or_default()));
        }
        Ok(Some(Self { sender: shape.sender, reports }))
    }

    /// Who sent it: `glitchtip` or `bugsink`.
    pub(super) fn sender(&self) -> &'static str {
        self.sender.into()
    }

    /// Its alerts for this channel and user, received at `received_ms`
    /// milliseconds since 1970: one to [`MAX_ALERTS`].
    pub fn alerts(&self, channel: ChannelId, mention: Option<UserId>, received_ms: i64) -> Vec<Alert> {
        let address = |report: &Report| Alert {
            channel,
            mention,
            sender: self.sender,
            received_ms,
            timestamp_ms: report.happened_ms.unwrap_or(received_ms),
            ..report.alert.clone()
        };
        self.reports.iter().map(address).collect()
    }

    /// The same, each with the state that it tells.
    pub(super) fn parsed(
        &self,
        channel: ChannelId,
        mention: Option<UserId>,
        received_ms: i64,
    ) -> Vec<ParsedAlert> {
        let states = self.reports.iter().map(|report| report.state.clone());
        let alerts = self.alerts(channel, mention, received_ms).into_iter().zip(states);
        alerts.map(|(alert, state)| ParsedAlert { alert, state }).collect()
    }
}

/// How many attachments or embeds a body has. Pruning keeps only the last ones of
/// very many.
fn count(whole: &[u8]) -> u64 {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Lists {
        attachments: Vec<IgnoredAny>,
        embeds: Vec<IgnoredAny>,
    }
    let lists: Lists = serde_json::from_slice(whole).unwrap_or_default();
    lists.attachments.len().max(lists.embeds.len()) as u64
}

/// Prepares what the first request would otherwise wait for.
pub(super) fn prepare() {
    LazyLock::force(&SCHEMAS);
}
