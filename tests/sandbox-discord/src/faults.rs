//! Faults on demand: what goes wrong, with which requests, and how often.

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{edge::EdgeAnswer, error::ApiError, ratelimit::Scope};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// An answer with this status, which should be a 5xx.
    Status(u16),
    /// The connection is cut without an answer.
    Cut,
    /// No answer for this long, then the usual one.
    Silence(Duration),
    /// 429 with this time to wait.
    RateLimited(Duration, Scope),
    /// 404, code 10003.
    UnknownChannel,
    /// 403, code 50001.
    MissingAccess,
    /// 403, code 50013.
    MissingPermissions,
    /// 401.
    Unauthorized,
    /// An answer of Discord's edge or of a proxy, not of the API.
    Edge(EdgeAnswer),
    /// This status and JSON error code, whatever they mean.
    Refuse(u16, u32),
    /// 400, code 50035, for messages with a link that contains this text.
    RefuseLinks(String),
}

#[derive(Debug, Clone)]
enum Frequency {
    Always,
    Times(u32),
    Sometimes(f64, Box<StdRng>),
}

/// One thing that goes wrong with posts, until it is used up or
/// [cleared](crate::Sandbox::clear_faults).
#[derive(Debug, Clone)]
pub struct Fault {
    effect: Effect,
    after: bool,
    channel: Option<u64>,
    endpoint: Option<String>,
    except: Vec<String>,
    frequency: Frequency,
    name: Option<&'static str>,
}

/// The endpoint of a fault that names none.
pub(crate) const CREATE_MESSAGE: &str = "POST /channels/{channel_id}/messages";
/// The other endpoint that changes the content of a channel.
pub(crate) const EDIT_MESSAGE: &str = "PATCH /channels/{channel_id}/messages/{message_id}";

impl Fault {
    /// A fault of each post from now on, before the post is done.
    pub fn new(effect: Effect) -> Self {
        let endpoint = Some(CREATE_MESSAGE.to_owned());
        let frequency = Frequency::Always;
        Self { effect, after: false, channel: None, endpoint, except: Vec::new(), frequency, name: None }
    }

    /// Gives it a name, by which it is found and removed alone.
    pub(crate) const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// The fault comes after the request was done. The API itself refuses only
    /// before that, but its edge may cut an answer.
    #[must_use]
    pub const fn after(mut self) -> Self {
        self.after = true;
        self
    }

    /// Only in this channel.
    #[must_use]
    pub const fn on_channel(mut self, channel: u64) -> Self {
        self.channel = Some(channel);
        self
    }

    /// For another endpoint, such as `GET /users/{user_id}`.
    #[must_use]
    pub fn on_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// For every request of the REST API.
    #[must_use]
    pub fn everywhere(mut self) -> Self {
        self.endpoint = None;
        self
    }

    /// Not for this endpoint.
    #[must_use]
    pub fn except(mut self, endpoint: impl Into<String>) -> Self {
        self.except.push(endpoint.into());
        self
    }

    /// Only for the next `count` requests.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.frequency = Frequency::Times(count);
        self
    }

    /// With this probability each time, the same for the same seed.
    #[must_use]
    pub fn with_probability(mut self, probability: f64, seed: u64) -> Self {
        let rng = Box::new(StdRng::seed_from_u64(seed));
        self.frequency = Frequency::Sometimes(probability.clamp(0.0, 1.0), rng);
        self
    }

    fn concerns(&self, endpoint: &str, channel: Option<u64>, links: &[&str]) -> bool {
        let here = self.channel.is_none_or(|wanted| channel == Some(wanted));
        let this = self.endpoint.as_deref().is_none_or(|wanted| wanted == endpoint)
            && !self.except.iter().any(|spared| spared == endpoint);
        let linked = match &self.effect {
            Effect::RefuseLinks(text) => links.iter().any(|link| link.contains(text)),
            _ => true,
        };
        here && this && linked
    }

    fn strikes(&mut self) -> bool {
        match &mut self.frequency {
            Frequency::Always => true,
            Frequency::Times(left) => {
                let strikes = *left > 0;
                *left = left.saturating_sub(1);
                strikes
            }
            Frequency::Sometimes(probability, rng) => rng.random_bool(*probability),
        }
    }
}

/// What goes wrong with one request.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) before: Vec<Effect>,
    pub(crate) after: Vec<Effect>,
}

/// All faults that are set.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|fault| fault.name == Some(name))
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|fault| fault.name != Some(name));
    }

    /// The edge's answer to a request that does not reach the API.
    pub(crate) fn edge(&mut self, endpoint: &str, channel: Option<u64>) -> Option<EdgeAnswer> {
        let mut found = None;
        for fault in self.0.iter_mut().filter(|fault| !fault.after) {
            if let Effect::Edge(answer) = fault.effect.clone()
                && fault.concerns(endpoint, channel, &[])
                && fault.strikes()
            {
                found = Some(answer);
                break;
            }
        }
        self.drop_used_up();
        found
    }

    fn drop_used_up(&mut self) {
        self.0.retain(|fault| !matches!(fault.frequency, Frequency::Times(0)));
    }

    /// Decides what goes wrong with a request to the API, and uses those faults
    /// up.
    pub(crate) fn plan(&mut self, endpoint: &str, channel: Option<u64>, links: &[&str]) -> Plan {
        let mut plan = Plan::default();
        let done = |fault: &&mut Fault| fault.after || !matches!(fault.effect, Effect::Edge(_));
        for fault in self.0.iter_mut().filter(done) {
            if fault.concerns(endpoint, channel, links) && fault.strikes() {
                let list = if fault.after { &mut plan.after } else { &mut plan.before };
                list.push(fault.effect.clone());
            }
        }
        self.drop_used_up();
        plan
    }
}

/// The refusal of this effect, if it is one.
pub(crate) fn refusal(effect: &Effect) -> Option<ApiError> {
    match effect {
        Effect::Status(status) => {
            Some(ApiError::new(*status, 0, format!("{status}: the sandbox was told to fail")))
        }
        Effect::Refuse(status, code) => Some(ApiError::new(*status, *code, "The sandbox was told to refuse")),
        Effect::UnknownChannel => Some(ApiError::unknown_channel()),
        Effect::MissingAccess => Some(ApiError::missing_access()),
        Effect::MissingPermissions => Some(ApiError::missing_permissions()),
        Effect::Unauthorized => Some(ApiError::unauthorized()),
        Effect::RefuseLinks(_) => {
            let mut errors = crate::error::FormErrors::default();
            let path = ["embeds", "0", "url"].map(str::to_owned);
            errors.add(&path, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
            errors.check().err()
        }
        Effect::Cut | Effect::Silence(_) | Effect::RateLimited(..) | Effect::Edge(_) => None,
    }
}
