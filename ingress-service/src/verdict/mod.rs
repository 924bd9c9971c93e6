//! Whether an alert may be posted: discord-service's verdict, and the limits
//! while there is none.

mod refused_channels;
mod reply_inbox;
mod unverified_limits;

use std::time::{Duration, Instant};

use async_nats::Client;
use shared::{
    Alert, ChannelId, UserId,
    verdict::{Verdict, VerdictRequest},
    wire,
};
use strum::{IntoStaticStr, VariantNames};
use tokio::time::timeout_at;

use self::{refused_channels::RefusedChannels, reply_inbox::ReplyInbox, unverified_limits::UnverifiedLimits};
use crate::queue::AlertQueue;

/// Asks for verdicts, and remembers what they said.
#[derive(Debug)]
pub(crate) struct VerdictClient {
    inbox: ReplyInbox,
    timeout: Duration,
    store_timeout: Duration,
    refused: RefusedChannels,
    unverified: UnverifiedLimits,
}

/// Why an alert may be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Authorization {
    /// A verdict allows it.
    Allowed,
    /// There is no verdict, and the alert is within the limits for this case.
    Unverified,
}

/// Why an alert may not be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denial {
    #[error("verdict: the channel was refused just now")]
    ChannelRefusedJustNow,
    #[error("verdict: unauthorized_channel")]
    ChannelNotAuthorized,
    #[error("verdict: user_unknown")]
    UserUnknown(UserId),
    #[error("verdict: user_without_project")]
    UserWithoutProject(UserId),
    #[error("verdict: user_on_other_project")]
    UserOnOtherProject(UserId, String),
    #[error("verdict: none, and enough is stored for the channel")]
    UnverifiedAlertsFull,
    #[error("verdict: none, and 64 MiB were stored without one")]
    UnverifiedBytesFull,
}

/// Why there is no verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "snake_case")]
pub(crate) enum NoVerdict {
    /// No discord-service runs.
    NobodyAnswers,
    /// discord-service cannot read its store.
    StoreAway,
    TooSlow,
    Unreadable,
}

impl VerdictClient {
    /// Subscribes to the answers on this connection. Waits at most `timeout`
    /// for each, and leaves `store_timeout` of a request's time.
    ///
    /// # Errors
    /// When the client has ended.
    pub(crate) async fn new(
        nats: Client,
        timeout: Duration,
        store_timeout: Duration,
    ) -> anyhow::Result<Self> {
        let inbox = ReplyInbox::listen(nats).await?;
        Ok(Self {
            inbox,
            timeout,
            store_timeout,
            refused: RefusedChannels::default(),
            unverified: UnverifiedLimits::default(),
        })
    }

    /// Whether the last verdict about the channel said that it is authorized.
    pub(crate) fn knows(&self, channel: ChannelId) -> bool {
        self.unverified.knows(channel)
    }

    /// Asks whether the alerts may be stored. Answers before `deadline`, with
    /// time left to store them.
    ///
    /// # Errors
    /// [`Denial`] when they may not.
    pub(crate) async fn authorize<'a>(
        &self,
        question: &VerdictRequest,
        alerts: impl ExactSizeIterator<Item = &'a Alert>,
        queue: &AlertQueue,
        deadline: Instant,
    ) -> Result<Authorization, Denial> {
        let VerdictRequest { channel, mention, .. } = *question;
        if !self.refused.may_ask(channel, Instant::now()) {
            return Err(Denial::ChannelRefusedJustNow);
        }
        let until = (Instant::now() + self.timeout).min(deadline - self.store_timeout);
        let verdict = ask(&self.inbox, question, until).await;
        if let Some(verdict) = &verdict {
            let authorized = *verdict != Verdict::ChannelNotAuthorized;
            self.unverified.answered();
            self.unverified.learn(channel, authorized);
            self.refused.learn(channel, authorized, Instant::now());
        }
        match (verdict, mention) {
            (Some(Verdict::ChannelNotAuthorized), _) => Err(Denial::ChannelNotAuthorized),
            (Some(Verdict::UserUnknown), Some(user)) => Err(Denial::UserUnknown(user)),
            // Nobody has the id 0, so this needs no verdict.
            (_, Some(user)) if user.get() == 0 => Err(Denial::UserUnknown(user)),
            (Some(Verdict::UserWithoutProject), Some(user)) => Err(Denial::UserWithoutProject(user)),
            (Some(Verdict::UserOnOtherProject { project }), Some(user)) => {
                Err(Denial::UserOnOtherProject(user, project))
            }
            (Some(Verdict::Unavailable) | None, _) => {
                self.without_verdict(channel, alerts, queue, deadline).await
            }
            (Some(_), _) => Ok(Authorization::Allowed),
        }
    }

    async fn without_verdict<'a>(
        &self,
        channel: ChannelId,
        alerts: impl ExactSizeIterator<Item = &'a Alert>,
        queue: &AlertQueue,
        deadline: Instant,
    ) -> Result<Authorization, Denial> {
        if !self.unverified.admits(channel, alerts.len(), Instant::now()) {
            // Another pod may have seen it authorized, or this one before a
            // restart.
            if !queue.knows(channel, deadline).await {
                return Err(Denial::UnverifiedAlertsFull);
            }
            self.unverified.learn(channel, true);
        }
        if !self.unverified.has_room(alerts.map(|alert| alert.encode().len()).sum()) {
            return Err(Denial::UnverifiedBytesFull);
        }
        Ok(Authorization::Unverified)
    }
}

/// The verdict; `None` when there is none by `deadline`.
async fn ask(inbox: &ReplyInbox, question: &VerdictRequest, deadline: Instant) -> Option<Verdict> {
    let started = Instant::now();
    let verdict = match timeout_at(deadline.into(), request(inbox, question)).await {
        Ok(Ok(Verdict::Unavailable)) => Err(NoVerdict::StoreAway),
        Ok(verdict) => verdict,
        Err(_) => Err(NoVerdict::TooSlow),
    };
    metrics::histogram!("sentry_bot_ingress_verdict_seconds").record(started.elapsed().as_secs_f64());
    verdict
        .inspect_err(|why| {
            let why: &'static str = why.into();
            metrics::counter!("sentry_bot_ingress_without_verdict_total", "why" => why).increment(1);
            tracing::debug!(why, "no verdict");
        })
        .ok()
}

async fn request(inbox: &ReplyInbox, question: &VerdictRequest) -> Result<Verdict, NoVerdict> {
    let question = serde_json::to_vec(question).map_err(|_| NoVerdict::Unreadable)?;
    let reply = inbox.ask(wire::VERDICT, question.into()).await.ok_or(NoVerdict::NobodyAnswers)?;
    serde_json::from_slice(&reply.payload).map_err(|_| NoVerdict::Unreadable)
}
