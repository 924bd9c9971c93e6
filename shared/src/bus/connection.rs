//! The connection to NATS: how it is made, and what the log and the readiness
//! say of it.

use std::{
    collections::BTreeSet,
    future,
    num::NonZeroU32,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use async_nats::{Client, ClientError, ConnectErrorKind, ConnectOptions, Event, Server};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::ExposeSecret as _;

use crate::{
    admin::Readiness,
    settings::{NatsSettings, SettingsError, secret},
};

/// A dead peer is noticed after three of these.
const PING_INTERVAL: Duration = Duration::from_secs(1);
/// For each step of an attempt.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// What the server objects to, such as a missing permission, is logged so often.
const OBJECTION_EVERY: Duration = Duration::from_secs(10);
/// The name under which readiness reports the connection.
const CHECK: &str = "nats";

/// Connects in the background: this returns at once, also while NATS is away,
/// and the client reconnects for ever. Readiness follows the connection.
///
/// # Errors
/// [`SettingsError`] when the credentials cannot be used.
pub async fn connect(
    service: &'static str,
    settings: &NatsSettings,
    readiness: &Readiness,
) -> anyhow::Result<Client> {
    readiness.set_unready(CHECK, "not connected yet");
    let watcher = Arc::new(Watcher::new(readiness.clone()));
    let (attempts, events) = (watcher.clone(), watcher);
    let options = ConnectOptions::new()
        .name(service)
        // Answers hold alerts: NATS can keep each user to answers of its own.
        .custom_inbox_prefix(format!("_INBOX.{service}"))
        .retry_on_initial_connect()
        .ping_interval(PING_INTERVAL)
        .connection_timeout(CONNECT_LIMIT)
        .reconnect_delay_callback(|attempts| Duration::from_millis((50 << attempts.min(5)) as u64))
        // Called before each attempt. An event names only the kind of the last
        // failure; the servers know its cause.
        .reconnect_to_server_callback(move |servers, _| {
            why(&servers).into_iter().for_each(|why| attempts.failed(why));
            future::ready(None)
        })
        .event_callback(move |event| {
            events.happened(&event);
            future::ready(())
        });
    let options = authenticate(options, settings)?;
    options.connect(settings.nats_url.clone()).await.context("NATS_URL: cannot start connecting")
}

/// Tells at the start, before anything is said or bound, whether [`connect`] can
/// use the settings.
///
/// # Errors
/// [`SettingsError`] when it cannot.
pub fn check(settings: &NatsSettings) -> Result<(), SettingsError> {
    authenticate(ConnectOptions::new(), settings).map(drop)
}

/// Who we are for the server, and whom we believe that it is the server.
fn authenticate(
    mut options: ConnectOptions,
    settings: &NatsSettings,
) -> Result<ConnectOptions, SettingsError> {
    if let Some(path) = &settings.nats_creds_file {
        let credentials = read(path, "NATS_CREDS_FILE")?;
        options = options
            .credentials(&credentials)
            .map_err(|error| SettingsError(format!("NATS_CREDS_FILE: {}: {error}", path.display())))?;
    }
    if let Some(path) = &settings.nats_ca_file {
        check_authority(path)?;
        // The client reads the file again for each connection.
        options = options.add_root_certificates(path.clone()).require_tls(true);
    }
    match (&settings.nats_user, secret("NATS_PASSWORD", settings.nats_password_file.as_ref())?) {
        (Some(user), Some(password)) => {
            Ok(options.user_and_password(user.clone(), password.expose_secret().to_owned()))
        }
        (None, None) => Ok(options),
        _ => Err(SettingsError("NATS_USER and NATS_PASSWORD: set both or neither".to_owned())),
    }
}

fn check_authority(path: &Path) -> Result<(), SettingsError> {
    let pem = read(path, "NATS_CA_FILE")?;
    match CertificateDer::pem_slice_iter(pem.as_bytes()).next() {
        Some(Ok(_)) => Ok(()),
        _ => Err(SettingsError(format!("NATS_CA_FILE: {} holds no certificate in PEM", path.display()))),
    }
}

fn read(path: &Path, setting: &str) -> Result<String, SettingsError> {
    std::fs::read_to_string(path)
        .map_err(|error| SettingsError(format!("{setting}: cannot read {}: {error}", path.display())))
}

/// Follows the connection in the readiness and in the log.
struct Watcher {
    readiness: Readiness,
    /// Why attempts failed since the connection was there, each logged once.
    said: Mutex<BTreeSet<String>>,
    objections: DefaultDirectRateLimiter,
}

impl Watcher {
    fn new(readiness: Readiness) -> Self {
        let quota = Quota::with_period(OBJECTION_EVERY).unwrap_or(Quota::per_minute(NonZeroU32::MIN));
        Self { readiness, said: Mutex::default(), objections: RateLimiter::direct(quota) }
    }

    fn said(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, why: String) {
        self.readiness.set_unready(CHECK, &*why);
        let mut said = self.said();
        if !said.contains(&why) {
            tracing::warn!("cannot connect to NATS: {why}");
            said.insert(why);
        }
    }

    fn happened(&self, event: &Event) {
        match event {
            Event::Connected => {
                tracing::info!("connected to NATS");
                self.said().clear();
                self.readiness.set_ready(CHECK);
            }
            Event::Disconnected => {
                tracing::warn!("lost the connection to NATS; reconnecting");
                self.readiness.set_unready(CHECK, "disconnected");
            }
            // Of this one alone the servers do not know.
            Event::ClientError(ClientError::Other(error)) if *error == ConnectErrorKind::Dns.to_string() => {
                self.failed(format!("{error}: check the names in NATS_URL"));
            }
            Event::ServerError(error) if self.objections.check().is_ok() => {
                tracing::warn!(%error, "NATS objects to what this service does");
            }
            other => tracing::debug!(event = %other, "NATS event"),
        }
    }
}

/// Why no server could be connected to, each with its own address; nothing when
/// none was tried yet. URLs may hold passwords, so they are not shown.
fn why(servers: &[Server]) -> Option<String> {
    let failures: Vec<String> = servers
        .iter()
        .filter_map(|server| {
            let error = server.last_error.as_deref()?;
            // The client says this one twice.
            let error = error.trim_end_matches(": nats: authorization violation");
            Some(format!("{}:{}: {error}{}", server.addr.host(), server.addr.port(), advice(error)))
        })
        .collect();
    (!failures.is_empty()).then(|| failures.join("; "))
}

/// Which settings to look at.
fn advice(error: &str) -> &'static str {
    if error.starts_with(&ConnectErrorKind::AuthorizationViolation.to_string()) {
        ": check NATS_USER and NATS_PASSWORD, or NATS_CREDS_FILE"
    } else if error.contains("invalid peer certificate") {
        ": check NATS_CA_FILE, and the names in the server's certificate"
    } else if error.contains("InvalidContentType") {
        ": check that the server speaks TLS, which NATS_CA_FILE demands"
    } else {
        ""
    }
}
