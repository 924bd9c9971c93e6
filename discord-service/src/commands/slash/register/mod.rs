//! Registers the slash commands at Discord, where they stay.

use std::time::Duration;

use anyhow::Context as _;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use shared::{process::BadToken, shutdown::CancellationToken};

use super::tree::{self, CommandDefinition};
use crate::{
    commands::names::SlashId,
    discord::{Discord, DiscordError},
};

/// Pauses between tries: the first, doubled each time, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Registers the commands unless Discord has them already, and notes their id. Tries
/// until it is done or refused. Nothing waits for it: the commands of an earlier
/// version work until then. Any number of pods may do so at once.
///
/// # Errors
/// [`BadToken`] when Discord refuses the token.
pub async fn register(
    discord: &Discord,
    slash_id: &SlashId,
    stop: &CancellationToken,
) -> Result<(), BadToken> {
    let mut pause = FIRST_PAUSE;
    while let Some(attempt) = stop.run_until_cancelled(replace_if_different(discord, slash_id)).await {
        match attempt {
            Ok(done) => {
                tracing::info!("slash commands are {done}");
                return Ok(());
            }
            Err(DiscordError::BadToken(bad_token)) => return Err(bad_token),
            Err(error) => {
                metrics::counter!("sentry_bot_slash_registrations_failed_total").increment(1);
                if matches!(error, DiscordError::Refused { .. }) {
                    tracing::error!("cannot register the slash commands, Discord refuses them: {error}");
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

/// The application whose token this is.
#[derive(Deserialize)]
struct CurrentApplication {
    id: String,
}

async fn replace_if_different(discord: &Discord, slash_id: &SlashId) -> Result<&'static str, DiscordError> {
    let CurrentApplication { id } = discord.get("/applications/@me", "/applications/@me").await?;
    let id: u64 = id.parse().context("the application has no id").map_err(DiscordError::unavailable)?;
    let path = format!("/applications/{id}/commands");
    let wanted = tree::commands();
    let mut registered: Vec<Value> = discord.get(&path, &path).await?;
    let has_all = read(&registered).is_some_and(|registered| registered == wanted);
    if !has_all {
        registered = discord.send(Method::PUT, &path, &path, &wanted).await?;
    }
    if let Some(id) = id_in(&registered) {
        slash_id.learn(id);
    }
    Ok(if has_all { "registered already" } else { "registered now" })
}

/// What is registered; `None` when one of the commands has a form that this
/// build would not give it.
fn read(registered: &[Value]) -> Option<Vec<CommandDefinition>> {
    registered.iter().map(|command| CommandDefinition::deserialize(command).ok()).collect()
}

/// The id of `/sentry` in Discord's list of commands.
fn id_in(registered: &[Value]) -> Option<u64> {
    let sentry = registered.iter().find(|command| command["name"] == tree::NAME)?;
    sentry["id"].as_str()?.parse().ok()
}

#[cfg(test)]
mod tests;
