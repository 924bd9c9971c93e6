//! Messages in channels: created, edited, and when the rate limits let that be.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use moka::future::Cache;
use reqwest::Method;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use shared::ChannelId;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::{Discord, DiscordError, DiscordRefusal, codes, decode, encode, limits::padded, route::Route};

/// Replies in flight in one channel.
const REPLIES_IN_FLIGHT: usize = 2;
/// How long a reply is tried, with all its waiting.
const REPLY_PATIENCE: Duration = Duration::from_secs(5);
/// With less time left than this a reply is not begun.
const LEAST_REPLY_PATIENCE: Duration = Duration::from_millis(100);
/// So many channels have room for replies at the same time.
const REPLYING_CHANNELS: u64 = 10_000;

/// The room that each channel has for replies.
#[derive(Debug)]
pub(super) struct ReplySlots(Cache<ChannelId, Arc<Semaphore>>);

impl ReplySlots {
    pub(super) fn new() -> Self {
        let rooms = Cache::builder().max_capacity(REPLYING_CHANNELS).time_to_idle(2 * REPLY_PATIENCE);
        Self(rooms.build())
    }

    async fn room(&self, channel: ChannelId) -> Arc<Semaphore> {
        self.0.get_with(channel, async { Arc::new(Semaphore::new(REPLIES_IN_FLIGHT)) }).await
    }
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
    /// Posts a message (the JSON body of Create Message) and returns its id: once,
    /// after waiting for the rate limits. A 429 is not waited out: `None`, certainly
    /// not done. What was true when the message was made may no longer be when it
    /// may go.
    ///
    /// # Errors
    /// After [`DiscordError::Unavailable`] the message may have been created, unless
    /// a 4xx was the answer; with a `nonce` and `enforce_nonce` a repeat soon after
    /// returns it.
    pub async fn try_create_message(
        &self,
        channel: ChannelId,
        body: &Value,
    ) -> Result<Option<u64>, DiscordError> {
        let path = format!("/channels/{channel}/messages");
        let has_embeds = body["embeds"].as_array().is_some_and(|embeds| !embeds.is_empty());
        let body = encode(Some(body))?;
        let (route, deadline) = (Route::new(&Method::POST, &path), Instant::now() + self.patience);
        let answer = self.attempt(&path, &route, body, deadline).await?;
        match answer.status.as_u16() {
            429 => Ok(None),
            _ => {
                let created = Created::read(&self.conclude(answer, &route).await?)?;
                created.with_embeds(has_embeds)?.id().map(Some)
            }
        }
    }

    /// Posts a reply to a command (the JSON body of Create Message), and returns its
    /// id. It goes behind alerts, and a channel has two in flight: others wait here
    /// in line. Each is given up after five seconds with all its waiting, so that a
    /// flood of commands ends soon after it. Callers need no limit of their own
    /// but for what they keep in memory.
    ///
    /// # Errors
    /// [`DiscordError::NotSent`] when it found no room in time. After
    /// [`DiscordError::Unavailable`] as for an alert.
    pub async fn create_reply(&self, channel: ChannelId, body: &Value) -> Result<u64, DiscordError> {
        let deadline = Instant::now() + REPLY_PATIENCE;
        let room = self.inner.replies.room(channel).await;
        let Ok(Ok(_place)) = timeout_at(deadline, room.acquire()).await else {
            return Err(DiscordError::NotSent);
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left < LEAST_REPLY_PATIENCE {
            return Err(DiscordError::NotSent);
        }
        let discord = self.behind_alerts().with_patience(left);
        let path = format!("/channels/{channel}/messages");
        let request = discord.request(Method::POST, &path, &path, Some(body));
        let silence = |_| DiscordError::unavailable(anyhow::anyhow!("no answer in time"));
        Created::read(&timeout_at(deadline, request).await.map_err(silence)??)?.id()
    }

    /// Changes a message (the JSON body of Edit Message): once, after waiting for
    /// the rate limits. A 429 is not waited out.
    pub async fn try_edit_message(
        &self,
        channel: ChannelId,
        message: u64,
        body: &Value,
    ) -> Result<Edited, DiscordError> {
        let path = format!("/channels/{channel}/messages/{message}");
        let (route, deadline) = (edit_route(channel), Instant::now() + self.patience);
        let answer = self.attempt(&path, &route, encode(Some(body))?, deadline).await?;
        match answer.status.as_u16() {
            429 => Ok(match answer.old_edits_limited() {
                Some(wait) => Edited::TooOldUntil(Instant::now() + padded(wait)),
                None => Edited::NotYet,
            }),
            // A page with status 200 is no edited message.
            _ => Created::read(&self.conclude(answer, &route).await?)?.id().map(|_| Edited::Done),
        }
    }

    /// Waits until the rate limits would let a message go to the channel.
    pub async fn until_free(&self, channel: ChannelId) {
        self.inner.limits.until_free(&post_route(channel)).await;
    }

    /// Which share of the channel's rate limit for messages is used, of the window
    /// that counts now: 0 to 1.
    pub fn used(&self, channel: ChannelId) -> f64 {
        self.inner.limits.used(&post_route(channel))
    }

    /// Waits until the rate limits would let a message of the channel be edited.
    pub async fn until_edit_free(&self, channel: ChannelId) {
        self.inner.limits.until_free(&edit_route(channel)).await;
    }

    /// From when on the rate limits let a message of the channel be edited; may be over.
    pub fn edit_free_at(&self, channel: ChannelId) -> Instant {
        self.inner.limits.free_at(&edit_route(channel))
    }
}

fn post_route(channel: ChannelId) -> Route {
    Route::new(&Method::POST, &format!("/channels/{channel}/messages"))
}

fn edit_route(channel: ChannelId) -> Route {
    Route::new(&Method::PATCH, &format!("/channels/{channel}/messages/{{message}}"))
}

/// A message as Discord shows it.
#[derive(Deserialize)]
struct Created {
    id: String,
    #[serde(default)]
    embeds: Option<Vec<IgnoredAny>>,
}

impl Created {
    fn read(body: &[u8]) -> Result<Self, DiscordError> {
        decode(body)
    }

    fn id(&self) -> Result<u64, DiscordError> {
        self.id.parse().context("the message has no id").map_err(DiscordError::unavailable)
    }

    /// Of a bot without Embed Links, Discord takes what has other content as well,
    /// and leaves out the embeds: nothing that matters is shown.
    /// <https://github.com/discord/discord-api-docs/issues/2601>
    fn with_embeds(self, expected: bool) -> Result<Self, DiscordError> {
        if expected && self.embeds.as_ref().is_some_and(Vec::is_empty) {
            return Err(DiscordError::Refused {
                refusal: DiscordRefusal::Channel,
                status: 200,
                code: codes::MISSING_PERMISSIONS,
                message: "it left out the embeds".to_owned(),
            });
        }
        Ok(self)
    }
}
