//! The way of one alert from its checks to the queue: trust, the verdict and
//! the stream. Also how long it is held while NATS is away.

use std::time::Instant;

use actix_web::http::header::HeaderMap;
use shared::Alert;

use super::{body::RequestBody, rejection::Rule, webhooks::Webhooks};
use crate::{
    deadlines::{Deadlines, POLL_CONNECTION_EVERY},
    payload::StateSubject,
    queue::RequestIdentity,
    response::WebhookResponse,
    trust::{self, Evidence},
    verdict::Authorization,
};

/// An alert whose request passed every check that needs no NATS.
pub(super) struct CheckedAlert<'a> {
    pub(super) alert: Alert,
    /// What its body describes the state of.
    pub(super) state: Option<StateSubject>,
    /// The token in its URL.
    pub(super) token: Option<&'a str>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: RequestBody,
}

impl Webhooks {
    /// Stores the alert, if its channel trusts it and may be posted to.
    pub(super) async fn store_alert(
        &self,
        checked: CheckedAlert<'_>,
        deadlines: &Deadlines,
    ) -> Result<WebhookResponse, Rule> {
        let CheckedAlert { mut alert, state, token, headers, body } = checked;
        let channel = alert.channel;
        if channel.get() == 0 {
            return Err(Rule::ChannelZero);
        }
        // `verify` refuses everything until what channels trust was read once.
        hold(deadlines, || self.trust.is_read()).await;
        let evidence = Evidence::of(token, headers, &body);
        alert.trust =
            trust::verify(&self.trust, &alert, &evidence).map_err(|error| Rule::Untrusted(channel, error))?;
        let identity = RequestIdentity::of(&alert, state, headers, &body);
        // NATS may take long: other bodies need the memory.
        drop(body);
        self.hand_over(&alert, identity, deadlines).await
    }

    /// Hands the alert over once there is a connection to NATS. If the
    /// connection breaks meanwhile, does so again, because NATS stores a repeat
    /// only once.
    async fn hand_over(
        &self,
        alert: &Alert,
        identity: RequestIdentity,
        deadlines: &Deadlines,
    ) -> Result<WebhookResponse, Rule> {
        let mut attempts = 0;
        loop {
            let held = hold(deadlines, || self.queue.connected()).await;
            let in_time = attempts == 0 || Instant::now() < deadlines.hold();
            let Some(connection) = self.queue.connection().filter(|_| in_time) else {
                return Err(Rule::NotConnected);
            };
            let deadline = deadlines.answer(held || attempts > 0);
            let attempt = self.attempt(alert, &identity, attempts > 0, deadline);
            let outcome = tokio::select! {
                biased;
                outcome = attempt => Some(outcome),
                () = self.queue.lost(connection) => None,
            };
            attempts += 1;
            let may_retry = |rule: &Rule| {
                rule.response() == WebhookResponse::QueueUnavailable && !self.queue.is_on(connection)
            };
            match outcome {
                None => {}
                Some(Err(rule)) if may_retry(&rule) => {}
                Some(outcome) => return outcome,
            }
        }
    }

    /// Asks whether the alert may be posted, and stores it. After an `again`, an
    /// alert that was stored before may be this very one.
    async fn attempt(
        &self,
        alert: &Alert,
        identity: &RequestIdentity,
        again: bool,
        deadline: Instant,
    ) -> Result<WebhookResponse, Rule> {
        let channel = alert.channel;
        let not_stored = |error| Rule::NotStored(channel, error);
        let (authorization, request) = tokio::join!(
            self.verdicts.authorize(alert, &self.queue, deadline),
            self.queue.look_up(identity, deadline)
        );
        let authorization = authorization.map_err(|denial| Rule::Denied(channel, denial))?;
        let request = request.map_err(not_stored)?.ok_or(Rule::Repeat)?;
        let receipt = self.queue.store(alert, &request.message_id, deadline).await.map_err(not_stored)?;
        if identity.is_noted() {
            self.queue.remember(identity.clone(), request, receipt, deadline).await;
            if receipt.duplicate && !again {
                return Err(Rule::Repeat);
            }
        }
        Ok(match authorization {
            Authorization::Allowed => WebhookResponse::Stored,
            Authorization::Unverified => WebhookResponse::StoredUnverified,
        })
    }
}

/// Waits until `ready`, as long as the request may be held. Returns whether it
/// had to wait.
async fn hold(deadlines: &Deadlines, ready: impl Fn() -> bool) -> bool {
    if ready() {
        return false;
    }
    while !ready() && Instant::now() < deadlines.hold() {
        tokio::time::sleep(POLL_CONNECTION_EVERY).await;
    }
    let outcome = if ready() { "released" } else { "given_up" };
    metrics::counter!("sentry_bot_ingress_held_total", "outcome" => outcome).increment(1);
    true
}
