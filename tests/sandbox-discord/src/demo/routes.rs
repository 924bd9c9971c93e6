//! `/sandbox/demo…`: what the page needs beside Discord. It sends as Sentry, and
//! it lets things go wrong.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, post, web};
use anyhow::Context as _;
use futures::{StreamExt as _, stream};
use reqwest::Client;
use sentry_sender::{Sender, Trust, Webhook};
use serde::Deserialize;
use serde_json::{Value, json};
use strum::VariantArray as _;

use super::{
    Services,
    counters::Counters,
    payloads::{Payload, list},
    switches::Switch,
};
use crate::{
    control::{Id, Refused},
    server::Hub,
};

/// As a burst of Sentry's workers.
const CONCURRENCY: usize = 16;

/// The bot beside the sandbox, if there is one.
#[derive(Debug, Clone)]
pub(crate) struct Demo {
    services: Services,
    client: Client,
}

impl Demo {
    pub(crate) fn new(services: Services) -> anyhow::Result<Self> {
        let client = Client::builder().no_proxy().build().context("Failed to set up HTTP")?;
        Ok(Self { services, client })
    }

    fn nats(&self) -> Option<i32> {
        self.services.nats_pid
    }
}

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(overview).service(send).service(turn);
}

#[get("/demo")]
async fn overview(hub: web::Data<Hub>, demo: web::Data<Demo>) -> HttpResponse {
    let services = &demo.services;
    let counters = match services.ingress_metrics {
        Some(_) => Some(Counters::read(&demo.client, services).await),
        None => None,
    };
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
    HttpResponse::Ok().json(json!({
        "ingress": services.ingress,
        "fixtures": services.fixtures.as_deref().map(list),
        "counters": counters,
        "faults": faults,
    }))
}

#[derive(Deserialize)]
struct Send {
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
async fn send(demo: web::Data<Demo>, form: web::Json<Send>) -> Result<HttpResponse, Refused> {
    let form = form.into_inner();
    let services = &demo.services;
    let ingress = services.ingress.as_ref();
    let ingress = ingress.context("the sandbox was not told where the ingress is (--ingress)")?;
    let mut url = ingress.join("/sentry-bot/channel").context("no URL")?;
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
    let sender = Sender::new(Trust::Anyone)?;
    let sendings = webhooks.iter().map(|webhook| one(&sender, url.as_str(), webhook));
    let answers: Vec<_> = stream::iter(sendings).buffer_unordered(CONCURRENCY).collect().await;
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for answer in answers {
        *counted.entry(answer.to_string()).or_default() += 1;
    }
    let answers: Vec<Value> = counted
        .into_iter()
        .filter_map(|(answer, count)| {
            let mut answer: Value = serde_json::from_str(&answer).ok()?;
            answer["count"] = count.into();
            Some(answer)
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({ "sent": webhooks.len(), "answers": answers })))
}

fn signed(webhook: Webhook, secret: &str) -> Webhook {
    if webhook.is_platform() { webhook.signed(secret) } else { webhook }
}

async fn one(sender: &Sender, url: &str, webhook: &Webhook) -> Value {
    match sender.send(url, webhook).await {
        Ok(reply) => json!({ "status": reply.status, "body": reply.body }),
        Err(error) => json!({ "status": null, "body": error.to_string() }),
    }
}

#[derive(Deserialize)]
struct Turn {
    fault: Switch,
    on: bool,
}

#[post("/demo/faults")]
async fn turn(
    hub: web::Data<Hub>,
    demo: web::Data<Demo>,
    form: web::Json<Turn>,
) -> Result<HttpResponse, Refused> {
    hub.lock(|world| form.fault.turn(form.on, world, demo.nats()))?;
    Ok(HttpResponse::NoContent().finish())
}
