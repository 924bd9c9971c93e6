//! The page at `/`: Discord's client as far as a bot needs one. Plain files and
//! ES modules, and no request to another host.

use actix_web::{HttpResponse, get, http::header, web};

/// Only this server's own files; nothing is loaded from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the page, by its name below `/sandbox/page/`.
struct File {
    name: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($name:literal)*) => { &[$(File { name: $name, text: include_str!(concat!("page/", $name)) }),*] };
}

const FILES: &[File] = files![
    "api.js" "commands.js" "complete.js" "components.js" "composer.js" "controls.css" "dom.js"
    "embed.js" "faults.js" "glyph.svg" "interact.js" "listbox.js" "log.js" "main.js" "markdown.js" "message.css" "message.js"
    "modal.js" "page.css" "panel.css" "panel.js" "places.js" "theme.js" "time.js" "world.js"
];

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config.service(index).service(file);
}

fn answer(name: &str, text: &'static str) -> HttpResponse {
    let kind = match name.rsplit_once('.') {
        Some((_, "html")) => "text/html; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    };
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(text)
}

#[get("/")]
async fn index() -> HttpResponse {
    answer("index.html", include_str!("page/index.html"))
}

#[get("/sandbox/page/{name}")]
async fn file(name: web::Path<String>) -> HttpResponse {
    match FILES.iter().find(|file| file.name == *name) {
        Some(file) => answer(file.name, file.text),
        None => HttpResponse::NotFound().finish(),
    }
}
