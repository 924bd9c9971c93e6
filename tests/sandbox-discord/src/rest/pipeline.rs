//! The way of a request: it passes the gates and is done, unless a fault says
//! otherwise.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    Reply,
    answer::{Answer, Body, too_many},
    gates::{self, Place, Work, count},
};
use crate::{
    faults::{self, CREATE_MESSAGE, EDIT_MESSAGE, Effect},
    server::{Connection, Hub},
};

/// The answer to a request. `None` cuts the connection.
type Done = Option<Answer>;

/// Everything below `/api`, and every path that nothing else answers.
pub(crate) async fn handle(request: HttpRequest, body: web::Bytes, hub: web::Data<Hub>) -> HttpResponse {
    let hub = hub.into_inner();
    match respond(&request, &body, &hub).await {
        Ok(Some(answer)) | Err(answer) => answer.into_response(),
        Ok(None) => {
            if let Some(connection) = request.conn_data::<Connection>() {
                connection.cut();
            }
            HttpResponse::InternalServerError().finish()
        }
    }
}

async fn respond(request: &HttpRequest, body: &[u8], hub: &Arc<Hub>) -> Result<Done, Answer> {
    let place = hub.lock(|world| gates::find(world, request))?;
    let _in_flight = InFlight::begin(hub, &place);
    let work = hub.lock(|world| gates::admit(world, request, body, place))?;
    // A request is done even if the sender hangs up meanwhile.
    let task = actix_web::rt::spawn(perform(Arc::clone(hub), work));
    Ok(task.await.unwrap_or(None))
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
        Ok(Reply { status, body }) => Answer { status, headers: Vec::new(), body: body.map(Body::Json) },
        Err(error) => Answer::refusal(&error),
    };
    answer.headers = work.headers;
    hub.lock(|world| count(world, &name, answer.status, None));
    Some(answer)
}

/// Lets the faults happen. Returns the answer if one of them ends the request.
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
            Effect::Edge(answer) => {
                hub.lock(|world| count(world, endpoint, answer.status, None));
                return Some(Some(Answer::edge(answer.clone())));
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

/// Counts a post or an edit while its sender waits for the answer.
struct InFlight<'a> {
    hub: &'a Hub,
    channel: Option<u64>,
}

impl<'a> InFlight<'a> {
    fn begin(hub: &'a Hub, place: &Place) -> Self {
        let post = [CREATE_MESSAGE, EDIT_MESSAGE].contains(&place.endpoint.name().as_str());
        let channel = place.ids.first().map(|(_, id)| *id).filter(|_| post);
        hub.lock(|world| channel.map(|channel| world.stats.post_begins(channel)));
        Self { hub, channel }
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.hub.lock(|world| self.channel.map(|channel| world.stats.post_ends(channel)));
    }
}
