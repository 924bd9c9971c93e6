//! The bot's token and the operator's DSN: from the settings, or from where the
//! predecessor's operators keep them.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use shared::{
    RuntimeMode,
    settings::{SettingsError, secret},
};

use super::{ApiKeys, Store};
use crate::settings::Settings;

/// How long to wait before the store is asked again for the token.
const RETRY: Duration = Duration::from_secs(1);

/// The secrets that the process starts with.
#[derive(Debug, Clone)]
pub struct Keys {
    /// The bot's token.
    pub discord_token: SecretString,
    /// The operator's own Sentry.
    pub sentry_dsn: Option<SecretString>,
}

/// What of them is set: `DISCORD_TOKEN` and `SENTRY_DSN`.
///
/// # Errors
/// [`SettingsError`] when one is set twice, its file cannot be read, or it is no token.
pub fn given_keys(settings: &Settings) -> Result<ApiKeys, SettingsError> {
    let discord_token = secret("DISCORD_TOKEN", settings.discord_token_file.as_ref())?;
    if discord_token
        .as_ref()
        .is_some_and(|token| !token.expose_secret().bytes().all(|b| b.is_ascii_graphic()))
    {
        return Err(SettingsError(
            "DISCORD_TOKEN: a token has no spaces, line breaks or characters beyond ASCII".to_owned(),
        ));
    }
    Ok(ApiKeys { discord_token, sentry_dsn: secret("SENTRY_DSN", settings.common.sentry_dsn_file.as_ref())? })
}

/// Completes what is set with what the store holds, where it keeps keys. Waits for the store as long
/// as the token can only come from there; for the DSN alone it is asked once.
///
/// # Errors
/// [`SettingsError`] when there is no token.
pub async fn keys(
    given: ApiKeys,
    mode: RuntimeMode,
    store: Option<&dyn Store>,
) -> Result<Keys, SettingsError> {
    let kept = loop {
        let Some(store) = store else { break ApiKeys::default() };
        if given.discord_token.is_some() && given.sentry_dsn.is_some() {
            break ApiKeys::default();
        }
        match store.api_keys(mode).await {
            Ok(kept) => break kept,
            Err(error) if given.discord_token.is_some() => {
                tracing::warn!(%error, "cannot look for the operator's DSN in the store; going on without");
                break ApiKeys::default();
            }
            Err(error) => {
                tracing::warn!(%error, "cannot get the bot's token from the store; trying again");
                tokio::time::sleep(RETRY).await;
            }
        }
    };
    let missing = "DISCORD_TOKEN: set it, or with STORE=firestore keep it in the document keys/api";
    Ok(Keys {
        discord_token: given
            .discord_token
            .or(kept.discord_token)
            .ok_or_else(|| SettingsError(missing.to_owned()))?,
        sentry_dsn: given.sentry_dsn.or(kept.sentry_dsn),
    })
}
