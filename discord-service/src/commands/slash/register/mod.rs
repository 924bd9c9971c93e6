//! Registers the slash commands at Discord, where they stay.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use shared::{process::BadToken, shutdown::CancellationToken};

use super::tree::{self, Definition};
use crate::discord::{Discord, DiscordError};

/// Pauses between tries: the first, doubled each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Registers the commands unless Discord has them already, trying until it is
/// done or refused. Nothing waits for it: the commands of an earlier version
/// work until then. Any number of pods may do so at once; each looks once.
///
/// # Errors
/// [`BadToken`] when Discord refuses the token.
pub async fn register(discord: &Discord, stop: &CancellationToken) -> Result<(), BadToken> {
    let mut pause = FIRST_PAUSE;
    while let Some(attempt) = stop.run_until_cancelled(replace_if_different(discord)).await {
        match attempt {
            Ok(done) => {
                tracing::info!("slash commands are {done}");
                return Ok(());
            }
            Err(DiscordError::BadToken(bad_token)) => return Err(bad_token),
            Err(error) => {
                metrics::counter!("sentry_bot_slash_registrations_failed_total").increment(1);
                if matches!(error, DiscordError::Refused { .. }) {
                    tracing::error!("Discord does not take the slash commands: {error}");
                    return Ok(());
                }
                tracing::warn!("cannot register the slash commands yet: {error}");
            }
        }
        stop.run_until_cancelled(tokio::time::sleep(pause)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(())
}

async fn replace_if_different(discord: &Discord) -> Result<&'static str, DiscordError> {
    #[derive(Deserialize)]
    struct CurrentApplication {
        id: String,
    }
    let CurrentApplication { id } = discord.get("/applications/@me", "/applications/@me").await?;
    let id: u64 = id.parse().context("the application has no id").map_err(DiscordError::unavailable)?;
    let path = format!("/applications/{id}/commands");
    let wanted = tree::commands();
    if read(discord.get(&path, &path).await?).is_some_and(|registered| registered == wanted) {
        return Ok("registered already");
    }
    discord.send::<_, Value>(Method::PUT, &path, &path, &wanted).await?;
    Ok("registered now")
}

/// What is registered; `None` when one of the commands has a form that this
/// build would not give it.
fn read(registered: Vec<Value>) -> Option<Vec<Definition>> {
    registered.into_iter().map(|command| serde_json::from_value(command).ok()).collect()
}

#[cfg(test)]
mod tests;
