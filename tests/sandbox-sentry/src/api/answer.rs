//! An answer as it goes over the wire.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::{HttpResponse, HttpResponseBuilder, http::StatusCode};
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::{config::LimitBody, faults::HttpAnswer, ratelimit::Figures};

const JSON: &str = "application/json";
/// Django's default, which the 429 of Sentry's middleware keeps although its body is JSON.
const HTML: &str = "text/html; charset=utf-8";
const CHUNK: usize = 64 << 10;

/// An answer on its way out.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    /// The pause between two bytes of the body.
    pub(super) trickle: Option<Duration>,
}

#[derive(Debug)]
enum Body {
    Whole(Vec<u8>),
    /// A JSON object of at least so many bytes, which is never whole in memory.
    Huge(usize),
}

impl Answer {
    fn new(status: u16, kind: Option<&str>, body: impl Into<Vec<u8>>) -> Self {
        let headers = kind.map(|kind| ("Content-Type".to_owned(), kind.to_owned())).into_iter().collect();
        Self { status, headers, body: Body::Whole(body.into()), trickle: None }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, Some(JSON), body.to_string())
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, None, "")
    }

    pub(crate) fn text(status: u16, body: impl Into<String>) -> Self {
        Self::new(status, Some("text/plain"), body.into())
    }

    /// A refusal in the words of Django REST framework.
    pub(crate) fn detail(status: u16, detail: &str) -> Self {
        Self::json(status, &json!({ "detail": detail }))
    }

    pub(crate) fn not_found() -> Self {
        Self::detail(404, "The requested resource does not exist")
    }

    pub(crate) fn unauthorized(detail: &str) -> Self {
        Self::detail(401, detail).header("WWW-Authenticate", "xBasic realm=\"api\"")
    }

    pub(crate) fn forbidden() -> Self {
        Self::detail(403, "You do not have permission to perform this action.")
    }

    /// Sentry's middleware refuses before the endpoint is reached.
    pub(crate) fn too_many(figures: Figures, form: LimitBody) -> Self {
        let (count, seconds) = (figures.limit.count, figures.limit.window.as_secs());
        Self::limited(form, count, seconds).headers(figures.headers())
    }

    /// A 429 on demand. The time of its end has a fraction.
    pub(super) fn told_to_wait(time: Duration, form: LimitBody) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let reset = format!("{:.3}", (now + time).as_secs_f64());
        let answer = Self::limited(form, 5, 1).header("X-Sentry-Rate-Limit-Limit", "5");
        answer.header("X-Sentry-Rate-Limit-Remaining", "0").header("X-Sentry-Rate-Limit-Reset", reset)
    }

    fn limited(form: LimitBody, count: u32, seconds: u64) -> Self {
        let words = format!(
            "You are attempting to use this endpoint too frequently. Limit is {count} requests in {seconds} seconds"
        );
        let body = match form {
            LimitBody::Detail => json!({ "detail": words }),
            LimitBody::Text => json!(words),
        };
        Self::new(429, Some(HTML), body.to_string())
    }

    pub(super) fn huge(bytes: usize) -> Self {
        Self { body: Body::Huge(bytes), ..Self::new(200, Some(JSON), "") }
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn headers(self, headers: Vec<(&'static str, String)>) -> Self {
        headers.into_iter().fold(self, |answer, (name, value)| answer.header(name, value))
    }

    pub(super) fn into_response(self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        for header in self.headers {
            response.append_header(header);
        }
        match (self.body, self.trickle) {
            (Body::Whole(body), None) => response.body(body),
            (Body::Whole(body), Some(pause)) => trickling(response, body, pause),
            (Body::Huge(bytes), _) => {
                let filler = Bytes::from(vec![b'x'; CHUNK]);
                let middle = stream::repeat(filler).take(bytes.div_ceil(CHUNK));
                let begin = stream::iter([Bytes::from_static(b"{\"detail\":\"")]);
                let chunks = begin.chain(middle).chain(stream::iter([Bytes::from_static(b"\"}")]));
                response.streaming(chunks.map(Ok::<_, actix_web::Error>))
            }
        }
    }
}

impl From<HttpAnswer> for Answer {
    fn from(answer: HttpAnswer) -> Self {
        let headers = answer.headers.into_iter().collect();
        Self { headers, ..Self::new(answer.status, None, answer.body) }
    }
}

fn trickling(mut response: HttpResponseBuilder, body: Vec<u8>, pause: Duration) -> HttpResponse {
    let bytes = stream::iter(body).then(move |byte| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, actix_web::Error>(Bytes::copy_from_slice(&[byte]))
    });
    response.streaming(Box::pin(bytes))
}
