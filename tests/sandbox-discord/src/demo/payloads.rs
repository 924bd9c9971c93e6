//! What the page sends as Sentry: files, pasted bodies, storms.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, ensure};
use sentry_sender::{
    Webhook,
    body::{Exception, to_ascii},
    webhook::json_files,
};
use serde::Deserialize;
use serde_json::Value;

use super::fresh;

/// A storm is no longer than this.
const STORM_MAX: u32 = 500;
/// Folders with bodies of Sentry; any other holds those of another sender.
const SENTRY: [&str; 3] = ["legacy", "platform", "reports"];
/// What fails in a storm: title, project, level, and where.
const STORM: [(&str, &str, &str, &str); 8] = [
    (
        "TypeError: Cannot read properties of undefined (reading 'price')",
        "shop-web",
        "error",
        "src/cart/total.ts in sum",
    ),
    ("TimeoutError: no answer within 10 s", "payments", "error", "payments/stripe.py in charge"),
    ("OperationalError: connection refused", "backend-api", "fatal", "app/db.py in connect"),
    ("KeyError: 'customer_id'", "backend-api", "error", "orders/models.py in lookup"),
    ("DeadlockDetected: deadlock detected", "orders", "error", "orders/stock.py in reserve"),
    ("Slow query: SELECT * FROM carts took 4.2 s", "orders", "warning", "orders/carts.py in load"),
    (
        "ConnectionResetError: [Errno 104] Connection reset by peer",
        "worker",
        "error",
        "worker/mail.py in send",
    ),
    ("OutOfMemoryError: Java heap space", "search", "fatal", "search.Index in rebuild"),
];

/// What to send.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Payload {
    /// A file that [`list`] has named.
    Fixture(String),
    /// Any body; with a resource it is a webhook of an internal integration.
    Pasted { body: String, resource: Option<String> },
    /// So many alerts at once, about some eight issues.
    Storm(u32),
}

/// The files below the folder, by their path in it.
pub(super) fn list(folder: &Path) -> Vec<String> {
    let files = json_files(folder).unwrap_or_default();
    let name = |file: &std::path::PathBuf| Some(file.strip_prefix(folder).ok()?.to_str()?.to_owned());
    files.iter().filter_map(name).collect()
}

impl Payload {
    /// The webhooks, `as_now` with times that end now.
    pub(super) fn webhooks(self, fixtures: Option<&Path>, as_now: bool) -> anyhow::Result<Vec<Webhook>> {
        match self {
            Self::Fixture(name) => {
                let folder = fixtures.context("the sandbox was not told where payloads are (--fixtures)")?;
                ensure!(list(folder).contains(&name), "there is no payload {name}");
                Ok(vec![fixture(folder, &name, as_now)?])
            }
            Self::Pasted { body, resource } => {
                ensure!(!body.trim().is_empty(), "paste a body first");
                let resource = resource.filter(|resource| !resource.trim().is_empty());
                Ok(vec![match resource {
                    Some(resource) => Webhook::platform(resource.trim(), body),
                    None => Webhook::legacy(body),
                }])
            }
            Self::Storm(count) => {
                ensure!((1..=STORM_MAX).contains(&count), "a storm is 1 to {STORM_MAX} alerts");
                Ok(storm(count))
            }
        }
    }
}

fn fixture(folder: &Path, name: &str, as_now: bool) -> anyhow::Result<Webhook> {
    let mut webhook = Webhook::from_file(&folder.join(name))?;
    let mut body = webhook.body().to_vec();
    if as_now && let Ok(mut value) = serde_json::from_slice::<Value>(&body) {
        fresh::shift(&mut value);
        body = to_ascii(&value);
    }
    let group = name.split('/').next().unwrap_or_default();
    if !SENTRY.contains(&group) {
        let webhook = Webhook::legacy(body).header("User-Agent", "python-requests/2.32.3");
        return Ok(webhook.without_idempotency_key());
    }
    webhook = webhook.with_body(body);
    Ok(webhook)
}

/// Some issues come much more often than others, as in a real outage.
fn storm(count: u32) -> Vec<Webhook> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let one = |number: u32| {
        let place = (number.wrapping_mul(number) % 29) as usize % STORM.len();
        let (title, project, level, culprit) = STORM.get(place).copied().unwrap_or(STORM[0]);
        let body = Exception::new(title).project(project).level(level);
        let body =
            body.issue(format!("62000000{place:02}")).timestamp(now - f64::from(count - number) * 0.05);
        let mut body: Value = serde_json::from_slice(&body.json()).unwrap_or_default();
        body["culprit"] = culprit.into();
        if let Some(event) = body["event"].as_object_mut() {
            event.remove("exception");
        }
        Webhook::legacy(to_ascii(&body))
    };
    (0..count).map(one).collect()
}
