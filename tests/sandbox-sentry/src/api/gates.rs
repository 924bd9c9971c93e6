//! The checks that a request passes before it is done: known, within its limit, with a token that may.

use actix_web::{HttpRequest, web};
use serde_json::{Value, json};

use super::{
    Answer, Call,
    routes::{self, Endpoint, Match},
};
use crate::world::{
    World,
    token::{Actor, Token},
};

const API: &str = "/api/0";
const ORGANIZATION_TOKEN: &str = "sntrys_";

/// What came over the wire.
pub(super) struct Received {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) authorization: Option<String>,
    pub(super) body: Vec<u8>,
    content_type: Option<String>,
    host: String,
    ip: String,
}

impl Received {
    pub(super) fn new(request: &HttpRequest, body: &[u8]) -> Self {
        let header = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
        Self {
            method: request.method().to_string(),
            path: request.path().to_owned(),
            query: request.query_string().to_owned(),
            authorization: header("authorization"),
            body: body.to_vec(),
            content_type: header("content-type"),
            host: request.connection_info().host().to_owned(),
            ip: request.peer_addr().map(|peer| peer.ip().to_string()).unwrap_or_default(),
        }
    }

    fn find(&self) -> Match {
        self.path.strip_prefix(API).map_or(Match::Unknown, |path| routes::find(&self.method, path))
    }

    /// Its endpoint, else its method and path.
    pub(super) fn endpoint(&self) -> String {
        match self.find() {
            Match::Found { endpoint, .. } => endpoint.name(),
            _ => format!("{} {}", self.method, self.path),
        }
    }

    /// Does what is asked, and answers.
    pub(super) fn serve(&self, world: &mut World) -> Answer {
        let (endpoint, parameters) = match self.find() {
            Match::Found { endpoint, parameters } => (endpoint, parameters),
            Match::WrongMethod => {
                return Answer::detail(405, &format!("Method \"{}\" not allowed.", self.method));
            }
            Match::Deprecated => return gone(),
            Match::Unknown => return self.unknown(world),
        };
        // The middleware knows whose token it is before the endpoint looks at it.
        let token = self.token(world);
        let figures = match limit(world, endpoint, token.as_ref().ok(), &self.ip) {
            Ok(figures) => figures,
            Err(answer) => return answer,
        };
        let outcome = token.and_then(|token| self.admit(world, endpoint, parameters, token));
        let outcome = outcome.and_then(|call| (endpoint.run)(world, &call));
        outcome.unwrap_or_else(|refusal| refusal).headers(figures)
    }

    /// `src/sentry/api/endpoints/catchall.py`, besides a note.
    fn unknown(&self, world: &mut World) -> Answer {
        tracing::error!("The sandbox does not know {} {}", self.method, self.path);
        world.unknown_requests.push(format!("{} {}", self.method, self.path));
        if self.path.ends_with('/') {
            return Answer::empty(404);
        }
        let (help, advice) =
            ("Route not found, did you forget a trailing slash?", format!("try: {}/", self.path));
        if self.is_json() {
            return Answer::json(404, &json!({ "info": format!("{help} {advice}") }));
        }
        let arrow = " ".repeat(advice.len() - 1);
        Answer::text(404, format!("{help}\n\n{advice}\n{arrow}^\n"))
    }

    fn is_json(&self) -> bool {
        self.content_type.as_deref().is_some_and(|kind| kind.starts_with("application/json"))
    }

    /// `src/sentry/api/authentication.py`.
    fn token(&self, world: &World) -> Result<Token, Answer> {
        let words: Vec<&str> = self.authorization.as_deref().unwrap_or_default().split_whitespace().collect();
        let refuse = |detail| Err(Answer::unauthorized(detail));
        match words[..] {
            [scheme] if scheme.eq_ignore_ascii_case("bearer") => {
                refuse("Invalid token header. No credentials provided.")
            }
            [scheme, secret] if scheme.eq_ignore_ascii_case("bearer") => match world.token(secret) {
                Some(token) => Ok(token.clone()),
                None if secret.starts_with(ORGANIZATION_TOKEN) => refuse("Invalid org token"),
                None => refuse("Invalid token"),
            },
            [scheme, ..] if scheme.eq_ignore_ascii_case("bearer") => {
                refuse("Invalid token header. Token string should not contain spaces.")
            }
            _ => refuse("Authentication credentials were not provided."),
        }
    }

    /// The scopes come before the path is looked at, as in `ScopedPermission` (`src/sentry/api/permissions.py`).
    fn admit(
        &self,
        world: &World,
        endpoint: &Endpoint,
        parameters: Vec<(&'static str, String)>,
        token: Token,
    ) -> Result<Call, Answer> {
        if !token.may(endpoint.scopes) {
            return Err(Answer::forbidden());
        }
        let named = parameters.iter().find(|(name, _)| *name == "organization").map(|(_, value)| value);
        let organization = world.organizations.get(&token.organization);
        let organization = organization.filter(|own| named.is_some_and(|named| own.is_named(named)));
        let organization = organization.ok_or_else(Answer::not_found)?.clone();
        let query = web::Query::<Vec<(String, String)>>::from_query(&self.query);
        let query = query.map(web::Query::into_inner).unwrap_or_default();
        let address = format!("http://{}{}", self.host, self.path);
        let query_string = self.query.clone();
        Ok(Call { parameters, query, query_string, body: self.read()?, token, organization, address })
    }

    fn read(&self) -> Result<Value, Answer> {
        if self.body.is_empty() {
            return Ok(json!({}));
        }
        if !self.is_json() {
            let kind = self.content_type.as_deref().unwrap_or_default();
            return Err(Answer::detail(415, &format!("Unsupported media type \"{kind}\" in request.")));
        }
        serde_json::from_slice(&self.body)
            .map_err(|error| Answer::detail(400, &format!("JSON parse error - {error}")))
    }
}

/// A path without an organization. On sentry.io these are deprecated, and answer this for minutes at a time
/// (`src/sentry/api/helpers/deprecation.py`). The sandbox always does.
fn gone() -> Answer {
    let answer = Answer::json(410, &json!({ "message": "This API no longer exists." }));
    let answer = answer.header("X-Sentry-Deprecation-Date", "2026-01-01T00:00:00+00:00");
    answer.header(
        "X-Sentry-Replacement-Endpoint",
        "/api/0/organizations/:organization_id_or_slug/issues/:issue_id/",
    )
}

/// `get_rate_limit_key` in `src/sentry/ratelimits/utils.py`: an integration's requests count for its
/// organization, a person's for the person, all others for the address.
fn limit(
    world: &mut World,
    endpoint: &Endpoint,
    token: Option<&Token>,
    ip: &str,
) -> Result<Vec<(&'static str, String)>, Answer> {
    let caller = match token.and_then(|token| Some((token.organization, token.actor?))) {
        Some((_, Actor::User(id))) => format!("user:{id}"),
        Some((organization, _)) => format!("org:{organization}"),
        None => format!("ip:{ip}"),
    };
    let Some(limits) = &world.config.limits else { return Ok(Vec::new()) };
    let (key, limit) = match endpoint.own_limit {
        Some(own) => (format!("{caller}:{}", endpoint.name()), own(limits)),
        None => (format!("{caller}:{}", endpoint.method), limits.others),
    };
    match world.windows.take(key, limit) {
        Ok(figures) => Ok(figures.headers()),
        Err(figures) => Err(Answer::too_many(figures, world.config.limit_body)),
    }
}
