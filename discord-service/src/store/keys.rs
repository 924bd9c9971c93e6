//! The bot's token and the operator's DSN: from the settings, or from where the
//! predecessor's operators keep them.

use std::time::Duration;

use secrecy::SecretString;
use shared::settings::{SettingsError, secret};

use super::{ApiKeys, FirestoreStore, Store as _};
use crate::settings::Settings;

/// How long to wait before the store is asked again for the token.
const RETRY: Duration = Duration::from_secs(2);

/// The secrets that the process starts with.
#[derive(Debug)]
pub struct Keys {
    /// The bot's token.
    pub discord_token: SecretString,
    /// The operator's own Sentry.
    pub sentry_dsn: Option<SecretString>,
}

/// `DISCORD_TOKEN` and `SENTRY_DSN`; what is not set is looked for in the store.
/// Waits for the store as long as the token can only come from there; for the
/// DSN alone it is asked once.
///
/// # Errors
/// [`SettingsError`] when there is no token, or a secret is set wrongly.
pub async fn keys(settings: &Settings) -> Result<Keys, SettingsError> {
    let token = secret("DISCORD_TOKEN", settings.discord_token_file.as_ref())?;
    let dsn = secret("SENTRY_DSN", settings.common.sentry_dsn_file.as_ref())?;
    let mode = settings.common.runtime_mode;
    // Only Firestore keeps keys.
    let store = settings.uses_firestore().then(|| FirestoreStore::new(settings));
    let kept = loop {
        let Some(store) = &store else { break ApiKeys::default() };
        if token.is_some() && dsn.is_some() {
            break ApiKeys::default();
        }
        match store.api_keys(mode).await {
            Ok(kept) => break kept,
            Err(error) if token.is_some() => {
                tracing::warn!(%error, "cannot look for the operator's DSN in the store; going on without");
                break ApiKeys::default();
            }
            Err(error) => {
                tracing::warn!(%error, "cannot get the bot's token from the store; trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    };
    let missing = || {
        let beside =
            if settings.uses_firestore() { ", and the store's keys/api has none for this mode" } else { "" };
        SettingsError(format!("DISCORD_TOKEN: not set{beside}"))
    };
    Ok(Keys {
        discord_token: token.or(kept.discord_token).ok_or_else(missing)?,
        sentry_dsn: dsn.or(kept.sentry_dsn),
    })
}
