//! Webhooks of Sentry's Integration Platform: those with a `Sentry-Hook-Resource`.

/// The header that tells them from legacy webhooks.
pub(crate) const RESOURCE: &str = "Sentry-Hook-Resource";

/// The resources that Sentry knows, for counting: what a stranger sends must
/// not become a label.
const KNOWN: [&str; 9] = [
    "event_alert",
    "issue",
    "error",
    "metric_alert",
    "comment",
    "installation",
    "seer",
    "activity_alert",
    "preprod_artifact",
];

/// Counts a webhook that is acknowledged and not posted: a refusal would hurt
/// what Sentry thinks of us. So far that is every resource and action.
pub(crate) fn ignore(resource: &[u8]) {
    let resource = KNOWN.into_iter().find(|known| known.as_bytes() == resource).unwrap_or("other");
    metrics::counter!("sentry_bot_ingress_ignored_total", "resource" => resource).increment(1);
    static SAID: std::sync::Once = std::sync::Once::new();
    SAID.call_once(|| {
        tracing::info!(resource, "Integration Platform webhooks are acknowledged and not posted yet");
    });
}
