//! The operator's own Sentry. What goes there: what this program's code logs as
//! an error, what it captures by name (refused requests, dead letters), panics,
//! and traces. So seldom (see [`crate::quota`]) that no flood of requests and no
//! outage can use it up; and never from a library, whose failures to reach that
//! Sentry would be reported in a circle.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sentry::{
    integrations::tracing::ErrorLayer,
    protocol::{Level, Value},
};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use super::scrub;
use crate::{
    quota::Quota,
    settings::{CommonSettings, SettingsError},
};

/// How long a dying process waits for its last report.
const FLUSH: Duration = Duration::from_secs(2);
/// How the release of this bot's own events begins.
const RELEASE: &str = "sentry-bot@";
/// The crates whose errors are reported.
const OURS: [&str; 3] = ["shared", "ingress_service", "discord_service"];

/// Whether an alert of this release is about this bot: what happens to such an
/// alert is reported to nobody, since the report would be the next alert.
pub fn is_own_release(release: Option<&str>) -> bool {
    release.is_some_and(|release| release.starts_with(RELEASE))
}

/// Whether this program's own code logged it.
pub(super) fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().split("::").next().is_some_and(|name| OURS.contains(&name))
}

/// Whether what is logged there is to be reported: an error of our own code,
/// unless the field `captured` says that it is captured by name or must not be.
fn is_reported(metadata: &Metadata<'_>) -> bool {
    *metadata.level() == tracing::Level::ERROR
        && is_ours(metadata)
        && metadata.fields().field("captured").is_none()
}

/// Reports what is logged as an error.
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
/// When the DSN is not one.
pub fn start_sentry(
    service: &'static str,
    dsn: Option<&SecretString>,
    settings: &CommonSettings,
) -> Result<Option<sentry::ClientInitGuard>, SettingsError> {
    let Some(dsn) = dsn else {
        return Ok(None);
    };
    let dsn = dsn.expose_secret();
    // `ClientOptions::dsn` panics on a DSN that is none.
    dsn.parse::<sentry::types::Dsn>().map_err(|error| SettingsError(format!("SENTRY_DSN: {error}")))?;
    let quota = Quota::default();
    let guard = sentry::init(
        sentry::ClientOptions::new()
            .dsn(dsn)
            .release(concat!("sentry-bot@", env!("CARGO_PKG_VERSION")))
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
