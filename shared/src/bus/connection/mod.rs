//! The connection to NATS, and what the log and the readiness say about it.

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    future,
    num::NonZeroU32,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Context as _;
use async_nats::{Auth, AuthError, Client, ClientError, ConnectErrorKind, ConnectOptions, Event, Server};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use nkeys::KeyPair;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use secrecy::ExposeSecret as _;

use super::{
    missing_rights::{self, MissingRights},
    rights::ServiceRights,
    stream_table::table,
};
use crate::{
    admin::Readiness,
    settings::{NatsSettings, SettingsError, secret},
};

/// After three of these a dead server is noticed.
const PING_INTERVAL: Duration = Duration::from_secs(1);
/// The limit of each step of an attempt.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// The longest wait between two attempts. The ingress holds a modern webhook for
/// 700 ms, and a NATS that is back must be found within that time.
const MAX_RECONNECT_DELAY: Duration = Duration::from_millis(200);
/// How often to log an objection of the server, such as a missing permission.
const OBJECTION_EVERY: Duration = Duration::from_secs(10);
/// The readiness check that fails while there is no connection.
const CHECK: &str = "nats";

/// Connects in the background. It returns at once, even while NATS is away, and
/// the client reconnects for ever. Readiness follows the connection. Also
/// returns the rights that the user lacks there.
///
/// # Errors
/// [`SettingsError`] when the credentials cannot be used.
pub async fn connect(
    service: &'static str,
    settings: &NatsSettings,
    readiness: &Readiness,
) -> anyhow::Result<(Client, MissingRights)> {
    readiness.set_unready(CHECK, "not connected yet");
    let lacks = MissingRights::new(ServiceRights::of(service, &table(settings)), readiness.clone());
    let watcher = Arc::new(ConnectionWatcher::new(readiness.clone(), lacks.clone()));
    let (attempts, events) = (watcher.clone(), watcher);
    check(settings)?;
    let identity = settings.clone();
    // Called before each attempt, because the secrets in files may have been
    // rotated.
    let options = ConnectOptions::with_auth_callback(move |nonce| {
        let auth = identify(&identity, &nonce);
        future::ready(auth.map_err(AuthError::new))
    })
    .name(service)
    // Answers hold alerts. With a prefix NATS can limit each user to its own
    // answers.
    .custom_inbox_prefix(format!("_INBOX.{service}"))
    .retry_on_initial_connect()
    .ping_interval(PING_INTERVAL)
    .connection_timeout(CONNECT_LIMIT)
    .reconnect_delay_callback(|_| reconnect_delay(rand::random()))
    // Called before each attempt. An event names only the kind of the last
    // failure, but the list of servers has its cause.
    .reconnect_to_server_callback(move |servers, _| {
        why(&servers).into_iter().for_each(|why| attempts.failed(why));
        future::ready(None)
    })
    .event_callback(move |event| {
        events.happened(&event);
        future::ready(())
    });
    let options = match &settings.nats_ca_file {
        // The client reads the file again for each connection.
        Some(path) => options.add_root_certificates(path.clone()).require_tls(true),
        None => options,
    };
    let client = options.connect(settings.nats_url.clone()).await;
    let client = client.context("NATS_URL: cannot start connecting")?;
    tokio::spawn(missing_rights::watch(client.clone(), lacks.clone()));
    Ok((client, lacks))
}

/// The wait before the next attempt. It is between half and all of the longest
/// one, so that the pods do not all come back together.
fn reconnect_delay(random: f64) -> Duration {
    MAX_RECONNECT_DELAY.mul_f64(f64::midpoint(1.0, random))
}

/// Checks at the start, before anything is logged or bound, whether [`connect`]
/// can use the settings and whether they fit together.
///
/// # Errors
/// [`SettingsError`] when it cannot.
pub fn check(settings: &NatsSettings) -> Result<(), SettingsError> {
    if let Some(path) = &settings.nats_creds_file {
        let credentials = read(path, "NATS_CREDS_FILE")?;
        ConnectOptions::new()
            .credentials(&credentials)
            .map_err(|error| SettingsError(format!("NATS_CREDS_FILE: {}: {error}", path.display())))?;
    }
    if let Some(path) = &settings.nats_ca_file {
        check_authority(path)?;
    }
    match (&settings.nats_user, secret("NATS_PASSWORD", settings.nats_password_file.as_ref())?) {
        (Some(_), Some(_)) | (None, None) => settings.check_bounds(),
        _ => Err(SettingsError("NATS_USER and NATS_PASSWORD: set both or neither".to_owned())),
    }
}

/// The credentials for the server, from the settings and from the files as they
/// are now.
fn identify(settings: &NatsSettings, nonce: &[u8]) -> Result<Auth, SettingsError> {
    let mut auth = Auth::new();
    if let Some(path) = &settings.nats_creds_file {
        let credentials = read(path, "NATS_CREDS_FILE")?;
        let unusable = || SettingsError(format!("NATS_CREDS_FILE: {} cannot be used", path.display()));
        let (jwt, key) = parse_credentials(&credentials).ok_or_else(unusable)?;
        auth.signature = Some(key.sign(nonce).map_err(|_| unusable())?);
        auth.jwt = Some(jwt.to_owned());
    }
    if let Some(user) = &settings.nats_user {
        let password = secret("NATS_PASSWORD", settings.nats_password_file.as_ref())?;
        auth.username = Some(user.clone());
        auth.password = password.map(|password| password.expose_secret().to_owned());
    }
    Ok(auth)
}

/// The two parts of a credentials file: who the user is, and the key that proves it.
fn parse_credentials(text: &str) -> Option<(&str, KeyPair)> {
    let mut lines = text.lines();
    let mut next = || {
        lines.by_ref().find(|line| line.starts_with("---") && line.contains("BEGIN"))?;
        lines.next().map(str::trim)
    };
    let (jwt, seed) = (next()?, next()?);
    Some((jwt, KeyPair::from_seed(seed).ok()?))
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

/// Reports changes of the connection to readiness and to the log.
struct ConnectionWatcher {
    readiness: Readiness,
    /// The reasons that were logged since the last connection. Each is logged
    /// once.
    said: Mutex<BTreeSet<String>>,
    objections: DefaultDirectRateLimiter,
    lacks: MissingRights,
}

impl ConnectionWatcher {
    fn new(readiness: Readiness, lacks: MissingRights) -> Self {
        let quota = Quota::with_period(OBJECTION_EVERY).unwrap_or(Quota::per_minute(NonZeroU32::MIN));
        Self { readiness, said: Mutex::default(), objections: RateLimiter::direct(quota), lacks }
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
                self.lacks.clear();
                self.readiness.set_ready(CHECK);
            }
            Event::Disconnected => {
                tracing::warn!("lost the connection to NATS; reconnecting");
                self.readiness.set_unready(CHECK, "disconnected");
            }
            // The list of servers does not have this one cause.
            Event::ClientError(ClientError::Other(error)) if *error == ConnectErrorKind::Dns.to_string() => {
                self.failed(format!("{error}: check the names in NATS_URL"));
            }
            Event::ServerError(error) => {
                self.lacks.note(&error.to_string());
                if self.objections.check().is_ok() {
                    tracing::warn!(%error, "NATS objects to what this service does");
                }
            }
            other => tracing::debug!(event = %other, "NATS event"),
        }
    }
}

/// Why no server could be reached, each with its address. `None` if none was
/// tried yet. URLs may hold passwords, so they are not shown.
fn why(servers: &[Server]) -> Option<String> {
    let failures: Vec<String> = servers
        .iter()
        .filter_map(|server| {
            let error = server.last_error.as_deref()?;
            // The client repeats this one.
            let error = error.trim_end_matches(": nats: authorization violation");
            Some(format!("{}:{}: {error}{}", server.addr.host(), server.addr.port(), advice(error)))
        })
        .collect();
    (!failures.is_empty()).then(|| failures.join("; "))
}

/// Which settings to check.
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
