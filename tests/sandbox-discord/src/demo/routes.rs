//! `/sandbox/demo…`: what the page needs beside Discord. It sends as Sentry, and
//! it lets things go wrong.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, post, web};
use anyhow::Context as _;
use futures::{StreamExt as _, stream};
use reqwest::Client;
use sandbox_server::Refused;
use sentry_sender::{Sender, Trust, Webhook};
use serde::Deserialize;
use serde_json::{Value, json};
use strum::VariantArray as _;
use tokio::sync::OnceCell;

use super::{
    Services,
    counters::Counters,
    payloads::{Payload, list},
    switches::Switch,
};
use crate::{control::Id, server::Hub};

/// As a burst of Sentry's workers.
const CONCURRENCY: usize = 16;

/// The bot beside the sandbox, if there is one.
#[derive(Debug)]
pub(crate) struct Demo {
    services: Services,
    /// Made when they are needed: that takes longer than most tests, since the
    /// system's certificates are read.
    client: OnceCell<Client>,
    sender: OnceCell<Sender>,
}

impl Demo {
    pub(crate) fn new(services: Services) -> Self {
        Self { services, client: OnceCell::new(), sender: OnceCell::new() }
    }

    async fn counters(&self) -> anyhow::Result<Option<Counters>> {
        if self.services.ingress_metrics.is_none() {
            return Ok(None);
        }
        let make = async || Client::builder().no_proxy().build().context("cannot set up HTTP");
        let client = self.client.get_or_try_init(make).await?;
        Ok(Some(Counters::read(client, &self.services).await))
    }

    async fn sender(&self) -> anyhow::Result<&Sender> {
        self.sender.get_or_try_init(async || Sender::new(Trust::Anyone)).await
    }

    fn nats(&self) -> Option<i32> {
        self.services.nats_pid
    }
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(overview).service(send).service(turn);
}

#[get("/demo")]
async fn overview(hub: web::Data<Hub>, demo: web::Data<Demo>) -> Result<HttpResponse, Refused> {
    let services = &demo.services;
    let counters = demo.counters().await?;
    let available = Switch::VARIANTS.iter().filter(|switch| switch.is_available(demo.nats()));
    let faults: Vec<_> = hub.lock(|world| {
        let shown = |switch: &Switch| {
            json!({
                "fault": switch, "label": switch.label(), "help": switch.help(),
                "on": switch.is_on(world, demo.nats()),
            })
        };
        available.map(shown).collect()
    });
    Ok(HttpResponse::Ok().json(json!({
        "ingress": services.ingress,
        "fixtures": services.fixtures.as_deref().map(list),
        "counters": counters,
        "faults": faults,
    })))
}

#[derive(Deserialize)]
struct SendForm {
    channel: Id,
    token: Option<String>,
    mention: Option<Id>,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    as_now: bool,
    payload: Payload,
}

/// Sends webhooks and tells what the ingress answered, and how often.
#[post("/demo/send")]
async fn send(demo: web::Data<Demo>, form: web::Json<SendForm>) -> Result<HttpResponse, Refused> {
    let form = form.into_inner();
    let services = &demo.services;
    let ingress = services.ingress.as_ref();
    let ingress = ingress.context("the sandbox was not told where the ingress is (--ingress)")?;
    let mut url = ingress.join("/sentry-bot/channel").context("cannot build the URL")?;
    url.query_pairs_mut().append_pair("id", &form.channel.0.to_string());
    for (name, value) in [("mention", form.mention.map(|id| id.0.to_string())), ("token", form.token)] {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            url.query_pairs_mut().append_pair(name, &value);
        }
    }
    let mut webhooks = form.payload.webhooks(services.fixtures.as_deref(), form.as_now)?;
    if let Some(secret) = form.secret.filter(|secret| !secret.is_empty()) {
        webhooks = webhooks.into_iter().map(|webhook| signed(webhook, &secret)).collect();
    }
    let sender = demo.sender().await?;
    let sendings = webhooks.iter().map(|webhook| one(sender, url.as_str(), webhook));
    let answers: Vec<_> = stream::iter(sendings).buffer_unordered(CONCURRENCY).collect().await;
    let mut counted: BTreeMap<(Option<u16>, String), u64> = BTreeMap::new();
    for answer in answers {
        *counted.entry(answer).or_default() += 1;
    }
    let told = |((status, body), count)| json!({ "status": status, "body": body, "count": count });
    let answers: Vec<Value> = counted.into_iter().map(told).collect();
    Ok(HttpResponse::Ok().json(json!({ "sent": webhooks.len(), "answers": answers })))
}

fn signed(webhook: Webhook, secret: &str) -> Webhook {
    if webhook.is_platform() { webhook.signed(secret) } else { webhook }
}

/// The status and the body, or no status and why there was no answer.
async fn one(sender: &Sender, url: &str, webhook: &Webhook) -> (Option<u16>, String) {
    match sender.send(url, webhook).await {
        Ok(reply) => (Some(reply.status), reply.body),
        Err(error) => (None, error.to_string()),
    }
}

#[derive(Deserialize)]
struct TurnForm {
    fault: Switch,
    on: bool,
}

#[post("/demo/faults")]
async fn turn(
    hub: web::Data<Hub>,
    demo: web::Data<Demo>,
    form: web::Json<TurnForm>,
) -> Result<HttpResponse, Refused> {
    hub.lock(|world| form.fault.turn(form.on, world, demo.nats()))?;
    Ok(HttpResponse::NoContent().finish())
}
