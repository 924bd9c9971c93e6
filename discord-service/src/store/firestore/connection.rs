//! The connection to Firestore: made when it is first needed, and again after
//! calls got no answer.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use firestore::{
    FirestoreDb, FirestoreDbOptions,
    gcloud_sdk::{
        GCP_DEFAULT_SCOPES, GoogleAuthHeaders, GoogleEnvironment, google_cloud_auth::credentials::anonymous,
    },
};
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use serde::de::IgnoredAny;
use shared::settings::SettingsError;
use tokio::time::{Instant, timeout};

use crate::settings::Settings;

/// Google's service. Always named, since the library would otherwise look at the
/// environment by itself, where an empty variable counts.
const GOOGLE: &str = "https://firestore.googleapis.com";
const CREDENTIALS_VARIABLE: &str = "GOOGLE_APPLICATION_CREDENTIALS";
/// The project on an emulator when none is set; `demo-` is Google's mark for
/// projects that do not exist.
const EMULATED_PROJECT: &str = "demo-sentry-bot";
/// For the handshake and the project's id; callers wait less.
const CONNECT_LIMIT: Duration = Duration::from_secs(20);

/// How soon after one attempt the next may begin: a failing one can be over in no time.
const REST: Duration = Duration::from_millis(250);

/// Where Firestore is and who asks.
#[derive(Debug, Clone)]
pub(super) struct FirestoreTarget {
    project: Option<String>,
    credentials: Option<PathBuf>,
    emulator: Option<String>,
}

impl FirestoreTarget {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            project: settings.google_cloud_project.clone(),
            credentials: settings.google_application_credentials.clone(),
            emulator: settings.firestore_emulator_host.clone(),
        }
    }
}

/// Tells whether the key file that Google's variable names can be used at all;
/// an emulator asks for none.
pub(super) fn check(target: &FirestoreTarget) -> Result<(), SettingsError> {
    let (Some(path), None) = (&target.credentials, &target.emulator) else { return Ok(()) };
    let wrong = |why: String| SettingsError(format!("{CREDENTIALS_VARIABLE}: {why}"));
    let text =
        std::fs::read(path).map_err(|error| wrong(format!("cannot read {}: {error}", path.display())))?;
    // Its content may be a secret, so the parser's words stay out.
    serde_json::from_slice::<IgnoredAny>(&text)
        .map(drop)
        .map_err(|_| wrong(format!("{} is no key file: expected JSON", path.display())))
}

/// An attempt to connect that all who need it wait for together, and then its result.
type Attempt = Shared<BoxFuture<'static, Result<FirestoreDb, Arc<anyhow::Error>>>>;

/// A connection that opens by itself.
pub(super) struct FirestoreConnection {
    target: FirestoreTarget,
    latest: Mutex<Option<(Instant, Attempt)>>,
}

impl FirestoreConnection {
    pub(super) const fn new(target: FirestoreTarget) -> Self {
        Self { target, latest: Mutex::new(None) }
    }

    /// The open connection. One attempt runs at a time, and goes on when those who
    /// wait for it have given up; they share its failure.
    pub(super) async fn get(&self) -> anyhow::Result<FirestoreDb> {
        let attempt = self.attempt();
        attempt.await.map_err(|error| anyhow!("{error:#}"))
    }

    fn attempt(&self) -> Attempt {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some((since, attempt)) if !matches!(attempt.peek(), Some(Err(_))) || since.elapsed() < REST => {
                attempt.clone()
            }
            _ => {
                let attempt = attempt(self.target.clone()).boxed().shared();
                tokio::spawn(attempt.clone());
                *latest = Some((Instant::now(), attempt.clone()));
                attempt
            }
        }
    }

    /// Gives the connection up if it is the one of a call that began at `began`
    /// and got no answer. It may be dead without saying so, and only two
    /// minutes of silence would show that.
    pub(super) fn give_up(&self, began: Instant) {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.as_ref().is_some_and(|(since, attempt)| *since <= began && attempt.peek().is_some()) {
            *latest = None;
        }
    }
}

async fn attempt(target: FirestoreTarget) -> Result<FirestoreDb, Arc<anyhow::Error>> {
    let connected = timeout(CONNECT_LIMIT, connect(&target)).await;
    connected
        .unwrap_or_else(|_| Err(anyhow!("no connection within {CONNECT_LIMIT:?}")))
        .context("cannot connect to Firestore")
        .map_err(Arc::new)
}

async fn connect(target: &FirestoreTarget) -> anyhow::Result<FirestoreDb> {
    if let Some(host) = &target.emulator {
        let project = target.project.as_deref().unwrap_or(EMULATED_PROJECT);
        let options = FirestoreDbOptions::new(project.to_owned())
            .with_max_retries(0)
            .with_firebase_api_url(format!("http://{host}"));
        let nobody = anonymous::Builder::new().build();
        return Ok(FirestoreDb::with_options_auth(options, nobody).await?);
    }
    let key = key_file(target)?;
    let named = || key.as_ref()?.get("project_id")?.as_str().map(str::to_owned);
    let project = match target.project.clone().or_else(named) {
        Some(project) => project,
        None => GoogleEnvironment::detect_google_project_id().await.context(
            "GOOGLE_CLOUD_PROJECT is not set, and neither Google's credentials nor this machine name a project",
        )?,
    };
    let headers = match key {
        Some(key) => GoogleAuthHeaders::from_service_account_key(key, GCP_DEFAULT_SCOPES.clone()).await?,
        None => GoogleAuthHeaders::from_adc().await?,
    };
    // The calls have their own time limit and retries.
    let options =
        FirestoreDbOptions::new(project).with_max_retries(0).with_firebase_api_url(GOOGLE.to_owned());
    Ok(FirestoreDb::with_options_auth(options, headers).await?)
}

/// The service account's key when the file was named by the flag. Named by the
/// variable it may be of any kind, and Google's library finds it by itself.
fn key_file(target: &FirestoreTarget) -> anyhow::Result<Option<serde_json::Value>> {
    let Some(path) = &target.credentials else {
        return Ok(None);
    };
    if std::env::var_os(CREDENTIALS_VARIABLE).is_some_and(|value| value == *path) {
        return Ok(None);
    }
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let key = serde_json::from_slice(&text).with_context(|| format!("{} is no key file", path.display()))?;
    Ok(Some(key))
}
