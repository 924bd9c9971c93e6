//! The page at `/`: channels and messages roughly as Discord shows them, and a
//! line to write in.

use actix_web::{HttpResponse, get, http::header, web};

/// Only this server's own files; nothing is loaded from elsewhere.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:";

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(index).service(style).service(script);
}

fn file(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(text)
}

#[get("/")]
async fn index() -> HttpResponse {
    file("text/html; charset=utf-8", include_str!("page/index.html"))
}

#[get("/sandbox/page.css")]
async fn style() -> HttpResponse {
    file("text/css; charset=utf-8", include_str!("page/page.css"))
}

#[get("/sandbox/page.js")]
async fn script() -> HttpResponse {
    file("text/javascript; charset=utf-8", include_str!("page/page.js"))
}
