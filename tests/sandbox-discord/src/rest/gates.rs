//! The checks that a request passes before it is done: known, well-formed,
//! allowed, within the limits.

use actix_web::{HttpRequest, web};
use serde_json::Value;

use super::{
    Call,
    answer::{Answer, too_many, too_many_old_edits},
    routes::{self, Access, Endpoint, Match},
};
use crate::{
    edge::EdgeAnswer,
    error::{ApiError, FormErrors},
    faults::{CREATE_MESSAGE, EDIT_MESSAGE, Plan},
    ratelimit::{Scope, Verdict},
    snowflake,
    world::World,
};

const API: &str = "/api/v10";

/// What a path named.
pub(super) struct Place {
    pub(super) endpoint: &'static Endpoint,
    pub(super) ids: Vec<(&'static str, u64)>,
    token: String,
}

/// A request that may be done.
pub(super) struct Work {
    pub(super) endpoint: &'static Endpoint,
    pub(super) call: Call,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) plan: Plan,
}

pub(super) fn find(world: &mut World, request: &HttpRequest) -> Result<Place, Answer> {
    let (method, path) = (request.method().as_str(), request.path());
    if let Some(left) = world.rates.ban_left() {
        let banned = EdgeAnswer::text(429, "error code: 1015");
        return Err(Answer::edge(banned.header("Retry-After", left.as_secs().to_string())));
    }
    match path.strip_prefix(API).map_or(Match::Unknown, |rest| routes::find(method, rest)) {
        Match::Found { endpoint, ids, token } => Ok(Place { endpoint, ids, token }),
        Match::BadId { name, text } => Err(bad_id(name, &text)),
        Match::Unknown => Err(unknown(world, method, path)),
    }
}

pub(super) fn admit(
    world: &mut World,
    request: &HttpRequest,
    body: &[u8],
    place: Place,
) -> Result<Work, Answer> {
    let Place { endpoint, ids, token } = place;
    let name = endpoint.name();
    let channel = ids.iter().find(|(name, _)| *name == "channel_id").map(|(_, id)| *id);
    if let Some(answer) = world.faults.edge(&name, channel) {
        count(world, &name, answer.status, None);
        return Err(Answer::edge(answer));
    }
    let call = checked(world, request, body, endpoint.access).map_err(|error| {
        count(world, &name, error.status, None);
        Answer::refusal(&error)
    })?;
    let call = Call { ids, token, ..call };
    let headers = limit(world, endpoint, &call)?;
    let plan = world.faults.plan(&name, channel, &links(&call.body));
    Ok(Work { endpoint, call, headers, plan })
}

/// The checks of every request, at any endpoint.
fn checked(world: &World, request: &HttpRequest, body: &[u8], access: Access) -> Result<Call, ApiError> {
    if !user_agent_is_valid(request) {
        return Err(ApiError::new(403, 40333, "internal network error"));
    }
    if access == Access::Bot && !token_is_valid(world, request) {
        return Err(ApiError::unauthorized());
    }
    let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let query = query.map(web::Query::into_inner).unwrap_or_default();
    let host = request.connection_info().host().to_owned();
    Ok(Call { ids: Vec::new(), token: String::new(), host, query, body: read(request, body)? })
}

/// Logs an error, because the sandbox lacks what the caller asks for.
fn unknown(world: &mut World, method: &str, path: &str) -> Answer {
    tracing::error!("The sandbox does not know {method} {path}");
    world.stats.unknown_requests.push(format!("{method} {path}"));
    Answer::refusal(&ApiError::not_found())
}

fn bad_id(name: &'static str, text: &str) -> Answer {
    let mut errors = FormErrors::default();
    let message = format!("Value \"{text}\" is not snowflake.");
    errors.add(&[name.to_owned()], "NUMBER_TYPE_COERCE", message);
    let error = errors.check().err().unwrap_or_else(ApiError::not_found);
    Answer::refusal(&error)
}

/// `DiscordBot (url, version)`, with anything after it.
fn user_agent_is_valid(request: &HttpRequest) -> bool {
    let agent = request.headers().get("user-agent").and_then(|agent| agent.to_str().ok());
    let inside = agent.and_then(|agent| agent.strip_prefix("DiscordBot ("));
    let parts = inside.and_then(|rest| rest.split_once(')')).and_then(|(inside, _)| inside.split_once(", "));
    parts.is_some_and(|(url, version)| url.starts_with("http") && !version.trim().is_empty())
}

fn token_is_valid(world: &World, request: &HttpRequest) -> bool {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    header.and_then(|value| value.strip_prefix("Bot ")).is_some_and(|token| token == world.config.token)
}

fn read(request: &HttpRequest, body: &[u8]) -> Result<Value, ApiError> {
    if body.is_empty() {
        return Ok(Value::Null);
    }
    let kind = request.headers().get("content-type").and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        let message = "Expected \"Content-Type\" header to be one of {'application/json'}.";
        return Err(ApiError::new(400, 50035, message));
    }
    serde_json::from_slice(body)
        .map_err(|_| ApiError::new(400, 50109, "The request body contains invalid JSON."))
}

/// Takes one from the buckets: the headers of the answer, or a 429.
fn limit(world: &mut World, endpoint: &Endpoint, call: &Call) -> Result<Vec<(&'static str, String)>, Answer> {
    let name = endpoint.name();
    let clocks = world.config.clocks.clone();
    let limit = if name == CREATE_MESSAGE { clocks.channel } else { clocks.others };
    let global = (endpoint.access == Access::Bot).then_some(clocks.global);
    match world.rates.take(&name, major(call), limit, global) {
        Verdict::Pass(figures) => {
            let headers = figures.headers();
            if name == EDIT_MESSAGE && snowflake::age(call.id("message_id")) > clocks.old_message {
                return limit_old_edits(world, &name, call, headers);
            }
            Ok(headers)
        }
        Verdict::Wait { figures, scope } => {
            count(world, &name, 429, Some(scope));
            Err(too_many(figures.headers(), figures.reset_after.as_secs_f64(), scope))
        }
    }
}

/// A limit that no header shows.
fn limit_old_edits(
    world: &mut World,
    name: &str,
    call: &Call,
    headers: Vec<(&'static str, String)>,
) -> Result<Vec<(&'static str, String)>, Answer> {
    let limit = world.config.clocks.old_edits;
    match world.rates.take("edits of old messages", major(call), limit, None) {
        Verdict::Pass(_) => Ok(headers),
        Verdict::Wait { figures, .. } => {
            count(world, name, 429, Some(Scope::User));
            Err(too_many_old_edits(headers, figures.reset_after.as_secs_f64()))
        }
    }
}

/// The part of the path with buckets of its own: a channel, a guild, or an
/// interaction's token.
fn major(call: &Call) -> String {
    let ids = ["channel_id", "guild_id"].iter().map(|name| call.id(name));
    ids.filter(|&id| id != 0).map(|id| id.to_string()).next().unwrap_or_else(|| call.token.clone())
}

/// Counts an answer, also towards the ban.
pub(super) fn count(world: &mut World, endpoint: &str, status: u16, scope: Option<Scope>) {
    world.stats.count_answer(endpoint, status);
    let shared = scope == Some(Scope::Shared);
    if matches!(status, 401 | 403) || status == 429 && !shared {
        let clocks = world.config.clocks.clone();
        if world.rates.count_invalid(&clocks) {
            world.stats.violations.push("Banned for too many answers of 401, 403 and 429".to_owned());
        }
    }
}

/// The links of a message's embeds and buttons.
fn links(body: &Value) -> Vec<&str> {
    let embeds = body["embeds"].as_array().into_iter().flatten();
    let rows = body["components"].as_array().into_iter().flatten();
    let buttons = rows.filter_map(|row| row["components"].as_array()).flatten();
    embeds.chain(buttons).filter_map(|part| part["url"].as_str()).collect()
}
