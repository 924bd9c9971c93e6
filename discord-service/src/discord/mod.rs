//! Discord's REST API through our own thin sender. One home for its limits,
//! error codes and rate limits.

use secrecy::SecretString;
use serde::{Serialize, de::DeserializeOwned};
use shared::{ChannelId, GuildId, UserId};
use url::Url;

/// Why Discord did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum DiscordError {
    /// 401: the token is not valid. It never heals; the process must end.
    #[error(transparent)]
    BadToken(#[from] shared::process::BadToken),
    /// Any other 4xx but 429: asking the same again answers the same.
    #[error("Discord refused with {status}, code {code}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Discord's JSON error code, 0 where there is none.
        code: u32,
        /// Discord's words, with the details of a form error.
        message: String,
    },
    /// No answer in time, no connection, 5xx, or a rate limit that outlasted
    /// the caller's patience: it may or may not have been done.
    #[error("Discord is unavailable: {0:#}")]
    Unavailable(anyhow::Error),
}

/// What a refusal of a message is about.
pub enum Refusal {
    /// The message was posted before, and deleted since.
    AlreadyPosted,
    /// The channel: no message gets there.
    Channel,
    /// The message itself.
    Message,
}

impl DiscordError {
    /// What a refusal of a message is about.
    pub fn refusal(&self) -> Refusal {
        Refusal::Message
    }
}

/// One bot's access to Discord's REST API. Cheap to clone; all clones share
/// the connections and what is known of the rate limits.
#[derive(Clone)]
pub struct Discord;

impl Discord {
    /// Access under this token, below `api_url` (`https://discord.com`, or a
    /// sandbox or proxy).
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(api_url: &Url, token: SecretString) -> anyhow::Result<Self> {
        let _ = (api_url, token);
        todo!()
    }

    /// Posts a message (the JSON body of Create Message) and returns its id.
    /// One attempt, after waiting for the rate limits.
    pub async fn create_message(
        &self,
        channel: ChannelId,
        body: &serde_json::Value,
    ) -> Result<u64, DiscordError> {
        let _ = (channel, body);
        todo!()
    }

    /// `GET` below `/api/v10`, such as `/channels/1`; `route` is the same with
    /// the minor ids replaced, for the rate limits.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, route: &str) -> Result<T, DiscordError> {
        let _ = (path, route);
        todo!()
    }

    /// Writes (`POST`, `PATCH`, `PUT`, `DELETE`) with a JSON body.
    pub async fn send<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: reqwest::Method,
        path: &str,
        route: &str,
        body: &B,
    ) -> Result<T, DiscordError> {
        let _ = (method, path, route, body);
        todo!()
    }

    /// The guild of a channel, or none for a private message. Remembered for
    /// ever, since it never changes.
    pub async fn guild_of(&self, channel: ChannelId) -> Result<Option<GuildId>, DiscordError> {
        let _ = channel;
        todo!()
    }

    /// Whether Discord knows this user.
    pub async fn user_exists(&self, user: UserId) -> Result<bool, DiscordError> {
        let _ = user;
        todo!()
    }
}
