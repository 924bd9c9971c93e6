//! What comes in on the control API.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{
    edge::EdgeAnswer,
    faults::{Effect, Fault},
    ratelimit::Scope,
    snowflake,
};

/// An id, as a string or a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Id(pub(crate) u64);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        snowflake::from_json(&value).map(Self).ok_or_else(|| serde::de::Error::custom("expected an id"))
    }
}

/// A fault as a form.
#[derive(Deserialize)]
pub(super) struct FaultForm {
    /// `{"status": 503}`, `"cut"`, `{"silence_ms": 2000}`,
    /// `{"rate_limited": {"retry_after_ms": 500, "scope": "user"}}`,
    /// `"unknown_channel"`, `"missing_access"`, `"missing_permissions"`,
    /// `"unauthorized"`, `{"refuse": {"status": 403, "code": 50013}}`, `{"refuse_links": "text"}`,
    /// `{"edge": {"status": 403, "body": "error code: 1020", "content_type": "text/plain", "headers": {}}}`
    effect: EffectForm,
    #[serde(default)]
    after: bool,
    channel: Option<Id>,
    /// Such as `GET /users/{user_id}`; `*` is all. The default is posts.
    endpoint: Option<String>,
    /// Endpoints that are left alone.
    #[serde(default)]
    except: Vec<String>,
    times: Option<u32>,
    probability: Option<f64>,
    #[serde(default)]
    seed: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum EffectForm {
    Status(u16),
    Cut,
    SilenceMs(u64),
    RateLimited { retry_after_ms: u64, scope: Scope },
    UnknownChannel,
    MissingAccess,
    MissingPermissions,
    Unauthorized,
    Refuse { status: u16, code: u32 },
    RefuseLinks(String),
    Edge(EdgeForm),
}

/// The edge's answer; a `body` that is no text is sent as JSON.
#[derive(Deserialize)]
struct EdgeForm {
    status: u16,
    #[serde(default)]
    body: Value,
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

impl From<EdgeForm> for EdgeAnswer {
    fn from(form: EdgeForm) -> Self {
        let mut answer = match form.body {
            Value::Null => Self::new(form.status, ""),
            Value::String(text) => Self::new(form.status, text),
            json => Self::json(form.status, &json),
        };
        if let Some(kind) = form.content_type {
            answer = answer.content_type(kind);
        }
        form.headers.into_iter().fold(answer, |answer, (name, value)| answer.header(name, value))
    }
}

impl From<EffectForm> for Effect {
    fn from(form: EffectForm) -> Self {
        match form {
            EffectForm::Status(status) => Self::Status(status),
            EffectForm::Cut => Self::Cut,
            EffectForm::SilenceMs(ms) => Self::Silence(Duration::from_millis(ms)),
            EffectForm::RateLimited { retry_after_ms, scope } => {
                Self::RateLimited(Duration::from_millis(retry_after_ms), scope)
            }
            EffectForm::UnknownChannel => Self::UnknownChannel,
            EffectForm::MissingAccess => Self::MissingAccess,
            EffectForm::MissingPermissions => Self::MissingPermissions,
            EffectForm::Unauthorized => Self::Unauthorized,
            EffectForm::Refuse { status, code } => Self::Refuse(status, code),
            EffectForm::RefuseLinks(text) => Self::RefuseLinks(text),
            EffectForm::Edge(form) => Self::Edge(form.into()),
        }
    }
}

impl From<FaultForm> for Fault {
    fn from(form: FaultForm) -> Self {
        let mut fault = Self::new(form.effect.into());
        if form.after {
            fault = fault.after();
        }
        if let Some(channel) = form.channel {
            fault = fault.on_channel(channel.0);
        }
        fault = match form.endpoint.as_deref() {
            None => fault,
            Some("*") => fault.everywhere(),
            Some(endpoint) => fault.on_endpoint(endpoint),
        };
        fault = form.except.into_iter().fold(fault, Fault::except);
        match (form.times, form.probability) {
            (Some(times), _) => fault.times(times),
            (None, Some(probability)) => fault.with_probability(probability, form.seed),
            (None, None) => fault,
        }
    }
}
