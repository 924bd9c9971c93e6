//! One webhook: its body and the headers that Sentry sets around it.

use std::{
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};

const USER_AGENT: &str = "sentry/26.10.0 (https://sentry.io)";
/// GlitchTip and Bugsink name the library that they send with.
const OTHER_USER_AGENT: &str = "python-requests/2.32.5";
/// Folders of bodies that they send.
const OTHER_SENDERS: [&str; 2] = ["glitchtip", "bugsink"];
/// How long Sentry waits for an answer to a legacy webhook.
const LEGACY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long Sentry waits for an answer to an Integration Platform webhook.
const PLATFORM_TIMEOUT: Duration = Duration::from_secs(1);

/// One webhook, ready to be sent any number of times. Every sending is a firing
/// of its own, unless [`idempotency_key`](Self::idempotency_key) says otherwise.
#[derive(Debug, Clone)]
pub struct Webhook {
    body: Vec<u8>,
    agent: &'static str,
    resource: Option<String>,
    secret: Option<String>,
    idempotency_key: IdempotencyKey,
    timestamp: Option<u64>,
    extra: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
enum IdempotencyKey {
    PerSending,
    Fixed(String),
    /// As older versions of Sentry do.
    Absent,
}

impl Webhook {
    /// A legacy webhook: no `Sentry-Hook-Resource`, never signed.
    pub fn legacy(body: impl Into<Vec<u8>>) -> Self {
        Self {
            body: body.into(),
            agent: USER_AGENT,
            resource: None,
            secret: None,
            idempotency_key: IdempotencyKey::PerSending,
            timestamp: None,
            extra: Vec::new(),
        }
    }

    /// A webhook of the Integration Platform, such as `event_alert`.
    pub fn platform(resource: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self { resource: Some(resource.into()), ..Self::legacy(body) }
    }

    /// A webhook of GlitchTip or Bugsink: they verify the certificate, name no key of
    /// the firing and sign nothing.
    pub fn other(body: impl Into<Vec<u8>>) -> Self {
        Self { agent: OTHER_USER_AGENT, ..Self::legacy(body) }.without_idempotency_key()
    }

    /// The body in this file. A name `<resource>.<action>….json` makes it a
    /// webhook of the Integration Platform, a folder `glitchtip` or `bugsink` one of
    /// theirs, anything else a legacy one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn from_file(path: &Path) -> anyhow::Result<Self> {
        let body = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
        if OTHER_SENDERS.iter().any(|name| folder == *name) {
            return Ok(Self::other(body));
        }
        Ok(match stem.split_once('.') {
            Some((resource, _)) => Self::platform(resource, body),
            None => Self::legacy(body),
        })
    }

    /// Another body under the same headers.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Makes it a webhook of the Integration Platform with this resource.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Signs it with this client secret of an internal integration.
    #[must_use]
    pub fn signed(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Sets the `Idempotency-Key`: all sendings are one firing.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = IdempotencyKey::Fixed(key.into());
        self
    }

    /// Leaves the `Idempotency-Key` out, as older versions of Sentry do.
    #[must_use]
    pub fn without_idempotency_key(mut self) -> Self {
        self.idempotency_key = IdempotencyKey::Absent;
        self
    }

    /// Sets `Sentry-Hook-Timestamp`, in seconds since 1970, instead of now.
    #[must_use]
    pub const fn timestamp(mut self, seconds: u64) -> Self {
        self.timestamp = Some(seconds);
        self
    }

    /// Adds a header, or replaces one that Sentry sets.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.push((name.into(), value.into()));
        self
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether it belongs to the Integration Platform.
    pub const fn is_platform(&self) -> bool {
        self.resource.is_some()
    }

    /// Whether its sender verifies the certificate.
    pub fn is_verifying(&self) -> bool {
        self.is_platform() || self.agent == OTHER_USER_AGENT
    }

    /// How long Sentry waits for the whole answer.
    pub const fn timeout(&self) -> Duration {
        if self.is_platform() { PLATFORM_TIMEOUT } else { LEGACY_TIMEOUT }
    }

    /// The headers of one request, in order. Some differ with each request, and
    /// are made here.
    ///
    /// # Errors
    /// When OpenSSL cannot sign.
    pub fn headers(&self) -> anyhow::Result<Vec<(String, String)>> {
        let mut headers = vec![
            ("User-Agent".to_owned(), self.agent.to_owned()),
            ("Content-Type".to_owned(), "application/json".to_owned()),
        ];
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
        match &self.idempotency_key {
            IdempotencyKey::PerSending => add("Idempotency-Key", random_id()),
            IdempotencyKey::Fixed(key) => add("Idempotency-Key", key.clone()),
            IdempotencyKey::Absent => {}
        }
        if let Some(resource) = &self.resource {
            add("Request-ID", random_id());
            add("Sentry-Hook-Resource", resource.clone());
            add("Sentry-Hook-Timestamp", self.timestamp.unwrap_or_else(now).to_string());
        }
        if let Some(secret) = &self.secret {
            add("Sentry-Hook-Signature", signature(secret, &self.body).context("cannot sign")?);
        }
        for (name, value) in &self.extra {
            headers.retain(|(present, _)| !present.eq_ignore_ascii_case(name));
            headers.push((name.clone(), value.clone()));
        }
        Ok(headers)
    }
}

/// The signature of a body: lowercase hexadecimal HMAC-SHA256 of its bytes.
///
/// # Errors
/// When OpenSSL cannot sign.
pub fn signature(secret: &str, body: &[u8]) -> Result<String, openssl::error::ErrorStack> {
    let key = PKey::hmac(secret.as_bytes())?;
    Ok(hex::encode(Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(body)?))
}

/// The JSON files of `path`: the file itself, or those in the folder, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn json_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = path.read_dir().with_context(|| format!("cannot read {}", path.display()))?;
    let mut paths =
        entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>().context("cannot list")?;
    paths.retain(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let nested = paths.iter().map(|path| json_files(path)).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(nested.concat())
}

fn random_id() -> String {
    hex::encode(rand::random::<[u8; 16]>())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn headers(webhook: &Webhook) -> BTreeMap<String, String> {
        webhook.headers().expect("headers can be made").into_iter().collect()
    }

    #[test]
    fn a_legacy_webhook_has_no_hook_headers() {
        let webhook = Webhook::legacy("{}");
        let names: Vec<_> = headers(&webhook).into_keys().collect();
        assert_eq!(names, ["Content-Type", "Idempotency-Key", "User-Agent"]);
        assert_eq!(webhook.timeout(), Duration::from_secs(5));
    }

    #[test]
    fn every_sending_is_a_firing_of_its_own_unless_told_otherwise() {
        let webhook = Webhook::legacy("{}");
        let key = |webhook: &Webhook| headers(webhook).remove("Idempotency-Key");
        assert_eq!(key(&webhook).expect("a key").len(), 32);
        assert_ne!(key(&webhook), key(&webhook));
        assert_eq!(key(&webhook.clone().idempotency_key("k")).as_deref(), Some("k"));
        assert_eq!(key(&webhook.without_idempotency_key()), None);
    }

    #[test]
    fn a_platform_webhook_is_signed_over_the_raw_bytes() {
        // The HMAC-SHA256 example of RFC 4231, case 2.
        let webhook = Webhook::platform("issue", "what do ya want for nothing?").signed("Jefe").timestamp(7);
        let headers = headers(&webhook);
        let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(headers["Sentry-Hook-Signature"], signature);
        assert_eq!(headers["Sentry-Hook-Resource"], "issue");
        assert_eq!(headers["Sentry-Hook-Timestamp"], "7");
        assert_eq!(webhook.timeout(), Duration::from_secs(1));
    }

    #[test]
    fn a_file_name_tells_the_family() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
        let families = |folder: &str| -> Vec<_> {
            let files = json_files(&fixtures.join(folder)).expect("fixtures");
            files.iter().map(|file| Webhook::from_file(file).expect("a fixture").resource).collect()
        };
        assert!(families("legacy").iter().all(Option::is_none));
        assert!(families("platform").contains(&Some("event_alert".to_owned())));
        assert!(families("platform").iter().all(Option::is_some));
        assert!(families("reports").iter().all(Option::is_some));
        for sender in OTHER_SENDERS {
            assert!(!families(sender).is_empty());
            assert!(families(sender).iter().all(Option::is_none), "{sender}");
        }
        let folders = ["legacy", "platform", "reports", "glitchtip", "bugsink"];
        let each = folders.map(|folder| families(folder).len());
        assert_eq!(json_files(&fixtures).expect("fixtures").len(), each.iter().sum::<usize>());
    }

    #[test]
    fn other_senders_name_their_library_and_no_firing() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/glitchtip/general_issue.json");
        let webhook = Webhook::from_file(&path).expect("a fixture");
        let headers = headers(&webhook);
        assert_eq!(headers["User-Agent"], OTHER_USER_AGENT);
        assert_eq!(headers.keys().collect::<Vec<_>>(), ["Content-Type", "User-Agent"]);
        assert!(webhook.is_verifying() && !webhook.is_platform());
        assert!(!Webhook::legacy("{}").is_verifying());
    }

    #[test]
    fn a_header_replaces_the_one_that_sentry_sets() {
        let headers = headers(&Webhook::legacy("{}").header("user-agent", "x"));
        assert_eq!(headers.get("User-Agent"), None);
        assert_eq!(headers["user-agent"], "x");
    }
}
