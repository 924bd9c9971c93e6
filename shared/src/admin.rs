//! The admin listener of both services, plain HTTP: `/healthz` (the process
//! runs), `/readyz` (it can do its work), `/metrics` (Prometheus).

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, dev::Server, web};
use anyhow::Context as _;
pub use metrics_exporter_prometheus::PrometheusHandle;

use crate::probes::Probes;

/// What a process needs before it can do its work, by name. Every named check
/// must hold for `/readyz` to answer 200.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    checks: Mutex<BTreeMap<&'static str, Result<(), String>>>,
    probes: Probes,
}

impl Readiness {
    /// Declares that `check` holds.
    pub fn set_ready(&self, check: &'static str) {
        self.set(check, Ok(()));
    }

    /// Declares that `check` does not hold, and why, for the operator.
    pub fn set_unready(&self, check: &'static str, why: impl Into<String>) {
        self.set(check, Err(why.into()));
    }

    fn set(&self, check: &'static str, state: Result<(), String>) {
        self.0.checks.lock().unwrap_or_else(PoisonError::into_inner).insert(check, state);
    }

    /// Whether all checks hold, and each one in words.
    pub fn report(&self) -> (bool, BTreeMap<&'static str, String>) {
        let checks = self.0.checks.lock().unwrap_or_else(PoisonError::into_inner);
        let words = checks.iter().map(|(name, state)| match state {
            Ok(()) => (*name, "ok".to_owned()),
            Err(why) => (*name, why.clone()),
        });
        (checks.values().all(Result::is_ok), words.collect())
    }

    /// Returns when somebody has asked `/readyz` and got the answer 503; at once
    /// where nobody asks regularly, and after `longest` in any case.
    pub async fn until_seen_failing(&self, longest: Duration) {
        self.0.probes.until_failed(longest).await;
    }
}

/// A JSON document that is part of the program.
#[derive(Debug, Clone, Copy)]
pub struct Document {
    /// Where it is served.
    pub path: &'static str,
    /// The document.
    pub json: &'static str,
}

/// Binds the admin listener, which also serves `document`. The returned server
/// runs once it is polled or spawned.
///
/// # Errors
/// When the address cannot be bound.
pub fn serve(
    address: SocketAddr,
    readiness: Readiness,
    metrics: PrometheusHandle,
    document: Option<Document>,
) -> anyhow::Result<(SocketAddr, Server)> {
    let server = HttpServer::new(move || {
        let app = App::new()
            .app_data(web::Data::new(readiness.clone()))
            .app_data(web::Data::new(metrics.clone()))
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz))
            .route("/metrics", web::get().to(metrics_page));
        match document {
            Some(Document { path, json }) => app.route(path, web::get().to(move || page(json))),
            None => app,
        }
    })
    .workers(1)
    .disable_signals()
    .bind(address)
    .with_context(|| format!("ADMIN_ADDR: cannot listen on {address}"))?;
    let address = server.addrs().first().copied().unwrap_or(address);
    Ok((address, server.run()))
}

async fn page(json: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(json)
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({"status": "ok"}))
}

async fn readyz(readiness: web::Data<Readiness>) -> HttpResponse {
    let (ready, checks) = readiness.report();
    readiness.0.probes.note(ready);
    let mut response = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(serde_json::json!({"ready": ready, "checks": checks}))
}

async fn metrics_page(metrics: web::Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}
