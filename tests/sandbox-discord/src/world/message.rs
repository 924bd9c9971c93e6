//! Messages, stored and shown.

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    error::ApiError,
    limits::{mentions::Pings, mentions::id_strings, message::Draft},
    snowflake,
};

/// A message in a channel, or an answer to an interaction.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: u64,
    pub(crate) channel: u64,
    pub(crate) author: u64,
    pub(crate) content: String,
    pub(crate) embeds: Vec<Value>,
    pub(crate) components: Vec<Value>,
    pub(crate) flags: u64,
    pub(crate) tts: bool,
    pub(crate) nonce: Option<String>,
    pub(crate) reply_to: Option<u64>,
    /// Who was notified, when it was posted: an edit notifies nobody.
    pub(crate) pings: Pings,
    /// Who sees it highlighted. An edit of the content decides it again.
    pub(crate) highlights: Pings,
    pub(crate) edited_at: Option<String>,
    pub(crate) received: Value,
}

impl Stored {
    pub(crate) fn new(channel: u64, author: u64, draft: &Draft, received: Value) -> Self {
        Self {
            id: snowflake::next(),
            channel,
            author,
            content: draft.content.clone().unwrap_or_default(),
            embeds: draft.embeds.clone().unwrap_or_default(),
            components: draft.components.clone().unwrap_or_default(),
            flags: draft.flags,
            tts: draft.tts,
            nonce: draft.nonce.clone(),
            reply_to: draft.reply.map(|reply| reply.message),
            pings: Pings::default(),
            highlights: Pings::default(),
            edited_at: None,
            received,
        }
    }

    /// Takes in an edit. Fields that the draft lacks stay.
    pub(super) fn change(&mut self, draft: Draft, received: Value) -> Result<(), ApiError> {
        if let Some(content) = draft.content {
            self.content = content;
        }
        if let Some(embeds) = draft.embeds {
            self.embeds = embeds;
        }
        if let Some(components) = draft.components {
            self.components = components;
        }
        if self.content.is_empty() && self.embeds.is_empty() && self.components.is_empty() {
            return Err(ApiError::empty_message());
        }
        self.received = received;
        Ok(())
    }

    /// As the API shows it to someone who may read it.
    pub(crate) fn json(&self, author: &Value, mentions: &[Value]) -> Value {
        let mut json = json!({
            "id": self.id.to_string(),
            "type": if self.reply_to.is_some() { 19 } else { 0 },
            "channel_id": self.channel.to_string(),
            "author": author,
            "content": self.content,
            "timestamp": snowflake::timestamp(self.id),
            "edited_timestamp": self.edited_at,
            "tts": self.tts,
            "mention_everyone": self.highlights.everyone,
            "mentions": mentions,
            "mention_roles": id_strings(&self.highlights.roles),
            "attachments": [],
            "embeds": self.embeds,
            "components": self.components,
            "pinned": false,
            "flags": self.flags,
        });
        if let Some(message) = self.reply_to {
            json["message_reference"] = json!({
                "type": 0, "message_id": message.to_string(), "channel_id": self.channel.to_string(),
            });
        }
        json
    }
}

/// A message as a test or a person sees it.
#[derive(Debug, Clone, Serialize)]
pub struct Message {
    /// Its id.
    #[serde(serialize_with = "snowflake::as_string")]
    pub id: u64,
    /// Who wrote it.
    #[serde(serialize_with = "snowflake::as_string")]
    pub author: u64,
    /// The message object that Discord shows.
    pub json: Value,
    /// The exact body of the request. `null` for messages of
    /// [`say`](crate::Sandbox::say).
    pub received: Value,
    /// Who got a notification, when it was posted.
    pub pings: Pings,
    /// Who sees it highlighted, as it is now.
    pub highlights: Pings,
    /// Whether it was edited since.
    pub edited: bool,
}

impl Message {
    /// Its text.
    pub fn content(&self) -> &str {
        self.json["content"].as_str().unwrap_or_default()
    }

    /// Its embeds.
    pub fn embeds(&self) -> &[Value] {
        self.json["embeds"].as_array().map(Vec::as_slice).unwrap_or_default()
    }
}
