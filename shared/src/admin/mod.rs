//! The admin listener of both services, plain HTTP:
//! - `/healthz`: the process runs.
//! - `/readyz`: it can do its work.
//! - `/readyz?for=traffic`: it takes requests.
//! - `/metrics`: for Prometheus.

mod probes;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::Server, web};
use anyhow::Context as _;
pub use metrics_exporter_prometheus::PrometheusHandle;

use self::probes::{ProbeQuestion, Probes};

/// What a process needs before it can do its work, as named checks. `/readyz`
/// answers 200 if all of them hold.
///
/// `/readyz?for=traffic` answers another question: may requests come here? If
/// something behind all pods is away, every pod fails `/readyz`, but none may
/// lose its requests.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<ReadinessInner>);

#[derive(Debug, Default)]
struct ReadinessInner {
    checks: Mutex<BTreeMap<&'static str, Check>>,
    takes_traffic: AtomicBool,
    drains: AtomicBool,
    probes: Probes,
}

#[derive(Debug, Clone)]
struct Check {
    holds: bool,
    words: String,
    /// When the check is forgotten.
    until: Option<Instant>,
}

impl Readiness {
    /// Declares that `check` holds.
    pub fn set_ready(&self, check: &'static str) {
        self.set_ready_saying(check, "ok");
    }

    /// Declares that `check` holds, with words that the operator should read
    /// nevertheless.
    pub fn set_ready_saying(&self, check: &'static str, words: impl Into<String>) {
        self.set(check, Check { holds: true, words: words.into(), until: None });
    }

    /// Declares that `check` does not hold, and why, for the operator.
    pub fn set_unready(&self, check: &'static str, why: impl Into<String>) {
        self.set(check, Check { holds: false, words: why.into(), until: None });
    }

    /// Declares whether `check` holds, with words for the operator. It is
    /// forgotten after `time`.
    pub fn set_for(&self, time: Duration, check: &'static str, holds: bool, words: impl Into<String>) {
        self.set(check, Check { holds, words: words.into(), until: Some(Instant::now() + time) });
    }

    /// Removes the check.
    pub fn forget(&self, check: &'static str) {
        self.0.checks.lock().unwrap_or_else(PoisonError::into_inner).remove(check);
    }

    fn set(&self, name: &'static str, check: Check) {
        self.0.checks.lock().unwrap_or_else(PoisonError::into_inner).insert(name, check);
    }

    /// Whether all checks hold, and the words of each.
    pub fn report(&self) -> (bool, BTreeMap<&'static str, String>) {
        let mut checks = self.0.checks.lock().unwrap_or_else(PoisonError::into_inner);
        checks.retain(|_, check| check.until.is_none_or(|until| until > Instant::now()));
        let words = checks.iter().map(|(name, check)| (*name, check.words.clone()));
        (checks.values().all(|check| check.holds), words.collect())
    }

    /// From now on requests may come here, until [`Self::drain`].
    pub fn take_traffic(&self) {
        self.0.takes_traffic.store(true, Ordering::Relaxed);
    }

    /// From now on no requests may come here, because the process ends.
    pub fn drain(&self) {
        self.0.drains.store(true, Ordering::Relaxed);
    }

    /// Whether requests may come here.
    pub fn takes_traffic(&self) -> bool {
        self.0.takes_traffic.load(Ordering::Relaxed) && !self.0.drains.load(Ordering::Relaxed)
    }

    /// Returns when `/readyz` has answered 503 to a regular probe, but after
    /// `longest` in any case. Returns at once if nobody probes regularly.
    pub async fn until_seen_failing(&self, longest: Duration) {
        self.0.probes.until_failed(longest).await;
    }
}

/// A JSON document that is part of the program.
#[derive(Debug, Clone, Copy)]
pub struct JsonDocument {
    /// The path at which it is served.
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
    document: Option<JsonDocument>,
) -> anyhow::Result<(SocketAddr, Server)> {
    let server = HttpServer::new(move || {
        let app = App::new()
            .app_data(web::Data::new(readiness.clone()))
            .app_data(web::Data::new(metrics.clone()))
            .route("/healthz", web::get().to(healthz))
            .route("/readyz", web::get().to(readyz))
            .route("/metrics", web::get().to(metrics_page));
        match document {
            Some(JsonDocument { path, json }) => app.route(path, web::get().to(move || page(json))),
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

async fn readyz(request: HttpRequest, readiness: web::Data<Readiness>) -> HttpResponse {
    let (works, checks) = readiness.report();
    let (question, ready) = match request.query_string() {
        "for=traffic" => (ProbeQuestion::Traffic, readiness.takes_traffic()),
        _ => (ProbeQuestion::Work, works),
    };
    readiness.0.probes.note(question, ready);
    let mut response = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(serde_json::json!({"ready": ready, "checks": checks}))
}

async fn metrics_page(metrics: web::Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}
