//! One webhook from its request to its answer: the checks of the HTTP contract
//! in their order, then the verdict, then the queue.

use std::{net::IpAddr, sync::Arc, time::Instant};

use actix_web::{
    HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        ConnectionType, Method,
        header::{CONTENT_LENGTH, HeaderMap, USER_AGENT, X_FORWARDED_FOR},
    },
    web,
};
use shared::{
    Alert, ChannelId, UserId,
    refusal::Reason,
    trace::TracePoint,
    verdict::{Verdict, VerdictRequest},
};

use crate::{
    answer::Answer,
    backstop::Backstop,
    body::{self, Body, BodyError, Held},
    deadlines::{Deadlines, STORE_WITHIN},
    limits::{connections::Connections, refused::Refused, room::Room, stream::Occupant},
    payload::{PayloadError, State, Webhook, platform},
    query::Query,
    queue::{Firing, LOOK_EVERY, Queue, StoreError},
    refusals::{self, Refusals},
    replies::Replies,
    report::{Answered, Reporter},
    sources::{self, Sources},
    trace,
    trust::{self, Evidence},
    verdict,
};

pub(crate) const PATH: &str = "/sentry-bot/channel";

/// What answers webhooks.
#[derive(Debug)]
pub(crate) struct Webhooks {
    pub(crate) sources: Arc<Sources>,
    pub(crate) connections: Connections,
    pub(crate) room: Room,
    pub(crate) replies: Replies,
    pub(crate) max_body: u64,
    pub(crate) verdict_timeout: std::time::Duration,
    pub(crate) trust: trust::Mirror,
    pub(crate) queue: Queue,
    pub(crate) backstop: Backstop,
    pub(crate) refused: Refused,
    pub(crate) reporter: Reporter,
    pub(crate) refusals: Refusals,
}

/// A request that is not stored: its answer, and the rule that it broke.
struct Refusal {
    answer: Answer,
    rule: String,
    own: bool,
}

impl Refusal {
    fn new(answer: Answer, rule: impl ToString) -> Self {
        Self { answer, rule: rule.to_string(), own: false }
    }
}

/// Answers every request, on whatever path.
pub(crate) async fn receive(
    request: HttpRequest,
    payload: web::Payload,
    webhooks: web::Data<Webhooks>,
) -> HttpResponse<Held> {
    let started = Instant::now();
    let occupant = request.conn_data::<Arc<Occupant>>().cloned();
    if occupant.as_ref().is_some_and(|occupant| !occupant.hear()) {
        // It came after the last answer: the connection closes, and this with it.
        std::future::pending::<()>().await;
    }
    let mut payload = payload.into_inner();
    let mut source = request.peer_addr().map(|peer| peer.ip());
    let transaction = trace::begin(&request);
    let point = TracePoint::of(&transaction);
    let outcome = webhooks.answer(&request, &mut payload, &mut source, point, started).await;
    let (answer, rule, own) = match outcome {
        Ok(answer) => (answer, String::new(), false),
        Err(refusal) => {
            webhooks.note_refusal(&request, &refusal);
            (refusal.answer, refusal.rule, refusal.own)
        }
    };
    let path = request.uri().path();
    webhooks.reporter.report(&Answered { source, path, answer: &answer, rule: &rule, own });
    metrics::histogram!("sentry_bot_ingress_request_seconds").record(started.elapsed().as_secs_f64());
    trace::end(transaction, answer.status());
    let mut response = answer.response();
    if !occupant.as_ref().is_some_and(|occupant| webhooks.connections.keeps(occupant)) {
        response.head_mut().set_connection_type(ConnectionType::Close);
        occupant.iter().for_each(|occupant| occupant.close());
    }
    response.set_body(Held::new(answer.body(), payload, occupant))
}

impl Webhooks {
    /// The checks, in the contract's order. Puts the address behind trusted
    /// proxies into `source`, which begins as the peer's.
    async fn answer(
        &self,
        request: &HttpRequest,
        payload: &mut Payload,
        source: &mut Option<IpAddr>,
        trace: Option<TracePoint>,
        started: Instant,
    ) -> Result<Answer, Refusal> {
        check_target(request)?;
        *source = Some(self.admit(request, *source)?);
        let query = Query::parse(request.uri().query().unwrap_or_default())
            .map_err(|error| Refusal::new(Answer::ValidationFailed, error))?;
        let named = request.headers().get(platform::RESOURCE).map(|name| name.as_bytes().trim_ascii());
        let resource = match named.filter(|name| !name.is_empty()) {
            None => None,
            Some(name) => match platform::known(name) {
                None => return Ok(ignore(None)),
                known => known,
            },
        };
        let deadlines = Deadlines::of(resource.is_some(), started);
        let occupant = request.conn_data::<Arc<Occupant>>();
        let reader = body::Reader {
            declared: declared_length(request),
            limit: self.max_body,
            room: &self.room,
            room_until: deadlines.hold(),
            occupant,
        };
        let body = reader.read(payload).await.map_err(|error| self.refuse_body(&error))?;
        let _served = occupant.map(|occupant| occupant.serve());
        let received_ms = chrono::Utc::now().timestamp_millis();

        let webhook = Webhook::parse(resource, &body).map_err(|error| refuse_payload(&error))?;
        let Some(webhook) = webhook else {
            return Ok(ignore(resource));
        };
        let (channel, mention) = ids(&query)?;
        let mut alert = Alert { trace, ..webhook.alert(channel, mention, received_ms) };
        let state = webhook.state();
        drop(webhook);
        let handed = match self.verify(&mut alert, &query, request.headers(), state, body, &deadlines).await {
            Ok(firing) => self.hand_over(&alert, firing, &deadlines).await,
            Err(refusal) => Err(refusal),
        };
        handed.map_err(|refusal| Refusal { own: alert.own, ..refusal })
    }

    fn admit(&self, request: &HttpRequest, peer: Option<IpAddr>) -> Result<IpAddr, Refusal> {
        let peer = peer.ok_or_else(|| Refusal::new(Answer::UnauthorizedIp, "source: unknown"))?;
        let forwarded: Vec<_> =
            request.headers().get_all(X_FORWARDED_FOR).map(|value| value.as_bytes()).collect();
        self.sources.admit(peer, forwarded.into_iter()).map_err(|refused| {
            let rule = match refused {
                sources::Refused::NotAllowed(address) => format!("source: {address} is not allowed"),
                sources::Refused::ForwardedByNobody => "source: X-Forwarded-For holds no address".to_owned(),
            };
            metrics::counter!("sentry_bot_ingress_source_refusals_total", "agent" => agent(request.headers()))
                .increment(1);
            Refusal::new(Answer::UnauthorizedIp, rule)
        })
    }

    fn refuse_body(&self, error: &BodyError) -> Refusal {
        let answer = match error {
            BodyError::TooLarge => Answer::TooLarge(self.max_body),
            BodyError::TooSlow | BodyError::Incomplete => Answer::NotJson,
            BodyError::NoRoom => Answer::QueueUnavailable,
        };
        Refusal::new(answer, error)
    }

    /// Notes a refusal for the admins of the channel that the request names.
    fn note_refusal(&self, request: &HttpRequest, refusal: &Refusal) {
        let query = request.uri().query().unwrap_or_default();
        let (Some(channel), Some(reason)) =
            (Query::names(query), refusals::reason(&refusal.answer, &refusal.rule))
        else {
            return;
        };
        // Anybody can come from an address that is not let in, and name any channel.
        if reason != Reason::Source || self.is_vouched_for(request, channel, query) {
            self.refusals.note(channel, self.backstop.knows(channel), reason, &refusal.rule);
        }
    }

    /// Whether a request from an address that is not let in may be meant well: it
    /// came through a trusted proxy, or with the channel's token.
    fn is_vouched_for(&self, request: &HttpRequest, channel: ChannelId, query: &str) -> bool {
        let proxied = request.peer_addr().is_some_and(|peer| self.sources.is_proxy(peer.ip()));
        proxied
            || Query::parse(query)
                .is_ok_and(|query| query.token().is_some_and(|token| self.trust.has_token(channel, token)))
    }

    /// Notes in the alert how far it is trusted, once that can be told, and lets
    /// the body go: NATS is awaited without it.
    async fn verify(
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
    async fn hand_over(
        &self,
        alert: &Alert,
        firing: Firing,
        deadlines: &Deadlines,
    ) -> Result<Answer, Refusal> {
        let mut began = 0;
        loop {
            let held = hold(deadlines, || self.queue.connected()).await;
            let Some(connection) = self.queue.connection() else {
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

fn check_target(request: &HttpRequest) -> Result<(), Refusal> {
    if !is_ours(request.uri().path()) {
        return Err(Refusal::new(Answer::AccessForbidden, "path: unknown"));
    }
    if request.method() != Method::POST {
        return Err(Refusal::new(Answer::AccessForbidden, "method: not POST"));
    }
    Ok(())
}

pub(crate) fn is_ours(path: &str) -> bool {
    path.strip_suffix('/').unwrap_or(path) == PATH
}

/// Counts a webhook of an unknown kind. A refusal would hurt what Sentry thinks
/// of us.
fn ignore(resource: Option<&platform::Resource>) -> Answer {
    let resource = resource.map_or("other", platform::Resource::name);
    metrics::counter!("sentry_bot_ingress_ignored_total", "resource" => resource).increment(1);
    Answer::Ignored
}

/// The family of the program that sent a request, as it names itself: Sentry's
/// from an unknown address may be a new region of it.
fn agent(headers: &HeaderMap) -> &'static str {
    let named = headers.get(USER_AGENT).map(|name| name.as_bytes().trim_ascii_start());
    let is_sentry =
        named.and_then(|name| name.get(..7)).is_some_and(|name| name.eq_ignore_ascii_case(b"sentry/"));
    if is_sentry { "sentry" } else { "other" }
}

fn declared_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn refuse_payload(error: &PayloadError) -> Refusal {
    let answer = match error {
        PayloadError::NotJson => Answer::NotJson,
        PayloadError::Schema { .. } => Answer::ValidationFailed,
    };
    Refusal::new(answer, error)
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

fn ids(query: &Query) -> Result<(ChannelId, Option<UserId>), Refusal> {
    let channel =
        query.channel().map_err(|_| Refusal::new(Answer::ChannelNotInteger, "query: id is not an id"))?;
    let mention = query
        .mention()
        .map_err(|_| Refusal::new(Answer::MentionNotInteger, "query: mention is not an id"))?;
    Ok((channel, mention))
}
