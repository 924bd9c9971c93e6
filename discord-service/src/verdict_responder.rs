//! Answers the ingress's question over NATS request/reply.

use std::sync::Arc;

use anyhow::Context as _;
use futures::StreamExt as _;
use shared::{
    shutdown::CancellationToken,
    verdict::{Verdict, VerdictRequest},
    wire,
};
use tokio::sync::Semaphore;

use crate::authority::{AskAgain, Authority};

/// Questions worked on at once. More would wait longer than the ingress does.
const CONCURRENT: usize = 256;

/// Answers until `shutdown`.
///
/// # Errors
/// When it cannot subscribe.
pub async fn answer(
    nats: async_nats::Client,
    authority: Authority,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut questions = nats
        .queue_subscribe(wire::VERDICT, wire::VERDICT_GROUP.to_owned())
        .await
        .context("cannot subscribe to verdicts")?;
    let slots = Arc::new(Semaphore::new(CONCURRENT));
    loop {
        let question = tokio::select! {
            question = questions.next() => question,
            () = shutdown.cancelled() => break,
        };
        let Some(question) = question else { break };
        let (Some(reply), Ok(slot)) = (question.reply, slots.clone().try_acquire_owned()) else {
            metrics::counter!("sentry_bot_verdicts_total", "verdict" => "dropped").increment(1);
            continue;
        };
        let (nats, authority) = (nats.clone(), authority.clone());
        tokio::spawn(async move {
            let verdict = verdict(&authority, &question.payload).await;
            metrics::counter!("sentry_bot_verdicts_total", "verdict" => <&str>::from(&verdict)).increment(1);
            let answer = serde_json::to_vec(&verdict).unwrap_or_default();
            if let Err(error) = nats.publish(reply, answer.into()).await {
                tracing::debug!(%error, "cannot answer the ingress");
            }
            drop(slot);
        });
    }
    // Another pod answers all later questions.
    questions.unsubscribe().await.context("cannot unsubscribe from verdicts")
}

async fn verdict(authority: &Authority, question: &[u8]) -> Verdict {
    let request: VerdictRequest = match serde_json::from_slice(question) {
        Ok(request) => request,
        Err(error) => {
            tracing::warn!(%error, "cannot read a question of the ingress");
            return Verdict::Unavailable;
        }
    };
    match authority.verdict(request.channel, request.mention, &request.project).await {
        Ok(verdict) => verdict,
        Err(AskAgain::BadToken(_)) => Verdict::Unavailable,
        Err(error) => {
            tracing::warn!(channel.id = %request.channel, %error, "cannot give the ingress a verdict for this channel");
            Verdict::Unavailable
        }
    }
}
