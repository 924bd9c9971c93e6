//! One webhook from its request to its answer: the checks of the HTTP contract
//! in their order, then the verdict, then the queue.

use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        Method,
        header::{CONTENT_LENGTH, X_FORWARDED_FOR},
    },
    web,
};
use shared::{
    Alert, ChannelId, UserId,
    verdict::{Verdict, VerdictRequest},
};

use crate::{
    answer::Answer,
    backstop::Backstop,
    body::{self, BodyError, Held},
    limits::{refused::Refused, stream::Occupant},
    message_id::message_id,
    payload::{PayloadError, Webhook, platform},
    query::Query,
    queue::{Queue, StoreError},
    report::{Answered, Reporter},
    sources::{self, Sources},
    verdict,
};

const PATH: &str = "/sentry-bot/channel";
/// From a complete body to its answer, also when everything behind hangs.
/// Sentry's modern webhooks give up after a second; the contract says 500 ms,
/// handshake included.
const ANSWER_WITHIN: Duration = Duration::from_millis(350);
/// Of that, what the verdict leaves for the queue.
const STORE_WITHIN: Duration = Duration::from_millis(150);
/// How the release of this bot's own events begins: see `shared::telemetry`.
const OWN_RELEASE: &str = "sentry-bot@";

/// What answers webhooks.
#[derive(Debug)]
pub(crate) struct Webhooks {
    pub(crate) sources: Arc<Sources>,
    pub(crate) max_body: u64,
    pub(crate) verdict_timeout: Duration,
    pub(crate) queue: Queue,
    pub(crate) backstop: Backstop,
    pub(crate) refused: Refused,
    pub(crate) reporter: Reporter,
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
    let mut payload = payload.into_inner();
    let mut source = request.peer_addr().map(|peer| peer.ip());
    let outcome = webhooks.answer(&request, &mut payload, &mut source).await;
    let (answer, rule, own) = match outcome {
        Ok(answer) => (answer, String::new(), false),
        Err(refusal) => (refusal.answer, refusal.rule, refusal.own),
    };
    let path = request.uri().path();
    let took = started.elapsed();
    webhooks.reporter.report(&Answered { source, path, answer: &answer, rule: &rule, own, took });
    answer.response().set_body(Held::new(answer.body(), payload))
}

impl Webhooks {
    /// The checks, in the contract's order. Puts the address behind trusted
    /// proxies into `source`, which begins as the peer's.
    async fn answer(
        &self,
        request: &HttpRequest,
        payload: &mut Payload,
        source: &mut Option<IpAddr>,
    ) -> Result<Answer, Refusal> {
        check_target(request)?;
        *source = Some(self.admit(request, *source)?);
        let query = Query::parse(request.uri().query().unwrap_or_default())
            .map_err(|error| Refusal::new(Answer::ValidationFailed, error))?;
        let resource = match request.headers().get(platform::RESOURCE) {
            None => None,
            Some(name) => match platform::known(name.as_bytes()) {
                None => return Ok(ignore(None)),
                known => known,
            },
        };
        let body = body::read(payload, declared_length(request), self.max_body)
            .await
            .map_err(|error| self.refuse_body(&error))?;
        let _served = request.conn_data::<Arc<Occupant>>().map(|occupant| occupant.serve());
        let deadline = Instant::now() + ANSWER_WITHIN;
        let received_ms = chrono::Utc::now().timestamp_millis();

        let webhook = Webhook::parse(resource, &body).map_err(|error| refuse_payload(&error))?;
        let Some(webhook) = webhook else {
            return Ok(ignore(resource));
        };
        let (channel, mention) = ids(&query)?;
        let alert = webhook.alert(channel, mention, received_ms);
        let id = message_id(channel, mention, request.headers(), &body);
        self.hand_over(&query, &alert, &id, deadline).await.map_err(|refusal| Refusal {
            own: alert.release.as_deref().is_some_and(|release| release.starts_with(OWN_RELEASE)),
            ..refusal
        })
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
            Refusal::new(Answer::UnauthorizedIp, rule)
        })
    }

    fn refuse_body(&self, error: &BodyError) -> Refusal {
        let answer = match error {
            BodyError::TooLarge => Answer::TooLarge(self.max_body),
            BodyError::TooSlow | BodyError::Incomplete => Answer::NotJson,
        };
        Refusal::new(answer, error)
    }

    /// Asks whether the alert may be posted, and stores it.
    async fn hand_over(
        &self,
        query: &Query,
        alert: &Alert,
        id: &str,
        deadline: Instant,
    ) -> Result<Answer, Refusal> {
        if query.has_token() {
            let answer = Answer::UnauthorizedChannel(alert.channel);
            return Err(Refusal::new(answer, "token: the channel has none"));
        }
        if alert.channel.get() == 0 {
            return Err(Refusal::new(
                Answer::UnauthorizedChannel(alert.channel),
                "verdict: no channel has id 0",
            ));
        }
        if !self.queue.connected() {
            return Err(Refusal::new(Answer::QueueUnavailable, "queue: not connected to NATS"));
        }
        let verified = self.authorize(alert, deadline).await?;
        match self.queue.store(alert, id, deadline).await {
            Ok(()) if verified => Ok(Answer::Stored),
            Ok(()) => Ok(Answer::StoredUnverified),
            Err(error) => {
                let answer = match error {
                    StoreError::BacklogFull => Answer::BacklogFull(alert.channel),
                    StoreError::Unavailable(_) => Answer::QueueUnavailable,
                    StoreError::Unexpected(_) => Answer::Internal,
                };
                Err(Refusal::new(answer, error))
            }
        }
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
        let verdict = verdict::ask(self.queue.nats(), &question, until).await;
        if let Some(verdict) = &verdict {
            let authorized = *verdict != Verdict::ChannelNotAuthorized;
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
            (Some(Verdict::Unavailable) | None, _) if self.backstop.admits(channel, Instant::now()) => {
                Ok(false)
            }
            // Another pod, or this one before a restart, may have seen it authorized.
            (Some(Verdict::Unavailable) | None, _) => {
                if self.queue.knows(channel, deadline).await {
                    self.backstop.learn(channel, true);
                    return Ok(false);
                }
                let rule = "verdict: none, and enough is stored for the channel";
                Err(Refusal::new(Answer::QueueUnavailable, rule))
            }
            (Some(_), _) => Ok(true),
        }
    }
}

fn check_target(request: &HttpRequest) -> Result<(), Refusal> {
    let path = request.uri().path();
    if path.strip_suffix('/').unwrap_or(path) != PATH {
        return Err(Refusal::new(Answer::AccessForbidden, "path: unknown"));
    }
    if request.method() != Method::POST {
        return Err(Refusal::new(Answer::AccessForbidden, "method: not POST"));
    }
    Ok(())
}

/// Counts a webhook of an unknown kind. A refusal would hurt what Sentry thinks
/// of us.
fn ignore(resource: Option<&platform::Resource>) -> Answer {
    let resource = resource.map_or("other", platform::Resource::name);
    metrics::counter!("sentry_bot_ingress_ignored_total", "resource" => resource).increment(1);
    Answer::Ignored
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
