//! The way of a request: known? well-formed? allowed? within the limits? Then
//! it is done, unless a fault says otherwise.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde_json::{Value, json};

use super::{
    Call, Reply,
    routes::{self, Access, Endpoint, Match},
};
use crate::{
    error::{ApiError, FormErrors},
    faults::{self, CREATE_MESSAGE, Effect, Plan},
    ratelimit::{Scope, Verdict},
    server::{Connection, Hub},
    world::World,
};

const API: &str = "/api/v10";

/// An answer on its way out.
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
}

impl Answer {
    fn refusal(error: &ApiError) -> Self {
        Self { status: error.status, headers: Vec::new(), body: Some(error.body()) }
    }

    fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for (name, value) in self.headers {
            response.insert_header((name, value));
        }
        match self.body {
            Some(body) => response.json(body),
            None => response.finish(),
        }
    }
}

/// What a request comes to: `None` cuts the connection.
type Done = Option<Answer>;

/// Everything below `/api`.
pub(crate) async fn handle(request: HttpRequest, body: web::Bytes, hub: web::Data<Hub>) -> HttpResponse {
    let hub = hub.into_inner();
    let arrived = hub.lock(|world| admit(world, &request, &body));
    let done = match arrived {
        Err(answer) => Some(answer),
        Ok(work) => {
            let _in_flight = InFlight::begin(&hub, &work);
            // What was sent is done even if the sender hangs up meanwhile.
            let task = actix_web::rt::spawn(perform(Arc::clone(&hub), work));
            task.await.unwrap_or(None)
        }
    };
    match done {
        Some(answer) => answer.into_response(),
        None => {
            if let Some(connection) = request.conn_data::<Connection>() {
                connection.cut();
            }
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// A request that may be done.
struct Work {
    endpoint: &'static Endpoint,
    call: Call,
    headers: Vec<(&'static str, String)>,
    plan: Plan,
}

fn admit(world: &mut World, request: &HttpRequest, body: &[u8]) -> Result<Work, Answer> {
    let path = request.path();
    let method = request.method().as_str();
    if let Some(left) = world.rates.ban_left() {
        let headers = vec![("Retry-After", left.as_secs().to_string())];
        return Err(Answer { status: 429, headers, body: Some("error code: 1015".into()) });
    }
    let found = path.strip_prefix(API).map_or(Match::Unknown, |rest| routes::find(method, rest));
    let (endpoint, ids, token) = match found {
        Match::Found { endpoint, ids, token } => (endpoint, ids, token),
        Match::BadId { name, text } => return Err(bad_id(name, &text)),
        Match::Unknown => return Err(unknown(world, method, path)),
    };
    let name = endpoint.name();
    let refuse = |world: &mut World, error: &ApiError| {
        count(world, &name, error.status, None);
        Err(Answer::refusal(error))
    };
    if !user_agent_is_valid(request) {
        return refuse(world, &ApiError::new(403, 40333, "internal network error"));
    }
    if endpoint.access == Access::Bot && !token_is_valid(world, request) {
        return refuse(world, &ApiError::unauthorized());
    }
    let call = match read(request, body, ids, token) {
        Ok(call) => call,
        Err(error) => return refuse(world, &error),
    };
    let headers = limit(world, endpoint, &call)?;
    let channel = Some(call.id("channel_id")).filter(|&id| id != 0);
    let plan = world.faults.plan(&name, channel, &links(&call.body));
    Ok(Work { endpoint, call, headers, plan })
}

/// Reported loudly: the caller asks for something that nobody has written yet.
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

fn read(
    request: &HttpRequest,
    body: &[u8],
    ids: Vec<(&'static str, u64)>,
    token: String,
) -> Result<Call, ApiError> {
    let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let query = query.map(web::Query::into_inner).unwrap_or_default();
    let body = if body.is_empty() {
        Value::Null
    } else {
        let kind = request.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
            let message = "Expected \"Content-Type\" header to be one of {'application/json'}.";
            return Err(ApiError::new(400, 50035, message));
        }
        serde_json::from_slice(body)
            .map_err(|_| ApiError::new(400, 50109, "The request body contains invalid JSON."))?
    };
    Ok(Call { ids, token, query, body })
}

/// Takes one from the buckets: the headers of the answer, or a 429.
fn limit(world: &mut World, endpoint: &Endpoint, call: &Call) -> Result<Vec<(&'static str, String)>, Answer> {
    let name = endpoint.name();
    let major = ["channel_id", "guild_id", "interaction_id"].iter().map(|id| call.id(id)).find(|&id| id != 0);
    let clocks = world.config.clocks.clone();
    let limit = if name == CREATE_MESSAGE { clocks.channel } else { clocks.others };
    let global = (endpoint.access == Access::Bot).then_some(clocks.global);
    match world.rates.take(&name, major.unwrap_or_default(), limit, global) {
        Verdict::Pass(figures) => Ok(figures.headers()),
        Verdict::Wait { figures, scope } => {
            count(world, &name, 429, Some(scope));
            Err(too_many(figures.headers(), figures.reset_after.as_secs_f64(), scope))
        }
    }
}

/// A 429. Only one of the bucket itself tells the bucket's figures.
fn too_many(bucket: Vec<(&'static str, String)>, retry_after: f64, scope: Scope) -> Answer {
    let mut headers = match scope {
        Scope::Global => vec![("X-RateLimit-Global", "true".to_owned())],
        Scope::User | Scope::Shared => bucket,
    };
    headers.push(("X-RateLimit-Scope", scope.name().to_owned()));
    // In whole seconds and rounded up in the header, exact in the body.
    headers.push(("Retry-After", retry_after.ceil().to_string()));
    let body = json!({
        "message": "You are being rate limited.",
        "retry_after": (retry_after * 1000.0).ceil() / 1000.0,
        "global": scope == Scope::Global,
    });
    Answer { status: 429, headers, body: Some(body) }
}

fn count(world: &mut World, endpoint: &str, status: u16, scope: Option<Scope>) {
    world.stats.count_answer(endpoint, status);
    let shared = scope == Some(Scope::Shared);
    if matches!(status, 401 | 403) || status == 429 && !shared {
        let clocks = world.config.clocks.clone();
        if world.rates.count_invalid(&clocks) {
            world.stats.violations.push("Banned for too many answers of 401, 403 and 429".to_owned());
        }
    }
}

async fn perform(hub: Arc<Hub>, work: Work) -> Done {
    let name = work.endpoint.name();
    if let Some(done) = suffer(&hub, &name, &work.plan.before, &work.headers).await {
        return done;
    }
    let outcome = hub.lock(|world| (work.endpoint.run)(world, &work.call));
    hub.tell();
    if let Some(done) = suffer(&hub, &name, &work.plan.after, &work.headers).await {
        return done;
    }
    let mut answer = match outcome {
        Ok(Reply { status, body }) => Answer { status, headers: Vec::new(), body },
        Err(error) => Answer::refusal(&error),
    };
    answer.headers = work.headers;
    hub.lock(|world| count(world, &name, answer.status, None));
    Some(answer)
}

/// Lets the faults happen; what the request comes to if one of them ends it.
async fn suffer(
    hub: &Hub,
    endpoint: &str,
    effects: &[Effect],
    headers: &[(&'static str, String)],
) -> Option<Done> {
    for effect in effects {
        match effect {
            Effect::Silence(time) => tokio::time::sleep(*time).await,
            Effect::Cut => {
                hub.lock(|world| count(world, endpoint, 0, None));
                return Some(None);
            }
            Effect::RateLimited(time, scope) => {
                hub.lock(|world| count(world, endpoint, 429, Some(*scope)));
                return Some(Some(too_many(headers.to_vec(), time.as_secs_f64(), *scope)));
            }
            refusal => {
                let error = faults::refusal(refusal)?;
                hub.lock(|world| count(world, endpoint, error.status, None));
                let mut answer = Answer::refusal(&error);
                answer.headers = headers.to_vec();
                return Some(Some(answer));
            }
        }
    }
    None
}

/// The links of a message's embeds and buttons.
fn links(body: &Value) -> Vec<&str> {
    let embeds = body["embeds"].as_array().into_iter().flatten();
    let rows = body["components"].as_array().into_iter().flatten();
    let buttons = rows.filter_map(|row| row["components"].as_array()).flatten();
    embeds.chain(buttons).filter_map(|part| part["url"].as_str()).collect()
}

/// Counts a post while its sender waits for the answer.
struct InFlight<'a> {
    hub: &'a Hub,
    channel: Option<u64>,
}

impl<'a> InFlight<'a> {
    fn begin(hub: &'a Hub, work: &Work) -> Self {
        let post = work.endpoint.name() == CREATE_MESSAGE;
        let channel = post.then(|| work.call.id("channel_id"));
        hub.lock(|world| channel.map(|channel| world.stats.post_begins(channel)));
        Self { hub, channel }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.hub.lock(|world| self.channel.map(|channel| world.stats.post_ends(channel)));
    }
}
