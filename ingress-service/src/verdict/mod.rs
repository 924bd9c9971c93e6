//! Asking discord-service whether an alert may be posted.

pub(crate) mod refused_channels;
pub(crate) mod reply_inbox;
pub(crate) mod unverified_limits;

use std::time::Instant;

use shared::{
    verdict::{Verdict, VerdictRequest},
    wire,
};
use tokio::time::timeout_at;

use self::reply_inbox::Replies;

/// The verdict, or `None` when there is none until `deadline`: no
/// discord-service runs, it is too slow, or its store is away.
pub(crate) async fn ask(replies: &Replies, question: &VerdictRequest, deadline: Instant) -> Option<Verdict> {
    let started = Instant::now();
    let verdict = match timeout_at(deadline.into(), request(replies, question)).await {
        Ok(Ok(Verdict::Unavailable)) => Err("store_away"),
        Ok(Ok(verdict)) => Ok(verdict),
        Ok(Err(why)) => Err(why),
        Err(_) => Err("too_slow"),
    };
    metrics::histogram!("sentry_bot_ingress_verdict_seconds").record(started.elapsed().as_secs_f64());
    verdict
        .inspect_err(|why| {
            metrics::counter!("sentry_bot_ingress_without_verdict_total", "why" => *why).increment(1);
            tracing::debug!(channel = %question.channel, why, "no verdict");
        })
        .ok()
}

async fn request(replies: &Replies, question: &VerdictRequest) -> Result<Verdict, &'static str> {
    let question = serde_json::to_vec(question).map_err(|_| "unreadable")?;
    let reply = replies.ask(wire::VERDICT, question.into()).await.ok_or("nobody_answers")?;
    serde_json::from_slice(&reply.payload).map_err(|_| "unreadable")
}
