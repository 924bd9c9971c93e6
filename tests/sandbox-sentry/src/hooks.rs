//! The webhooks that follow a change (`src/sentry/receivers/sentry_apps.py`,
//! `src/sentry/sentry_apps/tasks/sentry_apps.py`).

use std::time::Duration;

use sentry_sender::{SendError, Sender, Trust, Webhook};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::{
    server::Hub,
    world::{World, organization::Organization, token::Actor},
};

/// Where webhooks go. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Target {
    url: String,
    sender: Sender,
}

impl Target {
    /// The URL of an integration, and whose certificates are accepted there.
    ///
    /// # Errors
    /// When the authorities are not PEM, or the TLS library cannot be set up.
    pub fn new(url: impl Into<String>, trust: Trust) -> anyhow::Result<Self> {
        Ok(Self { url: url.into(), sender: Sender::new(trust)? })
    }
}

/// A webhook that waits to be sent. Its body is made when it goes out, from what the issue is then: Sentry's
/// task reads the issue again (`workflow_notification`). So a late one shows a later state.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    resource: &'static str,
    action: &'static str,
    issue: u64,
    actor: Actor,
    data: Value,
}

impl Hook {
    pub(crate) const fn issue(issue: u64, action: &'static str, actor: Actor, data: Value) -> Self {
        Self { resource: "issue", action, issue, actor, data }
    }

    pub(crate) const fn comment(issue: u64, actor: Actor, data: Value) -> Self {
        Self { resource: "comment", action: "created", issue, actor, data }
    }

    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.resource, self.action)
    }
}

/// A webhook that was sent, or would have been.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// Such as `issue.resolved`.
    pub kind: String,
    /// The issue's id.
    pub issue: u64,
    /// The body.
    pub body: Value,
    /// The status of the answer. `None`: there was no target, or no answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub error: Option<String>,
}

/// Webhooks on their way out.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Each batch is sent one after another.
    queue: UnboundedSender<(Duration, Vec<Hook>)>,
    /// Present while they are held back.
    pub(crate) held: Option<Vec<Hook>>,
    pub(crate) deliveries: Vec<Delivery>,
}

impl Outbox {
    pub(crate) const fn new(queue: UnboundedSender<(Duration, Vec<Hook>)>) -> Self {
        Self { queue, held: None, deliveries: Vec::new() }
    }

    /// Sends these in this order.
    pub(crate) fn send(&self, delay: Duration, hooks: Vec<Hook>) {
        // The queue ends with the server; then nobody waits for a webhook.
        let _ = self.queue.send((delay, hooks));
    }
}

impl World {
    /// Tells a change, now or when it is released.
    pub(crate) fn announce(&mut self, hook: Hook) {
        match &mut self.outbox.held {
            Some(held) => held.push(hook),
            None => self.outbox.send(self.config.webhook_delay, vec![hook]),
        }
    }

    /// The envelope (`src/sentry/sentry_apps/api/serializers/app_platform_event.py`).
    fn hook_body(&self, hook: &Hook) -> Option<Value> {
        let issue = self.issues.get(&hook.issue)?;
        let organization = self.owner(issue)?;
        let mut data = hook.data.clone();
        if hook.resource == "issue" {
            // `_webhook_issue_data`: three links before the serialized issue.
            let (links, slug) = (&self.links, &organization.slug);
            let mut told = self.issue_json(issue);
            told["url"] = json!(format!("{links}/api/0/organizations/{slug}/issues/{}/", issue.id));
            told["web_url"] = told["permalink"].clone();
            told["project_url"] =
                json!(format!("{links}/organizations/{slug}/issues/?project={}", issue.project));
            data["issue"] = told;
        }
        Some(json!({
            "action": hook.action, "installation": { "uuid": organization.installation },
            "data": data, "actor": self.hook_actor(organization, hook.actor),
        }))
    }

    /// Sentry names the integration that receives the webhook, whichever acted.
    fn hook_actor(&self, organization: &Organization, actor: Actor) -> Value {
        match actor {
            Actor::Sentry => json!({ "type": "application", "id": "sentry", "name": "Sentry" }),
            Actor::Integration => json!({
                "type": "application", "id": organization.app, "name": self.config.integration,
            }),
            Actor::User(id) => {
                let name = self.user(organization.id, id).map(|member| member.name.clone());
                json!({ "type": "user", "id": id, "name": name.unwrap_or_default() })
            }
        }
    }
}

/// Sends what comes into the outbox, until the server ends.
pub(crate) async fn run(hub: &Hub, mut queue: UnboundedReceiver<(Duration, Vec<Hook>)>) {
    let mut sending = futures::stream::FuturesUnordered::new();
    loop {
        tokio::select! {
            batch = queue.recv() => match batch {
                Some((delay, hooks)) => sending.push(send_batch(hub, delay, hooks)),
                None => return,
            },
            Some(()) = futures::StreamExt::next(&mut sending) => {}
        }
    }
}

async fn send_batch(hub: &Hub, delay: Duration, hooks: Vec<Hook>) {
    tokio::time::sleep(delay).await;
    for hook in hooks {
        send(hub, &hook).await;
    }
}

async fn send(hub: &Hub, hook: &Hook) {
    let Some((body, target, secret)) = hub.lock(|world| {
        let target = world.config.webhooks.clone();
        Some((world.hook_body(hook)?, target, world.config.client_secret.clone()))
    }) else {
        return;
    };
    let mut delivery = Delivery { kind: hook.name(), issue: hook.issue, body, status: None, error: None };
    if let Some(Target { url, sender }) = target {
        let bytes = sentry_sender::body::to_ascii(&delivery.body);
        let webhook = Webhook::platform(hook.resource, bytes).signed(secret);
        match sender.send(&url, &webhook).await {
            Ok(reply) => delivery.status = Some(reply.status),
            Err(SendError::Failed(error)) => delivery.error = Some(format!("{error:#}")),
            Err(error @ SendError::Timeout(_)) => delivery.error = Some(error.to_string()),
        }
    }
    hub.lock(|world| world.outbox.deliveries.push(delivery));
}
