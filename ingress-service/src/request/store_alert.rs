//! An accepted webhook from its body to the queue: trust, the verdict, the
//! stream, and how long it is held while NATS is not there.

use std::time::Instant;

use actix_web::http::header::HeaderMap;
use shared::{
    Alert, ChannelId,
    verdict::{Verdict, VerdictRequest},
};

use super::{
    body::Body,
    handler::{Refusal, Webhooks},
    query::Query,
};
use crate::{
    deadlines::{Deadlines, STORE_WITHIN},
    payload::State,
    queue::{Firing, LOOK_EVERY, StoreError},
    response::Answer,
    trust::{self, Evidence},
    verdict,
};

impl Webhooks {
    /// Notes in the alert how far it is trusted, once that can be told, and lets
    /// the body go: NATS is awaited without it.
    pub(crate) async fn verify(
        &self,
        alert: &mut Alert,
        query: &Query,
        headers: &HeaderMap,
        state: Option<State>,
        body: Body,
        deadlines: &Deadlines,
    ) -> Result<Firing, Refusal> {
        let channel = alert.channel;
        if channel.get() == 0 {
            return Err(Refusal::new(Answer::UnauthorizedChannel(channel), "verdict: no channel has id 0"));
        }
        // Without it there is no word of trust, and `verify` says so.
        hold(deadlines, || self.trust.is_read()).await;
        let evidence = Evidence::of(query.token(), headers, &body);
        alert.trust = trust::verify(&self.trust, alert, &evidence)
            .map_err(|error| Refusal::new(error.answer(channel), error))?;
        Ok(Firing::of(alert, state, headers, &body))
    }

    /// Hands the alert over, as soon as there is a connection to NATS, and once
    /// more where that is lost meanwhile: a repeat of the same alert is stored once.
    pub(crate) async fn hand_over(
        &self,
        alert: &Alert,
        firing: Firing,
        deadlines: &Deadlines,
    ) -> Result<Answer, Refusal> {
        let mut began = 0;
        loop {
            let held = hold(deadlines, || self.queue.connected()).await;
            let in_time = began == 0 || Instant::now() < deadlines.hold();
            let Some(connection) = self.queue.connection().filter(|_| in_time) else {
                return Err(Refusal::new(Answer::QueueUnavailable, "queue: not connected to NATS"));
            };
            let deadline = deadlines.answer(held || began > 0);
            let attempt = self.attempt(alert, &firing, began > 0, deadline);
            let outcome = tokio::select! {
                biased;
                outcome = attempt => Some(outcome),
                () = self.queue.lost(connection) => None,
            };
            began += 1;
            match outcome {
                Some(Err(refusal))
                    if refusal.answer == Answer::QueueUnavailable && !self.queue.is_on(connection) => {}
                Some(outcome) => return outcome,
                None => {}
            }
        }
    }

    /// Asks whether the alert may be posted, and stores it. `again` says that it
    /// may have been stored without a word of it.
    async fn attempt(
        &self,
        alert: &Alert,
        firing: &Firing,
        again: bool,
        deadline: Instant,
    ) -> Result<Answer, Refusal> {
        let channel = alert.channel;
        let (verdict, place) =
            tokio::join!(self.authorize(alert, deadline), self.queue.look_up(firing, deadline));
        let verified = verdict?;
        let place = place.map_err(|error| refuse_store(channel, &error))?.ok_or_else(repeat)?;
        let stored = self.queue.store(alert, &place.message_id, deadline).await;
        let stored = stored.map_err(|error| refuse_store(channel, &error))?;
        if firing.is_noted() {
            self.queue.remember(firing.clone(), place, stored, deadline).await;
            if stored.before && !again {
                return Err(repeat());
            }
        }
        Ok(if verified { Answer::Stored } else { Answer::StoredUnverified })
    }

    /// Whether a verdict allowed the alert; without one, whether it may be
    /// stored all the same.
    async fn authorize(&self, alert: &Alert, deadline: Instant) -> Result<bool, Refusal> {
        let Alert { channel, mention, .. } = *alert;
        let question = VerdictRequest { channel, mention, project: alert.project.clone() };
        if !self.refused.may_ask(channel, Instant::now()) {
            let rule = "verdict: the channel was refused just now";
            return Err(Refusal::new(Answer::UnauthorizedChannel(channel), rule));
        }
        let until = (Instant::now() + self.verdict_timeout).min(deadline - STORE_WITHIN);
        let verdict = verdict::ask(&self.replies, &question, until).await;
        if let Some(verdict) = &verdict {
            let authorized = *verdict != Verdict::ChannelNotAuthorized;
            self.backstop.answered();
            self.backstop.learn(channel, authorized);
            self.refused.learn(channel, authorized, Instant::now());
        }
        let refused = |answer: Answer| {
            let rule = format!("verdict: {}", answer.name());
            Err(Refusal::new(answer, rule))
        };
        match (verdict, mention) {
            (Some(Verdict::ChannelNotAuthorized), _) => refused(Answer::UnauthorizedChannel(channel)),
            (Some(Verdict::UserUnknown), Some(user)) => refused(Answer::UserUnknown(user)),
            // Nobody has the id 0, whoever answers or does not.
            (_, Some(user)) if user.get() == 0 => refused(Answer::UserUnknown(user)),
            (Some(Verdict::UserWithoutProject), Some(user)) => refused(Answer::UserWithoutProject(user)),
            (Some(Verdict::UserOnOtherProject { project }), Some(user)) => {
                refused(Answer::UserOnOtherProject(user, project))
            }
            (Some(Verdict::Unavailable) | None, _) => self.without_verdict(alert, deadline).await,
            (Some(_), _) => Ok(true),
        }
    }

    /// Whether an alert may be stored for which there is no verdict.
    async fn without_verdict(&self, alert: &Alert, deadline: Instant) -> Result<bool, Refusal> {
        let refused = |rule: &str| Err(Refusal::new(Answer::QueueUnavailable, rule));
        let channel = alert.channel;
        if !self.backstop.admits(channel, Instant::now()) {
            // Another pod, or this one before a restart, may have seen it authorized.
            if !self.queue.knows(channel, deadline).await {
                return refused("verdict: none, and enough is stored for the channel");
            }
            self.backstop.learn(channel, true);
        }
        if !self.backstop.has_room(alert.encode().len()) {
            return refused("verdict: none, and 64 MiB were stored without one");
        }
        Ok(false)
    }
}

/// Waits until `there` says so, as long as the request may be held; says whether
/// it had to.
async fn hold(deadlines: &Deadlines, there: impl Fn() -> bool) -> bool {
    if there() {
        return false;
    }
    while !there() && Instant::now() < deadlines.hold() {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let outcome = if there() { "released" } else { "given_up" };
    metrics::counter!("sentry_bot_ingress_held_total", "outcome" => outcome).increment(1);
    true
}

fn refuse_store(channel: ChannelId, error: &StoreError) -> Refusal {
    let answer = match error {
        StoreError::BacklogFull => Answer::BacklogFull(channel),
        StoreError::Unavailable(_) => Answer::QueueUnavailable,
        StoreError::Unexpected(_) => Answer::Internal,
    };
    Refusal::new(answer, error)
}

/// It looks like a success, so that whoever repeats a captured request learns
/// nothing.
fn repeat() -> Refusal {
    Refusal::new(Answer::Repeated, "repeat: this request was stored before")
}
