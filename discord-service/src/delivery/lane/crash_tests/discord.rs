//! Discord of the fake world: it answers posts and edits in every way.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use shared::ChannelId;
use tokio::time::{Instant, sleep};

use super::world::{Fails, FakeWorld};
use crate::{
    delivery::ports::MessageApi,
    discord::{DiscordError, DiscordRefusal, Edited},
};

/// What holds a post up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    Request,
    Limits,
}

fn refused(refusal: DiscordRefusal) -> DiscordError {
    DiscordError::Refused { refusal, status: 400, code: 1, message: "refused".to_owned() }
}

fn silence() -> DiscordError {
    DiscordError::unavailable(anyhow::anyhow!("nothing was heard"))
}

impl FakeWorld {
    /// Waits as long as posts in this channel are held up in this way.
    async fn pass(&self, channel: ChannelId, how: Held) {
        while self.lock().held == Some((channel, how)) {
            self.lock().holding += 1;
            sleep(Duration::from_millis(10)).await;
        }
    }
}

#[async_trait]
impl MessageApi for FakeWorld {
    async fn post(&self, channel: ChannelId, body: &Value) -> Result<Option<u64>, DiscordError> {
        self.alive().await;
        self.lock().note_post(channel);
        // What the lane does beside a post comes first.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        self.alive().await;
        self.pass(channel, Held::Request).await;
        if self.lock().closed == Some(channel) {
            return Err(refused(DiscordRefusal::Channel));
        }
        if self.lock().is_refused(body) {
            self.lock().refuse();
            return Err(refused(DiscordRefusal::Message));
        }
        let fails = self.lock().fails(body);
        if let Some(Fails { answered_4xx, .. }) = fails {
            return Err(DiscordError::Unavailable {
                error: anyhow::anyhow!("error code: 1020"),
                answered_4xx,
            });
        }
        if self.lock().closed_until > 1 {
            self.lock().closed_until -= 1;
            return Err(refused(DiscordRefusal::Channel));
        }
        let evil = self.lock().choices.evil(6);
        self.lock().unlucky += usize::from(evil == 4);
        match evil {
            1 => {
                self.lock().create(channel, body);
                self.die().await;
            }
            2 => {
                self.lock().create(channel, body);
                return Err(silence());
            }
            3 => return Err(silence()),
            4 => return Err(refused(DiscordRefusal::Channel)),
            5 => return Ok(None),
            _ => {}
        }
        Ok(Some(self.lock().create(channel, body)))
    }

    async fn edit(&self, channel: ChannelId, message: u64, body: &Value) -> Result<Edited, DiscordError> {
        self.alive().await;
        let mut world = self.lock();
        if world.edits_fail_until.is_some_and(|until| Instant::now() < until) {
            return Err(silence());
        }
        let evil = world.choices.evil(6);
        if evil == 1
            && let Some(message) = world.messages.get_mut(&message)
        {
            message.exists = false;
        }
        if !world.messages.get(&message).is_some_and(|message| message.exists) {
            return Err(refused(DiscordRefusal::MessageGone));
        }
        match evil {
            3 => return Err(silence()),
            4 => return Err(refused(DiscordRefusal::Channel)),
            5 => return Ok(Edited::NotYet),
            _ => world.show(channel, message, body),
        }
        match evil {
            2 => Err(silence()),
            _ => Ok(Edited::Done),
        }
    }

    async fn until_free(&self, channel: ChannelId) {
        self.pass(channel, Held::Limits).await;
    }

    async fn until_edit_free(&self, _: ChannelId) {}

    fn used(&self, _: ChannelId) -> f64 {
        0.0
    }

    fn edit_free_at(&self, _: ChannelId) -> Instant {
        Instant::now()
    }

    async fn others_succeed(&self, _: ChannelId) -> bool {
        self.lock().others_succeed
    }

    fn may_be_refused(&self) -> bool {
        self.lock().may_be_refused
    }
}
