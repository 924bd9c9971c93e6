//! The way of one webhook's alerts from its checks to the queue: trust, the
//! verdict and the stream. Also how long they are held while NATS is away.

use std::time::Instant;

use actix_web::http::header::HeaderMap;
use futures::future::{join_all, try_join_all};
use shared::{Alert, verdict::VerdictRequest};

use super::{body::RequestBody, rejection::Rule, services::RequestServices};
use crate::{
    deadlines::{Deadlines, POLL_CONNECTION_EVERY},
    payload::StateSubject,
    queue::{NewRequest, QueueError, RequestIdentity},
    response::WebhookResponse,
    trust::{self, Evidence},
    verdict::Authorization,
};

/// A webhook whose request passed every check that needs no NATS.
pub(super) struct CheckedWebhook<'a> {
    /// Whether its alerts may be posted.
    pub(super) question: VerdictRequest,
    /// At least one.
    pub(super) alerts: Vec<Alert>,
    /// What each of them tells the state of.
    pub(super) states: Vec<Option<StateSubject>>,
    /// The token in its URL.
    pub(super) token: Option<&'a str>,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: RequestBody,
}

/// What goes to NATS.
struct Handover {
    question: VerdictRequest,
    alerts: Vec<(Alert, RequestIdentity)>,
}

impl RequestServices {
    /// Stores the alerts, if their channel trusts them and may be posted to.
    pub(super) async fn verify_and_store(
        &self,
        checked: CheckedWebhook<'_>,
        deadlines: &Deadlines,
    ) -> Result<WebhookResponse, Rule> {
        let CheckedWebhook { question, mut alerts, states, token, headers, body } = checked;
        let channel = question.channel;
        if channel.get() == 0 {
            return Err(Rule::ChannelZero);
        }
        // `verify` refuses everything until what channels trust was read once.
        hold(deadlines, || self.trust.is_read()).await;
        let evidence = Evidence::of(token, headers, &body);
        let trust = trust::verify(&self.trust, channel, &evidence)
            .map_err(|error| Rule::Untrusted(channel, error))?;
        alerts.iter_mut().for_each(|alert| alert.trust = trust.clone());
        let identities = RequestIdentity::of_each(&alerts, states, headers, &body);
        // NATS may take long: other bodies need the memory.
        drop(body);
        let handover = Handover { question, alerts: alerts.into_iter().zip(identities).collect() };
        self.hand_over(&handover, deadlines).await
    }

    /// Hands the alerts over once there is a connection to NATS. If the
    /// connection breaks meanwhile, does so again, because NATS stores a repeat
    /// only once.
    async fn hand_over(&self, handover: &Handover, deadlines: &Deadlines) -> Result<WebhookResponse, Rule> {
        let mut attempts = 0;
        loop {
            let held = hold(deadlines, || self.queue.connected()).await;
            let in_time = attempts == 0 || Instant::now() < deadlines.hold();
            let Some(connection) = self.queue.connection().filter(|_| in_time) else {
                return Err(Rule::NotConnected);
            };
            let deadline = deadlines.answer(held || attempts > 0);
            let attempt = self.ask_and_store(handover, attempts > 0, deadline);
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

    /// Asks once whether the alerts may be posted, and stores all of them at the
    /// same time. If one cannot be stored, the answer is its error. The others stay,
    /// because GlitchTip does not repeat. A repeat stores only what is missing.
    /// With `again`, an alert that was stored before may be this very one.
    async fn ask_and_store(
        &self,
        Handover { question, alerts }: &Handover,
        again: bool,
        deadline: Instant,
    ) -> Result<WebhookResponse, Rule> {
        let channel = question.channel;
        let look_ups = alerts.iter().map(|(_, identity)| self.queue.look_up(identity, deadline));
        let (authorization, requests) = tokio::join!(
            self.verdicts.authorize(question, alerts.iter().map(|(alert, _)| alert), &self.queue, deadline),
            try_join_all(look_ups)
        );
        let authorization = authorization.map_err(|denial| Rule::Denied(channel, denial))?;
        let requests = requests.map_err(|error| Rule::NotStored(channel, error))?;
        let new =
            alerts.iter().zip(requests).filter_map(|((alert, identity), new)| Some((alert, identity, new?)));
        let stored = new.map(|(alert, identity, new)| self.store_alert(alert, identity, new, deadline));
        let stored = join_all(stored).await.into_iter().collect::<Result<Vec<_>, _>>();
        let stored = stored.map_err(|error| Rule::NotStored(channel, error))?;
        // A state's note may have come too late for the look-up, but not its id.
        if stored.iter().all(|repeat| *repeat && !again) {
            return Err(Rule::Repeat);
        }
        Ok(match authorization {
            Authorization::Allowed => WebhookResponse::Stored,
            Authorization::Unverified => WebhookResponse::StoredUnverified,
        })
    }

    /// Stores one alert and notes it. Returns whether it is a repeat that must be
    /// answered as one.
    async fn store_alert(
        &self,
        alert: &Alert,
        identity: &RequestIdentity,
        request: NewRequest,
        deadline: Instant,
    ) -> Result<bool, QueueError> {
        let receipt = self.queue.store(alert, &request.message_id, deadline).await?;
        if identity.is_noted() {
            self.queue.remember(identity.clone(), request, receipt, deadline).await;
        }
        Ok(identity.is_noted() && receipt.duplicate)
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
