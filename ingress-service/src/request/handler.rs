//! The way of one webhook: the checks of the HTTP contract in their order. What
//! passes them goes on in `store_alert.rs`.

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
    Alert, ChannelId, UserId, alert::UNKNOWN_PROJECT, clock, refusal::Reason, trace::TracePoint,
    verdict::VerdictRequest,
};
use tracing::{Instrument as _, Span, field::Empty};

use super::{
    body::{BodyReader, HeldResponse},
    query::Query,
    rejection::{Rejection, Rule},
    services::RequestServices,
    store_alert::CheckedWebhook,
    trace,
};
use crate::{
    connection::connection_state::ConnectionState,
    deadlines::Deadlines,
    endpoint::is_endpoint,
    payload::{ParsedWebhook, platform},
    request_log::AnsweredRequest,
    response::WebhookResponse,
    sources::SourceError,
};

/// A request on its way through the checks.
struct IncomingRequest<'a> {
    request: &'a HttpRequest,
    /// The peer's address; behind a trusted proxy, once it was read, the sender's.
    source: Option<IpAddr>,
    trace: Option<TracePoint>,
    started: Instant,
}

/// Answers every request, on whatever path.
pub(crate) async fn receive(
    request: HttpRequest,
    payload: web::Payload,
    services: web::Data<RequestServices>,
) -> HttpResponse<HeldResponse> {
    let started = Instant::now();
    let connection = request.conn_data::<Arc<ConnectionState>>().cloned();
    if connection.as_ref().is_some_and(|connection| !connection.begin_request()) {
        // It came after the last answer. The connection closes and drops this future.
        std::future::pending::<()>().await;
    }
    let mut payload = payload.into_inner();
    let transaction = trace::begin(&request);
    let incoming = IncomingRequest {
        request: &request,
        source: request.peer_addr().map(|peer| peer.ip()),
        trace: TracePoint::of(&transaction),
        started,
    };
    let span = tracing::error_span!("webhook", channel.id = Empty, resource = Empty);
    let answer = services.answer(incoming, &mut payload).instrument(span).await;
    metrics::histogram!("sentry_bot_ingress_request_seconds").record(started.elapsed().as_secs_f64());
    trace::end(transaction, answer.status());
    let mut response = answer.response();
    if !connection.as_ref().is_some_and(|connection| services.connections.keeps(connection)) {
        response.head_mut().set_connection_type(ConnectionType::Close);
        connection.iter().for_each(|connection| connection.close());
    }
    response.set_body(HeldResponse::new(answer.body(), payload, connection))
}

impl RequestServices {
    /// Decides, logs the answer, and notes a refusal.
    async fn answer(&self, mut incoming: IncomingRequest<'_>, payload: &mut Payload) -> WebhookResponse {
        let outcome = self.check(&mut incoming, payload).await;
        let (response, rule, own) = match outcome {
            Ok(response) => (response, String::new(), false),
            Err(Rejection { rule, own }) => {
                let text = rule.to_string();
                self.note_refusal(incoming.request, &rule, &text);
                (rule.response(), text, own)
            }
        };
        let path = incoming.request.uri().path();
        self.log.report(&AnsweredRequest {
            source: incoming.source,
            path,
            answer: &response,
            rule: &rule,
            own,
        });
        response
    }

    /// The checks, in the contract's order.
    async fn check(
        &self,
        incoming: &mut IncomingRequest<'_>,
        payload: &mut Payload,
    ) -> Result<WebhookResponse, Rejection> {
        let IncomingRequest { request, trace, started, .. } = *incoming;
        check_target(request)?;
        self.check_source(incoming)?;
        let query = Query::parse(request.uri().query().unwrap_or_default())?;
        let named = request.headers().get(platform::RESOURCE).map(|name| name.as_bytes().trim_ascii());
        let resource = match named.filter(|name| !name.is_empty()) {
            None => None,
            Some(name) => match platform::known(name) {
                None => return Ok(ignore(None)),
                known => known,
            },
        };
        if let Some(resource) = resource {
            Span::current().record("resource", resource.name());
        }
        let deadlines = Deadlines::of(resource.is_some(), started, &self.timeouts);
        let connection = request.conn_data::<Arc<ConnectionState>>();
        let reader = BodyReader {
            declared: declared_length(request),
            limit: self.max_body,
            memory: &self.body_memory,
            memory_until: deadlines.hold(),
            connection,
        };
        let body = reader.read(payload).await?;
        let _served = connection.map(|connection| connection.serve());
        let received_ms = clock::received_ms();

        let Some(webhook) = ParsedWebhook::parse(resource, &body)? else {
            return Ok(ignore(resource));
        };
        if resource.is_none() {
            Span::current().record("resource", webhook.resource());
        }
        let (channel, mention) = ids(&query)?;
        Span::current().record("channel.id", tracing::field::display(channel));
        let parsed = webhook.alerts(channel, mention, received_ms);
        drop(webhook);
        let own = parsed.iter().any(|parsed| parsed.alert.own);
        // Alerts of one body are about one project.
        let project = parsed.first().map_or(UNKNOWN_PROJECT, |parsed| &parsed.alert.project).to_owned();
        let (alerts, states) =
            parsed.into_iter().map(|parsed| (Alert { trace, ..parsed.alert }, parsed.state)).unzip();
        let checked = CheckedWebhook {
            question: VerdictRequest { channel, mention, project },
            alerts,
            states,
            token: query.token(),
            headers: request.headers(),
            body,
        };
        self.verify_and_store(checked, &deadlines).await.map_err(|rule| Rejection { rule, own })
    }

    fn check_source(&self, incoming: &mut IncomingRequest<'_>) -> Result<(), Rule> {
        let headers = incoming.request.headers();
        let peer = incoming.source.ok_or(SourceError::Unknown)?;
        let forwarded: Vec<_> = headers.get_all(X_FORWARDED_FOR).map(|value| value.as_bytes()).collect();
        let admitted = self.sources.admit(peer, forwarded.into_iter());
        if let Ok(address) | Err(SourceError::NotAllowed(address)) = admitted {
            incoming.source = Some(address);
        }
        admitted.map(drop).map_err(|error| {
            metrics::counter!("sentry_bot_ingress_source_refusals_total", "agent" => agent(headers))
                .increment(1);
            error.into()
        })
    }

    /// Notes a refusal for the admins of the channel that the request names.
    fn note_refusal(&self, request: &HttpRequest, rule: &Rule, text: &str) {
        let query = request.uri().query().unwrap_or_default();
        let (Some(channel), Some(reason)) = (Query::names(query), rule.reason()) else {
            return;
        };
        // Anybody can send from an address that is not allowed, and name any channel.
        if reason != Reason::Source || self.is_vouched_for(request, channel, query) {
            self.refusal_notes.note(channel, self.verdicts.knows(channel), reason, text);
        }
    }

    /// Whether a request from an address that is not allowed may be meant well: it
    /// came through a trusted proxy, or with the channel's token.
    fn is_vouched_for(&self, request: &HttpRequest, channel: ChannelId, query: &str) -> bool {
        let proxied = request.peer_addr().is_some_and(|peer| self.sources.is_proxy(peer.ip()));
        proxied
            || Query::parse(query)
                .is_ok_and(|query| query.token().is_some_and(|token| self.trust.has_token(channel, token)))
    }
}

fn check_target(request: &HttpRequest) -> Result<(), Rule> {
    if !is_endpoint(request.uri().path()) {
        return Err(Rule::UnknownPath);
    }
    if request.method() != Method::POST {
        return Err(Rule::NotPost);
    }
    Ok(())
}

/// Counts a webhook of an unknown kind. Sentry disables an integration that
/// refuses too much, so it is answered as a success.
fn ignore(resource: Option<&platform::PlatformResource>) -> WebhookResponse {
    let resource = resource.map_or("other", platform::PlatformResource::name);
    metrics::counter!("sentry_bot_ingress_ignored_total", "resource" => resource).increment(1);
    WebhookResponse::Ignored
}

/// The family of the program that sent a request, as it names itself. Sentry from
/// an unknown address may be a new region of it.
fn agent(headers: &HeaderMap) -> &'static str {
    let named = headers.get(USER_AGENT).map(|name| name.as_bytes().trim_ascii_start());
    let is_sentry =
        named.and_then(|name| name.get(..7)).is_some_and(|name| name.eq_ignore_ascii_case(b"sentry/"));
    if is_sentry { "sentry" } else { "other" }
}

fn declared_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

fn ids(query: &Query) -> Result<(ChannelId, Option<UserId>), Rule> {
    let channel = query.channel().map_err(|_| Rule::ChannelNotAnId)?;
    let mention = query.mention().map_err(|_| Rule::MentionNotAnId)?;
    Ok((channel, mention))
}
