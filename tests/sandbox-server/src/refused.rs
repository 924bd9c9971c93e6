//! How a sandbox's control API says what was wrong with a request.

use actix_web::{Error, HttpRequest, HttpResponse, ResponseError, http::StatusCode};
use serde_json::json;

/// What was wrong with a request, in words. The answer is 400 with `{"error": "…"}`.
#[derive(Debug)]
pub struct Refused(anyhow::Error);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::BadRequest().json(json!({ "error": format!("{:#}", self.0) }))
    }
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

/// A body or a path that is not what the route takes.
pub fn unreadable(error: impl std::error::Error + Send + Sync + 'static, _: &HttpRequest) -> Error {
    Refused(anyhow::Error::new(error)).into()
}
