//! The operator's own Sentry. It gets the errors that this program's own code
//! logs, events that it captures by name (refused requests, dead letters),
//! panics and traces.
//!
//! A quota ([`super::report_quota`]) limits them, so that no flood and no
//! outage uses up the operator's. Errors of libraries are not sent: a failed
//! report would be the next report.

#[cfg(test)]
mod tests;

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sentry::{
    integrations::tracing::ErrorLayer,
    protocol::{Level, Value},
};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use super::{report_quota::Quota, scrub};
use crate::settings::{CommonSettings, SettingsError};

/// How long a dying process waits for its last report.
const FLUSH: Duration = Duration::from_secs(2);
/// The release of this bot's own events, and how the release of each version
/// begins.
const RELEASE: &str = concat!("sentry-bot@", env!("CARGO_PKG_VERSION"));
const RELEASES: &str = "sentry-bot@";
/// The values of the tag `service` in its own events.
const SERVICES: [&str; 2] = ["ingress-service", "discord-service"];
/// The crates whose errors are reported.
const OURS: [&str; 3] = ["shared", "ingress_service", "discord_service"];

/// Whether an event with this release and this tag `service` is about this bot.
/// Another version, as during an update, needs both: a release that only begins
/// like ours may be somebody else's.
pub fn is_own(release: Option<&str>, service: Option<&str>) -> bool {
    let is_version = |text: &str| {
        let mut parts = text.split('.');
        let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        parts.clone().count() == 3 && parts.all(number)
    };
    let of_another_version = || {
        release.and_then(|release| release.strip_prefix(RELEASES)).is_some_and(is_version)
            && service.is_some_and(|service| SERVICES.contains(&service))
    };
    release == Some(RELEASE) || of_another_version()
}

/// Whether this program's own code logged this line.
pub(super) fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().split("::").next().is_some_and(|name| OURS.contains(&name))
}

/// Whether this log line is reported. It must be an error of our own code
/// without the field `captured`. That field says that it is captured by name,
/// or must not be reported.
fn is_reported(metadata: &Metadata<'_>) -> bool {
    *metadata.level() == tracing::Level::ERROR
        && is_ours(metadata)
        && metadata.fields().field("captured").is_none()
}

/// Reports the errors in the log.
pub(super) fn layer<S>() -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    ErrorLayer::new().with_filter(filter_fn(is_reported))
}

/// Reports something under a name by which Sentry groups it. `facts` must hold
/// no personal data and no secret.
pub fn capture(kind: &str, level: Level, message: &str, facts: &[(&'static str, String)]) {
    sentry::with_scope(
        |scope| {
            scope.set_fingerprint(Some(&["sentry-bot", kind]));
            for (name, value) in facts {
                scope.set_extra(name, Value::from(value.as_str()));
            }
        },
        || sentry::capture_message(message, level),
    );
}

/// Starts reporting to the operator's own Sentry. Keep the guard until the
/// process ends: it flushes what is queued. Nothing is sent without a DSN.
///
/// # Errors
/// When the DSN is not valid.
pub fn start_sentry(
    service: &'static str,
    dsn: Option<&SecretString>,
    settings: &CommonSettings,
) -> Result<Option<sentry::ClientInitGuard>, SettingsError> {
    let Some(dsn) = dsn else {
        return Ok(None);
    };
    let dsn = dsn.expose_secret();
    // `ClientOptions::dsn` panics on a DSN that is not valid.
    dsn.parse::<sentry::types::Dsn>().map_err(|error| SettingsError(format!("SENTRY_DSN: {error}")))?;
    let quota = Quota::default();
    let guard = sentry::init(
        sentry::ClientOptions::new()
            .dsn(dsn)
            .release(RELEASE)
            .environment(settings.runtime_mode.name())
            .traces_sample_rate(settings.sentry_traces_sample_rate)
            .send_default_pii(false)
            .before_send(move |event| quota.admits(&event).then(|| scrub::event(event))),
    );
    sentry::configure_scope(|scope| scope.set_tag("service", service));
    Ok(Some(guard))
}

/// Sends what is queued, before the process dies.
pub(super) fn flush() {
    if let Some(client) = sentry::Hub::main().client() {
        client.flush(Some(FLUSH));
    }
}
