//! `/sandbox/…`: what a person or a script does with a sandbox over HTTP. No part of Sentry. Every body is JSON; an
//! error is `{"error": "…"}`.
//!
//! | request | does |
//! |---|---|
//! | `GET /sandbox/state` | organizations, projects, issues with their feeds, requests, webhooks |
//! | `POST /sandbox/issues` | `{project, title}`: an issue arises; `{id, permalink}` |
//! | `POST /sandbox/issues/{id}` | `{actor, form}`: somebody changes it in Sentry: `"sentry"`, `"integration"`, `{"user": 7}` |
//! | `DELETE /sandbox/issues/{id}` | removes it |
//! | `POST /sandbox/faults` | `{effect, endpoint, after, times}`: see `FaultForm` |
//! | `DELETE /sandbox/faults` | nothing goes wrong any more |
//! | `POST /sandbox/webhooks` | `{hold: true}`: webhooks wait; `{hold: false, order: [1, 0]}`: they go, in this order |

use std::time::Duration;

use actix_web::{HttpResponse, delete, get, guard, post, web};
use anyhow::{Context as _, anyhow};
use sandbox_server::{Refused, unreadable};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    config::LimitBody,
    demo,
    faults::{Effect, Fault, HttpAnswer},
    hooks::Hook,
    server::Hub,
    world::{
        World,
        issue::{Activity, Issue},
        token::Actor,
    },
};

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    // Browsers name the page's origin; scripts do not. No page may steer the sandbox.
    let script = guard::fn_guard(|context| !context.head().headers().contains_key("origin"));
    let scope = web::scope("/sandbox").guard(script);
    config.service(
        scope
            .app_data(web::JsonConfig::default().error_handler(unreadable))
            .app_data(web::PathConfig::default().error_handler(unreadable))
            .service(state)
            .service(raise)
            .service(change)
            .service(remove)
            .service(add_fault)
            .service(clear_faults)
            .service(webhooks),
    );
}

#[get("/state")]
async fn state(hub: web::Data<Hub>) -> HttpResponse {
    let state = hub.lock(|world| {
        let organizations = world.organizations.values();
        json!({
            "organizations": organizations
                .map(|own| json!({ "id": own.id.to_string(), "slug": own.slug, "name": own.name }))
                .collect::<Vec<_>>(),
            "projects": world.projects.values().map(crate::Project::brief).collect::<Vec<_>>(),
            "issues": world.issues.values().map(|issue| issue_state(world, issue)).collect::<Vec<_>>(),
            "requests": world.requests,
            "unknown_requests": world.unknown_requests,
            "webhooks": world.outbox.deliveries,
            "held": world.outbox.held.iter().flatten().map(Hook::name).collect::<Vec<_>>(),
        })
    });
    HttpResponse::Ok().json(state)
}

/// The issue with its whole feed, the earliest first.
fn issue_state(world: &World, issue: &Issue) -> Value {
    let mut told = world.issue_json(issue);
    let json = |activity: &Activity| world.owner(issue).map(|own| world.activity_json(own, activity));
    told["activities"] = issue.activities.iter().map(json).collect();
    told
}

#[derive(Deserialize)]
struct Raise {
    /// The project's slug.
    project: String,
    title: String,
}

#[post("/issues")]
async fn raise(hub: web::Data<Hub>, form: web::Json<Raise>) -> Result<HttpResponse, Refused> {
    let answer = hub.lock(|world| {
        let project = world.projects.values().find(|project| project.slug == form.project);
        let project = project.context("there is no such project")?.id;
        let id = world.add_issue(project, demo::issue(&form.title));
        world.announce(Hook::issue(id, "created", Actor::Sentry, json!({})));
        let permalink = world.issue_json(&world.issues[&id])["permalink"].clone();
        anyhow::Ok(json!({ "id": id.to_string(), "permalink": permalink }))
    })?;
    Ok(HttpResponse::Ok().json(answer))
}

#[derive(Deserialize)]
struct Change {
    actor: Actor,
    /// The body of a PUT, such as `{"status": "resolved"}`.
    form: Value,
}

#[post("/issues/{id}")]
async fn change(
    hub: web::Data<Hub>,
    id: web::Path<u64>,
    change: web::Json<Change>,
) -> Result<HttpResponse, Refused> {
    hub.lock(|world| world.change_issue(*id, change.actor, &change.form))?;
    Ok(HttpResponse::NoContent().finish())
}

#[delete("/issues/{id}")]
async fn remove(hub: web::Data<Hub>, id: web::Path<u64>) -> Result<HttpResponse, Refused> {
    let found = hub.lock(|world| world.issues.get_mut(&id).map(|issue| issue.deleted = true));
    found.ok_or_else(|| anyhow!("there is no such issue"))?;
    Ok(HttpResponse::NoContent().finish())
}

#[derive(Deserialize)]
struct FaultForm {
    /// `{"status": 502}`, `"cut"`, `"silence"`, `{"slow_ms": 2000}`, `{"trickle_ms": 10}`,
    /// `{"huge": 10000000}`, `{"too_many_ms": 1500}`, `"no_groups"`,
    /// `{"answer": {"status": 302, "headers": {"Location": "http://127.0.0.1:9"}, "body": ""}}`
    effect: EffectForm,
    /// Such as `PUT /organizations/{organization}/issues/{issue}/`. The default is all.
    endpoint: Option<String>,
    #[serde(default)]
    after: bool,
    times: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EffectForm {
    Status(u16),
    Cut,
    Silence,
    SlowMs(u64),
    TrickleMs(u64),
    Huge(usize),
    TooManyMs(u64),
    NoGroups,
    Answer(HttpAnswer),
}

impl From<EffectForm> for Effect {
    fn from(form: EffectForm) -> Self {
        match form {
            EffectForm::Status(status) => Self::Status(status),
            EffectForm::Cut => Self::Cut,
            EffectForm::Silence => Self::Silence,
            EffectForm::SlowMs(ms) => Self::Slow(Duration::from_millis(ms)),
            EffectForm::TrickleMs(ms) => Self::Trickle(Duration::from_millis(ms)),
            EffectForm::Huge(bytes) => Self::Huge(bytes),
            EffectForm::TooManyMs(ms) => Self::TooMany(Duration::from_millis(ms), LimitBody::default()),
            EffectForm::NoGroups => Self::NoGroups,
            EffectForm::Answer(answer) => Self::Answer(answer),
        }
    }
}

#[post("/faults")]
async fn add_fault(hub: web::Data<Hub>, form: web::Json<FaultForm>) -> HttpResponse {
    let form = form.into_inner();
    let mut fault = Fault::new(form.effect.into());
    if form.after {
        fault = fault.after();
    }
    if let Some(endpoint) = form.endpoint {
        fault = fault.on_endpoint(endpoint);
    }
    if let Some(times) = form.times {
        fault = fault.times(times);
    }
    hub.lock(|world| world.faults.add(fault));
    HttpResponse::NoContent().finish()
}

#[delete("/faults")]
async fn clear_faults(hub: web::Data<Hub>) -> HttpResponse {
    hub.lock(|world| world.faults.clear());
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
struct Webhooks {
    hold: bool,
    order: Option<Vec<usize>>,
}

#[post("/webhooks")]
async fn webhooks(hub: web::Data<Hub>, form: web::Json<Webhooks>) -> HttpResponse {
    hub.lock(|world| {
        if form.hold {
            world.outbox.held.get_or_insert_default();
        } else {
            world.release_hooks(form.order.as_deref());
        }
    });
    HttpResponse::NoContent().finish()
}
