//! Discord's REST API through our own thin sender. One home for its limits,
//! error codes and rate limits.
//!
//! serenity's own sender is not used for requests. Its rate limiter breaks down
//! in a burst, and it has no time limits. With another base URL it loses what a
//! 429 says.

mod answer;
mod answer_meaning;
pub(crate) mod codes;
mod error;
mod interactions;
mod limits;
mod messages;
mod recent_successes;
mod route;
mod token_check;
mod transport;

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use moka::future::Cache;
use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use shared::{ChannelId, GuildId, UserId, process::BadToken};
use tokio::time::Instant;
use url::Url;

pub(crate) use self::transport::USER_AGENT;
use self::{
    answer::Answer,
    answer_meaning::{Asked, Meaning},
    limits::{Limits, Outlasts, Priority},
    messages::ReplySlots,
    recent_successes::RecentSuccesses,
    route::Route,
    token_check::TokenCheck,
    transport::Transport,
};
pub use self::{
    error::{DiscordError, DiscordRefusal},
    messages::Edited,
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
/// [`DiscordError::NotSent`] as soon as it is certain, not when it is over.
#[derive(Debug, Clone)]
pub struct Discord {
    inner: Arc<Inner>,
    patience: Duration,
    priority: Priority,
}

#[derive(Debug)]
struct Inner {
    transport: Transport,
    limits: Limits,
    token: TokenCheck,
    recent_successes: RecentSuccesses,
    replies: ReplySlots,
    guilds: Cache<ChannelId, Option<GuildId>>,
}

impl Discord {
    /// Access under this token, below `api_url` (`https://discord.com`, or a
    /// sandbox or proxy).
    ///
    /// # Errors
    /// When the TLS library cannot be set up, or the token cannot be sent in a
    /// header.
    pub fn new(api_url: &Url, token: SecretString) -> anyhow::Result<Self> {
        let inner = Inner {
            transport: Transport::new(api_url, token)?,
            limits: Limits::new(),
            token: TokenCheck::default(),
            recent_successes: RecentSuccesses::default(),
            replies: ReplySlots::new(),
            guilds: Cache::new(REMEMBERED_CHANNELS),
        };
        Ok(Self { inner: Arc::new(inner), patience: PATIENCE, priority: Priority::Alert })
    }

    /// The same access, with requests that wait for rate limits at most so long
    /// (60 s otherwise).
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self { patience, ..self.clone() }
    }

    /// The same access, with requests that wait while alerts wait and leave them a
    /// part of each rate limit: for what commands cause.
    #[must_use]
    pub fn behind_alerts(&self) -> Self {
        Self { priority: Priority::Command, ..self.clone() }
    }

    /// Sets this pod's share of the limits for all pods of the bot, in all
    /// clones. The limits are Discord's 50 requests a second, and the invalid
    /// requests (401, 403, 429) before a ban.
    pub fn share_among(&self, pods: usize) {
        self.inner.limits.share_among(pods);
    }

    /// Whether a request may be sent now that Discord will perhaps refuse, such
    /// as a try in a closed channel. Less than half of this pod's invalid
    /// requests may be used up. Beyond its whole share all requests are slowed
    /// down.
    pub fn may_be_refused(&self) -> bool {
        self.inner.limits.may_be_refused()
    }

    /// The token, for the gateway.
    pub(crate) fn token(&self) -> &SecretString {
        self.inner.transport.token()
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
        struct ChannelGuild {
            // What answers without it, with a 200 of its own, is not Discord.
            #[serde(rename = "id")]
            _id: String,
            guild_id: Option<String>,
        }
        if let Some(guild) = self.inner.guilds.get(&channel).await {
            return Ok(guild);
        }
        let path = format!("/channels/{channel}");
        let ChannelGuild { guild_id, .. } = self.get(&path, &path).await?;
        let guild = guild_id
            .map(|id| id.parse())
            .transpose()
            .context("the channel's guild is no id")
            .map_err(DiscordError::unavailable)?;
        self.inner.guilds.insert(channel, guild).await;
        Ok(guild)
    }

    /// Whether Discord knows this user.
    pub async fn user_exists(&self, user: UserId) -> Result<bool, DiscordError> {
        match self.request(Method::GET, &format!("/users/{user}"), "/users/{user}", None::<&()>).await {
            Ok(_) => Ok(true),
            Err(DiscordError::Refused { refusal: DiscordRefusal::Unknown, .. }) => Ok(false),
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
            let answer = self.attempt(path, &route, body.clone(), deadline).await?;
            if answer.status.as_u16() != 429 {
                return self.conclude(answer, &route).await;
            }
        }
    }

    /// The body of a success, or why it is none.
    async fn conclude(&self, answer: Answer, route: &Route) -> Result<Vec<u8>, DiscordError> {
        match answer.meaning(Asked::by(route)) {
            Meaning::Done => Ok(answer.body),
            Meaning::Limited => Err(DiscordError::NotSent),
            Meaning::Refused(refusal) => Err(answer.refused(refusal)),
            Meaning::PerhapsBadToken if self.is_token_refused().await => Err(BadToken.into()),
            Meaning::PerhapsBadToken => Err(answer.passing(true)),
            Meaning::Passing { answered_4xx } => Err(answer.passing(answered_4xx)),
        }
    }

    /// One request, after waiting for the rate limits, and its answer as it came.
    async fn attempt(
        &self,
        path: &str,
        route: &Route,
        body: Option<Vec<u8>>,
        deadline: Instant,
    ) -> Result<Answer, DiscordError> {
        let permit = self
            .inner
            .limits
            .acquire(route, self.priority, deadline)
            .await
            .map_err(|Outlasts| DiscordError::NotSent)?;
        let started = Instant::now();
        let answer = self.inner.transport.exchange(route.method().clone(), path, body).await;
        metrics::histogram!("sentry_bot_discord_request_seconds", "route" => route.label())
            .record(started.elapsed());
        metrics::counter!(
            "sentry_bot_discord_requests_total", "route" => route.label(), "outcome" => outcome(&answer)
        )
        .increment(1);
        let answer = answer.map_err(DiscordError::unavailable)?;
        permit.answered(route, &answer);
        if answer.status.is_success() {
            self.inner.recent_successes.saw(path);
        }
        Ok(answer)
    }
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
    encoded.context("the request is no JSON").map_err(DiscordError::unavailable)
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, DiscordError> {
    let body = if body.is_empty() { b"null" } else { body };
    serde_json::from_slice(body)
        .context("its answer is not what is documented")
        .map_err(DiscordError::unavailable)
}
