//! Discord's REST API through our own thin sender. One home for its limits,
//! error codes and rate limits.
//!
//! serenity's own sender is not used for requests: its rate limiter breaks down
//! under a burst, it has no time limits, and behind another base URL it loses
//! what a 429 says.

mod answer;
mod error;
mod interactions;
mod limits;
mod route;
mod transport;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use moka::future::Cache;
use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use shared::{ChannelId, GuildId, UserId};
use tokio::time::Instant;
use url::Url;

pub(crate) use self::transport::USER_AGENT;
use self::{
    answer::Answer,
    limits::{Limits, padded},
    route::Route,
    transport::Transport,
};
pub use self::{
    error::{DiscordError, Refusal},
    limits::GLOBAL_RATE,
};

/// How long a request waits for rate limits unless the caller says otherwise.
const PATIENCE: Duration = Duration::from_secs(60);
/// The guilds of so many channels are remembered.
const REMEMBERED_CHANNELS: u64 = 20_000;

/// One bot's access to Discord's REST API. Cheap to clone; all clones share
/// the connections and what is known of the rate limits.
///
/// Every method waits until the rate limits let it go, then makes one request
/// that takes at most ten seconds. A 429 was not done: it is waited out and the
/// request made again. Nothing else is repeated. When the rate limits would
/// outlast the caller's [patience](Self::with_patience), that is
/// [`DiscordError::Unavailable`] as soon as it is certain, not when it is over.
#[derive(Debug, Clone)]
pub struct Discord {
    shared: Arc<Shared>,
    patience: Duration,
}

#[derive(Debug)]
struct Shared {
    transport: Transport,
    limits: Limits,
    guilds: Cache<ChannelId, Option<GuildId>>,
}

/// What came of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// The message shows it.
    Done,
    /// Not done: the rate limits know when it may go.
    NotYet,
    /// Not done, and nothing of messages as old as this one is before then:
    /// Discord limits edits of those beside its buckets.
    TooOldUntil(Instant),
}

impl Discord {
    /// Access under this token, below `api_url` (`https://discord.com`, or a
    /// sandbox or proxy).
    ///
    /// # Errors
    /// When the TLS library cannot be set up, or the token cannot be sent in a
    /// header.
    pub fn new(api_url: &Url, token: SecretString) -> anyhow::Result<Self> {
        let shared = Shared {
            transport: Transport::new(api_url, token)?,
            limits: Limits::new(),
            guilds: Cache::new(REMEMBERED_CHANNELS),
        };
        Ok(Self { shared: Arc::new(shared), patience: PATIENCE })
    }

    /// The same access, with requests that wait for rate limits at most so long
    /// (60 s otherwise).
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self { shared: Arc::clone(&self.shared), patience }
    }

    /// How many requests a second may go in all, for all clones: this pod's
    /// share of Discord's 50.
    pub fn set_global_rate(&self, per_second: f64) {
        self.shared.limits.set_rate(per_second);
    }

    /// The token, for the gateway.
    pub(crate) fn token(&self) -> &SecretString {
        self.shared.transport.token()
    }

    /// Posts a message (the JSON body of Create Message) and returns its id.
    /// One attempt, after waiting for the rate limits.
    ///
    /// # Errors
    /// After [`DiscordError::Unavailable`] the message may have been created;
    /// with a `nonce` and `enforce_nonce` a repeat soon after returns it.
    pub async fn create_message(
        &self,
        channel: ChannelId,
        body: &serde_json::Value,
    ) -> Result<u64, DiscordError> {
        let path = format!("/channels/{channel}/messages");
        created(&self.request(Method::POST, &path, &path, Some(body)).await?)
    }

    /// The same, but a 429 is not waited out: `None`, certainly not done. What
    /// was true when the message was made may no longer be when it may go.
    ///
    /// # Errors
    /// As [`create_message`](Self::create_message).
    pub async fn try_create_message(
        &self,
        channel: ChannelId,
        body: &serde_json::Value,
    ) -> Result<Option<u64>, DiscordError> {
        let path = format!("/channels/{channel}/messages");
        let body = encode(Some(body))?;
        let (route, deadline) = (Route::new(&Method::POST, &path), Instant::now() + self.patience);
        let answer = self.attempt(&Method::POST, &path, &route, body, deadline).await?;
        match answer.status.as_u16() {
            429 => Ok(None),
            _ => created(&answer.into_result(route.has_own_token())?).map(Some),
        }
    }

    /// Waits until the rate limits would let a message go to the channel.
    pub async fn until_free(&self, channel: ChannelId) {
        self.shared.limits.until_free(&post_route(channel)).await;
    }

    /// Which share of the channel's rate limit for messages is used, of the window
    /// that counts now: 0 to 1.
    pub fn used(&self, channel: ChannelId) -> f64 {
        self.shared.limits.used(&post_route(channel))
    }

    /// Waits until the rate limits would let a message of the channel be edited.
    pub async fn until_edit_free(&self, channel: ChannelId) {
        self.shared.limits.until_free(&edit_route(channel)).await;
    }

    /// From when on the rate limits let a message of the channel be edited; may be over.
    pub fn edit_free_at(&self, channel: ChannelId) -> Instant {
        self.shared.limits.free_at(&edit_route(channel))
    }

    /// Changes a message (the JSON body of Edit Message): once, after waiting for
    /// the rate limits. A 429 is not waited out.
    pub async fn try_edit_message(
        &self,
        channel: ChannelId,
        message: u64,
        body: &serde_json::Value,
    ) -> Result<Edited, DiscordError> {
        let path = format!("/channels/{channel}/messages/{message}");
        let (route, deadline) = (edit_route(channel), Instant::now() + self.patience);
        let answer = self.attempt(&Method::PATCH, &path, &route, encode(Some(body))?, deadline).await?;
        match answer.status.as_u16() {
            429 => Ok(match answer.old_edits_limited() {
                Some(wait) => Edited::TooOldUntil(Instant::now() + padded(wait)),
                None => Edited::NotYet,
            }),
            _ => answer.into_result(route.has_own_token()).map(|_| Edited::Done),
        }
    }

    /// `GET` below `/api/v10`, such as `/channels/1`; `route` is the same with
    /// the minor ids (those after the first) replaced, for the rate limits.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, route: &str) -> Result<T, DiscordError> {
        decode(&self.request(Method::GET, path, route, None::<&()>).await?)
    }

    /// Writes (`POST`, `PATCH`, `PUT`, `DELETE`) with a JSON body. An answer
    /// without a body reads as `()`.
    pub async fn send<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        route: &str,
        body: &B,
    ) -> Result<T, DiscordError> {
        decode(&self.request(method, path, route, Some(body)).await?)
    }

    /// The guild of a channel, or none for a private message. Remembered for
    /// ever, since it never changes.
    pub async fn guild_of(&self, channel: ChannelId) -> Result<Option<GuildId>, DiscordError> {
        #[derive(Deserialize)]
        struct Channel {
            guild_id: Option<String>,
        }
        if let Some(guild) = self.shared.guilds.get(&channel).await {
            return Ok(guild);
        }
        let path = format!("/channels/{channel}");
        let Channel { guild_id } = self.get(&path, &path).await?;
        let guild = guild_id
            .map(|id| id.parse())
            .transpose()
            .context("the channel's guild is no id")
            .map_err(DiscordError::Unavailable)?;
        self.shared.guilds.insert(channel, guild).await;
        Ok(guild)
    }

    /// Whether Discord knows this user.
    pub async fn user_exists(&self, user: UserId) -> Result<bool, DiscordError> {
        match self.request(Method::GET, &format!("/users/{user}"), "/users/{user}", None::<&()>).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes the request until it is answered with anything but a 429.
    async fn request<B: Serialize + Sync>(
        &self,
        method: Method,
        path: &str,
        route: &str,
        body: Option<&B>,
    ) -> Result<Vec<u8>, DiscordError> {
        let route = Route::new(&method, route);
        let body = encode(body)?;
        let deadline = Instant::now() + self.patience;
        loop {
            let answer = self.attempt(&method, path, &route, body.clone(), deadline).await?;
            if answer.status.as_u16() != 429 {
                return answer.into_result(route.has_own_token());
            }
        }
    }

    async fn attempt(
        &self,
        method: &Method,
        path: &str,
        route: &Route,
        body: Option<Vec<u8>>,
        deadline: Instant,
    ) -> Result<Answer, DiscordError> {
        let permit = self
            .shared
            .limits
            .acquire(route, deadline)
            .await
            .map_err(|outlasts| DiscordError::Unavailable(outlasts.into()))?;
        let started = Instant::now();
        let answer = self.shared.transport.exchange(method.clone(), path, body).await;
        metrics::histogram!("sentry_bot_discord_request_seconds", "route" => route.label())
            .record(started.elapsed());
        metrics::counter!(
            "sentry_bot_discord_requests_total", "route" => route.label(), "outcome" => outcome(&answer)
        )
        .increment(1);
        let answer = answer.map_err(DiscordError::Unavailable)?;
        permit.answered(route, &answer);
        Ok(answer)
    }
}

fn post_route(channel: ChannelId) -> Route {
    Route::new(&Method::POST, &format!("/channels/{channel}/messages"))
}

fn edit_route(channel: ChannelId) -> Route {
    Route::new(&Method::PATCH, &format!("/channels/{channel}/messages/{{message}}"))
}

/// The label in metrics for how a request ended.
fn outcome(answer: &anyhow::Result<Answer>) -> &'static str {
    match answer.as_ref().map(|answer| answer.status.as_u16()) {
        Ok(200..300) => "ok",
        Ok(401) => "unauthorized",
        Ok(429) => "rate_limited",
        Ok(400..500) => "refused",
        Ok(_) => "server_error",
        Err(_) => "no_answer",
    }
}

fn encode<B: Serialize>(body: Option<&B>) -> Result<Option<Vec<u8>>, DiscordError> {
    let encoded = body.map(serde_json::to_vec).transpose();
    encoded.context("the request is no JSON").map_err(DiscordError::Unavailable)
}

/// The id of the message that this answer shows.
fn created(body: &[u8]) -> Result<u64, DiscordError> {
    #[derive(Deserialize)]
    struct Created {
        id: String,
    }
    let Created { id } = decode(body)?;
    id.parse().context("the new message has no id").map_err(DiscordError::Unavailable)
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DiscordError> {
    let body = if body.is_empty() { b"null" } else { body };
    serde_json::from_slice(body)
        .context("its answer is not what is documented")
        .map_err(DiscordError::Unavailable)
}
