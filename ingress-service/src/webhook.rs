//! One webhook from its request to its answer: the checks of the HTTP contract
//! in their order. What is let in is handed over in `hand_over.rs`.

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
use shared::{Alert, ChannelId, UserId, clock, refusal::Reason, trace::TracePoint};

use crate::{
    answer::Answer,
    backstop::Backstop,
    body::{self, BodyError, Held},
    deadlines::Deadlines,
    limits::{connections::Connections, refused::Refused, room::Room, stream::Occupant},
    payload::{PayloadError, Webhook, platform},
    query::Query,
    queue::Queue,
    refusals::{self, Refusals},
    replies::Replies,
    report::{Answered, Reporter},
    sources::{self, Sources},
    trace, trust,
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
pub(crate) struct Refusal {
    pub(crate) answer: Answer,
    rule: String,
    own: bool,
}

impl Refusal {
    pub(crate) fn new(answer: Answer, rule: impl ToString) -> Self {
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
        self.admit(request, source)?;
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
        let received_ms = clock::received_ms();

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

    fn admit(&self, request: &HttpRequest, source: &mut Option<IpAddr>) -> Result<(), Refusal> {
        let peer = source.ok_or_else(|| Refusal::new(Answer::UnauthorizedIp, "source: unknown"))?;
        let forwarded: Vec<_> =
            request.headers().get_all(X_FORWARDED_FOR).map(|value| value.as_bytes()).collect();
        let (admitted, rule) = match self.sources.admit(peer, forwarded.into_iter()) {
            Ok(address) => (address, None),
            Err(sources::Refused::NotAllowed(address)) => {
                (address, Some(format!("source: {address} is not allowed")))
            }
            Err(sources::Refused::ForwardedByNobody) => {
                (peer, Some("source: X-Forwarded-For holds no address".to_owned()))
            }
        };
        *source = Some(admitted);
        let Some(rule) = rule else { return Ok(()) };
        metrics::counter!("sentry_bot_ingress_source_refusals_total", "agent" => agent(request.headers()))
            .increment(1);
        Err(Refusal::new(Answer::UnauthorizedIp, rule))
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

fn ids(query: &Query) -> Result<(ChannelId, Option<UserId>), Refusal> {
    let channel =
        query.channel().map_err(|_| Refusal::new(Answer::ChannelNotInteger, "query: id is not an id"))?;
    let mention = query
        .mention()
        .map_err(|_| Refusal::new(Answer::MentionNotInteger, "query: mention is not an id"))?;
    Ok((channel, mention))
}
