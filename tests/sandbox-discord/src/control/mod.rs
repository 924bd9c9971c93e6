//! `/sandbox/…`: what a person or a script does with a sandbox over HTTP. No
//! part of Discord. Every body is JSON; an error is `{"error": "…"}`.
//!
//! | request | does |
//! |---|---|
//! | `GET /sandbox/state` | bot, users, guilds with their channels, sessions, statistics |
//! | `GET /sandbox/channels/{id}/messages` | what was written there |
//! | `DELETE /sandbox/channels/{id}` | removes the channel |
//! | `DELETE /sandbox/channels/{id}/messages/{id}` | removes a message |
//! | `POST /sandbox/say` | `{user, channel, content}`: a user writes; `{id}` |
//! | `POST /sandbox/interact` | `{user, channel, command, options}`: a user uses a slash command; waits for the answer: `{id, answer, messages}` |
//! | `POST /sandbox/press` | `{user, channel, message, custom_id, values}`: a user presses a button, or chooses values in a menu; as above |
//! | `POST /sandbox/modal` | `{interaction, inputs}`: fills in the modal that was the answer; as above |
//! | `POST /sandbox/autocomplete` | `{user, channel, command, options, focused}`: a user types in the option `focused`: `{choices}` |
//! | `GET /sandbox/interactions/{id}` | what came of it so far: `{id, answer, messages}` |
//! | `POST /sandbox/faults` | `{effect, after, channel, endpoint, except, times, probability, seed}`: see `control/forms.rs` |
//! | `DELETE /sandbox/faults` | nothing goes wrong any more |
//! | `GET /sandbox/demo` | the bot beside the sandbox: payloads, counters, faults that can be switched |
//! | `POST /sandbox/demo/send` | `{channel, payload, as_now, token, mention, secret}`: sends as Sentry; `{sent, answers}` |
//! | `POST /sandbox/demo/faults` | `{fault, on}`: switches a fault |
//! | `POST /sandbox/gateway` | `{do}`: `cut`, `reconnect`, `invalidate` |
//!
//! Ids are strings, since numbers in JavaScript do not hold 64 bits.

mod forms;
mod origin;

use std::{collections::BTreeMap, time::Duration};

use actix_web::{HttpRequest, HttpResponse, delete, get, middleware::from_fn, post, web};
use anyhow::Context as _;
use sandbox_server::{Refused, unreadable};
use serde::Deserialize;
use serde_json::{Value, json};

use self::forms::FaultForm;
pub(crate) use self::forms::Id;
use crate::{
    demo,
    gateway::sessions::Order,
    interactions::Outcome,
    server::Hub,
    world::{World, channel::Channel, guild::Guild},
};

/// How long an answer that comes in parts is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(web::scope("/sandbox").wrap(from_fn(origin::guard)).configure(services));
}

fn services(config: &mut web::ServiceConfig) {
    config
        .app_data(web::JsonConfig::default().error_handler(unreadable))
        .app_data(web::PathConfig::default().error_handler(unreadable))
        .service(state)
        .service(messages)
        .service(remove_channel)
        .service(remove_message)
        .service(say)
        .service(interact)
        .service(press)
        .service(modal)
        .service(autocomplete)
        .service(interaction)
        .service(add_fault)
        .service(clear_faults)
        .service(gateway)
        .configure(demo::routes::routes)
        .default_service(web::to(unknown));
}

async fn unknown(request: HttpRequest) -> HttpResponse {
    let words = format!("there is no {} {} in the control API", request.method(), request.path());
    HttpResponse::NotFound().json(json!({ "error": words }))
}

#[get("/state")]
async fn state(hub: web::Data<Hub>) -> HttpResponse {
    let state = hub.lock(|world| {
        json!({
            "bot": world.user_json(world.bot),
            "users": world.users.values().map(crate::User::json).collect::<Vec<_>>(),
            "guilds": world.guilds.values().map(|guild| guild_state(world, guild)).collect::<Vec<_>>(),
            "commands": world.commands.0.iter().map(|command| &command.json).collect::<Vec<_>>(),
            "sessions": world.sessions.infos(),
            "stats": world.stats,
        })
    });
    HttpResponse::Ok().json(state)
}

fn guild_state(world: &World, guild: &Guild) -> Value {
    let channels = world.channels.values().filter(|channel| channel.guild == Some(guild.id));
    json!({
        "id": guild.id.to_string(),
        "name": guild.name,
        "owner": guild.owner.to_string(),
        "members": guild.members.keys().map(ToString::to_string).collect::<Vec<_>>(),
        "member_roles": guild.member_roles_json(),
        "roles": guild.roles_json(),
        "channels": channels.map(Channel::json).collect::<Vec<_>>(),
    })
}

#[get("/channels/{id}/messages")]
async fn messages(hub: web::Data<Hub>, channel: web::Path<u64>) -> HttpResponse {
    HttpResponse::Ok().json(hub.lock(|world| world.messages(*channel)))
}

#[delete("/channels/{id}")]
async fn remove_channel(hub: web::Data<Hub>, channel: web::Path<u64>) -> HttpResponse {
    hub.lock(|world| world.remove_channel(*channel));
    HttpResponse::NoContent().finish()
}

#[delete("/channels/{id}/messages/{message}")]
async fn remove_message(hub: web::Data<Hub>, path: web::Path<(u64, u64)>) -> HttpResponse {
    let (channel, message) = path.into_inner();
    hub.lock(|world| world.delete_message(channel, message));
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
struct Say {
    user: Id,
    channel: Id,
    content: String,
}

#[post("/say")]
async fn say(hub: web::Data<Hub>, form: web::Json<Say>) -> Result<HttpResponse, Refused> {
    let id = hub.lock(|world| world.say(form.user.0, form.channel.0, &form.content))?;
    Ok(HttpResponse::Ok().json(json!({ "id": id.to_string() })))
}

#[derive(Deserialize)]
struct Interact {
    user: Id,
    channel: Id,
    command: String,
    #[serde(default)]
    options: BTreeMap<String, String>,
}

fn pairs(map: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    map.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[post("/interact")]
async fn interact(hub: web::Data<Hub>, form: web::Json<Interact>) -> Result<HttpResponse, Refused> {
    let (user, channel) = (form.user.0, form.channel.0);
    let options = pairs(&form.options);
    let id = hub.lock(|world| world.use_command(user, channel, &form.command, &options, None))?;
    Ok(answered(&hub, id).await)
}

#[derive(Deserialize)]
struct Press {
    user: Id,
    channel: Id,
    message: Id,
    custom_id: String,
    #[serde(default)]
    values: Vec<String>,
}

#[post("/press")]
async fn press(hub: web::Data<Hub>, form: web::Json<Press>) -> Result<HttpResponse, Refused> {
    let values: Vec<&str> = form.values.iter().map(String::as_str).collect();
    let (user, channel, message) = (form.user.0, form.channel.0, form.message.0);
    let id = hub.lock(|world| world.press(user, channel, message, &form.custom_id, &values))?;
    Ok(answered(&hub, id).await)
}

#[derive(Deserialize)]
struct Modal {
    interaction: Id,
    inputs: BTreeMap<String, String>,
}

#[post("/modal")]
async fn modal(hub: web::Data<Hub>, form: web::Json<Modal>) -> Result<HttpResponse, Refused> {
    let id = hub.lock(|world| world.submit_modal(form.interaction.0, &pairs(&form.inputs)))?;
    Ok(answered(&hub, id).await)
}

#[derive(Deserialize)]
struct Autocomplete {
    #[serde(flatten)]
    typed: Interact,
    focused: String,
}

#[post("/autocomplete")]
async fn autocomplete(hub: web::Data<Hub>, form: web::Json<Autocomplete>) -> Result<HttpResponse, Refused> {
    let Interact { user, channel, command, options } = &form.typed;
    let focused = Some(form.focused.as_str());
    let id = hub.lock(|world| world.use_command(user.0, channel.0, command, &pairs(options), focused))?;
    let limit = hub.lock(|world| world.config.clocks.interaction_deadline);
    let answer = hub.wait(limit, |world| world.outcome(id).answer).await;
    let answer = answer.context("the bot offered nothing in time")?;
    Ok(HttpResponse::Ok().json(json!({ "choices": answer.data["choices"] })))
}

#[get("/interactions/{id}")]
async fn interaction(hub: web::Data<Hub>, id: web::Path<u64>) -> HttpResponse {
    told(&hub, *id)
}

/// Waits for a message, a modal, or the end of patience.
async fn answered(hub: &Hub, id: u64) -> HttpResponse {
    let done = |outcome: &Outcome| {
        let shows_modal =
            outcome.answer.as_ref().is_some_and(|answer| answer.kind == crate::interactions::MODAL);
        shows_modal || !outcome.messages.is_empty()
    };
    hub.wait(PATIENCE, |world| done(&world.outcome(id)).then_some(())).await;
    told(hub, id)
}

fn told(hub: &Hub, id: u64) -> HttpResponse {
    let outcome = hub.lock(|world| world.outcome(id));
    HttpResponse::Ok().json(json!({
        "id": id.to_string(), "answer": outcome.answer, "messages": outcome.messages,
    }))
}

#[post("/faults")]
async fn add_fault(hub: web::Data<Hub>, form: web::Json<FaultForm>) -> HttpResponse {
    hub.lock(|world| world.faults.add(form.into_inner().into()));
    HttpResponse::NoContent().finish()
}

#[delete("/faults")]
async fn clear_faults(hub: web::Data<Hub>) -> HttpResponse {
    hub.lock(|world| world.faults.clear());
    HttpResponse::NoContent().finish()
}

#[derive(Deserialize)]
struct Gateway {
    r#do: GatewayAct,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum GatewayAct {
    Cut,
    Reconnect,
    Invalidate,
}

#[post("/gateway")]
async fn gateway(hub: web::Data<Hub>, form: web::Json<Gateway>) -> HttpResponse {
    hub.lock(|world| match form.r#do {
        GatewayAct::Cut => world.sessions.order_all(&Order::Cut),
        GatewayAct::Reconnect => world.sessions.reconnect_all(),
        GatewayAct::Invalidate => world.sessions.invalidate_all(false),
    });
    HttpResponse::NoContent().finish()
}
