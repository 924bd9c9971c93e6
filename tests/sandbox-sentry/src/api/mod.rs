//! The API: what comes in, the checks that it passes, and the answer.

mod answer;
mod comments;
mod events;
mod gates;
mod issues;
mod lists;
mod organizations;
pub(crate) mod routes;

use std::{sync::Arc, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::Value;

pub(crate) use self::answer::Answer;
use crate::{
    faults::Effect,
    server::{Connection, Hub},
    world::{Request, World, organization::Organization, token::Token},
};

/// A request that passed the gates.
pub(crate) struct Call {
    parameters: Vec<(&'static str, String)>,
    query: Vec<(String, String)>,
    query_string: String,
    body: Value,
    token: Token,
    organization: Organization,
    /// The absolute address, without the query.
    address: String,
}

/// What an endpoint answers. Both are answers; `?` leaves with a refusal.
pub(crate) type Outcome = Result<Answer, Answer>;

impl Call {
    fn parameter(&self, name: &str) -> &str {
        self.parameters
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    }

    /// The first value of that name in the query.
    fn asked(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether the query asks to leave this part out.
    fn collapses(&self, part: &str) -> bool {
        self.query.iter().any(|(name, value)| name == "collapse" && value == part)
    }

    /// The issue that the path names.
    fn issue(&self, world: &World) -> Result<u64, Answer> {
        world.find_issue(self.organization.id, self.parameter("issue")).ok_or_else(Answer::not_found)
    }
}

/// How a request ends.
enum Ending {
    Answer(Answer),
    Cut,
    Silence,
}

/// Every path that nothing else answers.
pub(crate) async fn handle(request: HttpRequest, body: web::Bytes, hub: web::Data<Hub>) -> HttpResponse {
    let hub = hub.into_inner();
    let received = gates::Received::new(&request, &body);
    let number = hub.lock(|world| world.receive(&received));
    // A request is done even if its sender hangs up meanwhile.
    let ending = actix_web::rt::spawn(perform(Arc::clone(&hub), received)).await;
    match ending.unwrap_or(Ending::Cut) {
        Ending::Answer(answer) => {
            hub.lock(|world| world.requests[number].status = Some(answer.status));
            answer.into_response()
        }
        Ending::Cut => {
            if let Some(connection) = request.conn_data::<Connection>() {
                connection.cut();
            }
            HttpResponse::InternalServerError().finish()
        }
        Ending::Silence => std::future::pending().await,
    }
}

async fn perform(hub: Arc<Hub>, received: gates::Received) -> Ending {
    let Some(fault) = hub.lock(|world| world.faults.strike(&received.endpoint())) else {
        return Ending::Answer(hub.lock(|world| received.serve(world)));
    };
    if let (false, Some(ending)) = (fault.after, replacement(&fault.effect)) {
        return ending;
    }
    if let Effect::Slow(time) = fault.effect {
        tokio::time::sleep(time).await;
    }
    let mut answer = hub.lock(|world| received.serve(world));
    if let Some(ending) = replacement(&fault.effect) {
        return ending;
    }
    answer.trickle = pause(&fault.effect);
    Ending::Answer(answer)
}

fn pause(effect: &Effect) -> Option<Duration> {
    if let Effect::Trickle(pause) = effect { Some(*pause) } else { None }
}

/// What comes in place of the usual answer.
fn replacement(effect: &Effect) -> Option<Ending> {
    Some(Ending::Answer(match effect {
        Effect::Status(status) => {
            Answer::text(*status, "upstream connect error or disconnect/reset before headers")
        }
        Effect::Huge(bytes) => Answer::huge(*bytes),
        Effect::TooMany(time, form) => Answer::told_to_wait(*time, *form),
        Effect::NoGroups => Answer::empty(204),
        Effect::Answer(answer) => answer.clone().into(),
        Effect::Cut => return Some(Ending::Cut),
        Effect::Silence => return Some(Ending::Silence),
        Effect::Slow(_) | Effect::Trickle(_) => return None,
    }))
}

impl World {
    /// Notes a request, and returns its place in the list.
    fn receive(&mut self, received: &gates::Received) -> usize {
        self.requests.push(Request {
            method: received.method.clone(),
            path: received.path.clone(),
            query: received.query.clone(),
            authorization: received.authorization.clone(),
            body: serde_json::from_slice(&received.body).unwrap_or_default(),
            status: None,
            endpoint: received.endpoint(),
        });
        self.requests.len() - 1
    }
}
