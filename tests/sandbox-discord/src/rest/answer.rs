//! An answer as it goes over the wire.

use actix_web::{HttpResponse, http::StatusCode};
use serde_json::{Value, json};

use crate::{edge::EdgeAnswer, error::ApiError, ratelimit::Scope};

/// An answer on its way out.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Body>,
}

/// What it contains.
pub(super) enum Body {
    Json(Value),
    /// The edge's answer, with headers of its own.
    Edge(EdgeAnswer),
}

impl Answer {
    pub(super) fn refusal(error: &ApiError) -> Self {
        Self { status: error.status, headers: Vec::new(), body: Some(Body::Json(error.body())) }
    }

    pub(super) fn edge(answer: EdgeAnswer) -> Self {
        Self { status: answer.status, headers: Vec::new(), body: Some(Body::Edge(answer)) }
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for (name, value) in self.headers {
            response.insert_header((name, value));
        }
        match self.body {
            Some(Body::Json(body)) => response.json(body),
            Some(Body::Edge(edge)) => {
                for header in edge.headers {
                    response.append_header(header);
                }
                if let Some(kind) = edge.content_type {
                    response.content_type(kind);
                }
                response.body(edge.body)
            }
            None => response.finish(),
        }
    }
}

/// A 429. Only a 429 of the bucket itself has the bucket's figures.
pub(super) fn too_many(bucket: Vec<(&'static str, String)>, retry_after: f64, scope: Scope) -> Answer {
    let mut headers = match scope {
        Scope::Global => vec![("X-RateLimit-Global", "true".to_owned())],
        Scope::User | Scope::Shared => bucket,
    };
    headers.push(("X-RateLimit-Scope", scope.name().to_owned()));
    // In whole seconds and rounded up in the header, exact in the body.
    headers.push(("Retry-After", retry_after.ceil().to_string()));
    let subject = if scope == Scope::Shared { "The resource is" } else { "You are" };
    let body = json!({
        "message": format!("{subject} being rate limited."),
        "retry_after": (retry_after * 1000.0).ceil() / 1000.0,
        "global": scope == Scope::Global,
    });
    Answer { status: 429, headers, body: Some(Body::Json(body)) }
}

/// The 429 of an edit of an old message, in a bucket that has room.
pub(super) fn too_many_old_edits(bucket: Vec<(&'static str, String)>, retry_after: f64) -> Answer {
    let mut answer = too_many(bucket, retry_after, Scope::User);
    if let Some(Body::Json(body)) = &mut answer.body {
        body["message"] =
            "Maximum number of edits to messages older than 1 hour reached. Try again later.".into();
        body["code"] = 30_046.into();
    }
    answer
}
