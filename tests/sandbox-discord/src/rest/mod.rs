//! REST API v10: the gates that every request passes, and the table of
//! endpoints. An endpoint that is not in the table is answered with 404 and
//! reported.

mod answer;
pub(crate) mod applications;
mod channels;
pub(crate) mod commands;
mod gates;
mod guilds;
mod messages;
mod pipeline;
mod routes;

use serde_json::Value;

use crate::error::ApiError;

pub(crate) use pipeline::handle;

/// A request that matched an endpoint.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) ids: Vec<(&'static str, u64)>,
    pub(crate) token: String,
    /// Where the client found the sandbox, `host:port`.
    pub(crate) host: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Call {
    /// The id at this place of the path. A handler asks only for ids that its
    /// template has.
    pub(crate) fn id(&self, name: &str) -> u64 {
        self.ids.iter().find(|(known, _)| *known == name).map(|(_, id)| *id).unwrap_or_default()
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A success.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
}

impl Reply {
    pub(crate) fn ok(body: Value) -> Outcome {
        Ok(Self { status: 200, body: Some(body) })
    }

    pub(crate) fn created(body: Value) -> Outcome {
        Ok(Self { status: 201, body: Some(body) })
    }

    pub(crate) fn empty() -> Outcome {
        Ok(Self { status: 204, body: None })
    }
}

pub(crate) type Outcome = Result<Reply, ApiError>;
