//! The gateway's protocol, version 10, as far as the bot speaks it.
//! <https://docs.discord.com/developers/events/gateway>
//!
//! Each type reads only what is used: an event that Discord extends, or sends
//! in a shape that no documentation tells, costs nothing but itself.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serenity::model::gateway::GatewayIntents;

use crate::snowflake;

/// Appended to the gateway's address.
pub(super) const QUERY: &str = "v=10&encoding=json";

/// Opcodes.
pub(super) mod op {
    pub(in super::super) const DISPATCH: u8 = 0;
    pub(in super::super) const HEARTBEAT: u8 = 1;
    pub(in super::super) const IDENTIFY: u8 = 2;
    pub(in super::super) const RESUME: u8 = 6;
    pub(in super::super) const RECONNECT: u8 = 7;
    pub(in super::super) const INVALID_SESSION: u8 = 9;
    pub(in super::super) const HELLO: u8 = 10;
    pub(in super::super) const HEARTBEAT_ACK: u8 = 11;
}

/// What the bot wants to hear of.
pub(super) fn intents(with_content: bool) -> GatewayIntents {
    let intents = GatewayIntents::GUILDS | GatewayIntents::GUILD_MESSAGES;
    if with_content { intents | GatewayIntents::MESSAGE_CONTENT } else { intents }
}

/// The frame around every message to the bot, without its data.
#[derive(Debug, Deserialize)]
pub(super) struct Envelope {
    pub(super) op: u8,
    #[serde(default)]
    pub(super) s: Option<u64>,
    #[serde(default)]
    pub(super) t: Option<String>,
}

/// The data of a message whose envelope was read.
pub(super) fn data<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    #[derive(Deserialize)]
    struct Data<T> {
        d: T,
    }
    serde_json::from_str::<Data<T>>(text).map(|message| message.d)
}

/// The first message of a connection.
#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    /// In milliseconds.
    pub(super) heartbeat_interval: u64,
}

/// A new session has begun.
#[derive(Debug, Deserialize)]
pub(super) struct Ready {
    pub(super) session_id: String,
    pub(super) resume_gateway_url: String,
    pub(super) user: Author,
}

/// A message was posted.
#[derive(Debug, Deserialize)]
pub(super) struct MessageCreate {
    #[serde(with = "snowflake")]
    pub(super) id: u64,
    #[serde(with = "snowflake")]
    pub(super) channel_id: u64,
    /// Absent in private messages.
    #[serde(default)]
    pub(super) guild_id: Option<String>,
    pub(super) author: Author,
    /// Set for what a webhook posted.
    #[serde(default)]
    pub(super) webhook_id: Option<String>,
    #[serde(default, rename = "type")]
    pub(super) kind: u64,
    #[serde(default)]
    pub(super) content: String,
}

/// Kinds of messages that somebody typed: a message and a reply.
pub(super) const TYPED_KINDS: [u64; 2] = [0, 19];

/// A user, or what poses as one.
#[derive(Debug, Deserialize)]
pub(super) struct Author {
    #[serde(with = "snowflake")]
    pub(super) id: u64,
    #[serde(default)]
    pub(super) bot: bool,
}

/// A message of the bot.
#[derive(Serialize)]
pub(super) struct Message<T> {
    pub(super) op: u8,
    pub(super) d: T,
}

/// Begins a session.
#[derive(Serialize)]
pub(super) struct Identify<'a> {
    pub(super) token: &'a str,
    pub(super) shard: [u32; 2],
    pub(super) intents: GatewayIntents,
    pub(super) properties: Properties,
    pub(super) presence: Presence<'a>,
}

/// Names the library.
#[derive(Serialize)]
pub(super) struct Properties {
    os: &'static str,
    browser: &'static str,
    device: &'static str,
}

impl Properties {
    pub(super) const fn new() -> Self {
        Self { os: std::env::consts::OS, browser: "sentry-bot", device: "sentry-bot" }
    }
}

/// What is seen under the bot's name.
#[derive(Serialize)]
pub(super) struct Presence<'a> {
    since: Option<u64>,
    activities: [Activity<'a>; 1],
    status: &'static str,
    afk: bool,
}

#[derive(Serialize)]
struct Activity<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    kind: u8,
}

impl<'a> Presence<'a> {
    /// `Playing <game>`.
    pub(super) const fn playing(game: &'a str) -> Self {
        Self { since: None, activities: [Activity { name: game, kind: 0 }], status: "online", afk: false }
    }
}

/// Continues a session.
#[derive(Serialize)]
pub(super) struct Resume<'a> {
    pub(super) token: &'a str,
    pub(super) session_id: &'a str,
    pub(super) seq: u64,
}

#[cfg(test)]
mod tests;
