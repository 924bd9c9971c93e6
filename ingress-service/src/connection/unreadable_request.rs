//! The answers to requests whose head actix cannot read. `http_connection.rs`
//! sends them.

use actix_web::{
    http::{Method, Uri},
    web::Bytes,
};

use crate::{
    endpoint::{PATH, is_endpoint},
    response::WebhookResponse,
};

/// For a request that actix could not read: its answer, its path (if known) and
/// the rule that it broke.
pub(crate) fn misread(line: &str) -> (WebhookResponse, &'static str, &'static str) {
    let line = line.trim_start().lines().next().unwrap_or_default();
    let (method, rest) = line.split_once(' ').unwrap_or_default();
    let path = rest.split([' ', '?']).next().unwrap_or_default();
    if method != Method::POST.as_str() || !is_endpoint(path) {
        return (WebhookResponse::AccessForbidden, "", "head: the request line is unknown");
    }
    match rest.rsplit_once(' ') {
        Some((target, _version)) if is_target(target) => {
            (WebhookResponse::BrokenHead, PATH, "head: malformed headers")
        }
        _ => (WebhookResponse::ValidationFailed, PATH, "head: malformed query"),
    }
}

/// Whether actix accepts this as a target. Its parser also refuses blanks and
/// control characters after a `#`, which [`Uri`] ignores.
fn is_target(target: &str) -> bool {
    target.bytes().all(|byte| byte > b' ' && byte != 0x7f) && target.parse::<Uri>().is_ok()
}

/// The whole response, in HTTP/1.1.
pub(super) fn written(answer: &WebhookResponse) -> Bytes {
    let (status, body) = (answer.status(), answer.body());
    let headers =
        format!("content-length: {}\r\nconnection: close\r\ncontent-type: application/json", body.len());
    format!("HTTP/1.1 {status}\r\n{headers}\r\n\r\n{body}").into()
}
