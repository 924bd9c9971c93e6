//! Answers to interactions. The interaction's token stands in for the bot's, and
//! nothing of it counts towards the global limit.

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::{Discord, DiscordError};

/// The flag of an answer that was promised: the client shows "thinking".
const LOADING: u64 = 1 << 7;

impl Discord {
    /// Gives the first answer (the JSON body of Create Interaction Response).
    pub async fn answer_interaction(
        &self,
        interaction: u64,
        token: &str,
        body: &Value,
    ) -> Result<(), DiscordError> {
        let path = format!("/interactions/{interaction}/{token}/callback");
        let route = format!("/interactions/{interaction}/{{token}}/callback");
        self.request(Method::POST, &path, &route, Some(body)).await.map(|_| ())
    }

    /// Changes the first answer (the JSON body of Edit Webhook Message).
    pub async fn edit_answer(
        &self,
        application: u64,
        interaction: u64,
        token: &str,
        body: &Value,
    ) -> Result<(), DiscordError> {
        let (path, route) = first_answer(application, interaction, token);
        self.request(Method::PATCH, &path, &route, Some(body)).await.map(|_| ())
    }

    /// Whether an answer was promised and is still waited for.
    pub async fn is_answer_awaited(
        &self,
        application: u64,
        interaction: u64,
        token: &str,
    ) -> Result<bool, DiscordError> {
        #[derive(Deserialize)]
        struct OriginalResponse {
            #[serde(default)]
            flags: u64,
        }
        let (path, route) = first_answer(application, interaction, token);
        let OriginalResponse { flags } = self.get(&path, &route).await?;
        Ok(flags & LOADING != 0)
    }
}

/// Its path, and the route by which its limit is split: by the token, which
/// belongs to this interaction.
fn first_answer(application: u64, interaction: u64, token: &str) -> (String, String) {
    (
        format!("/webhooks/{application}/{token}/messages/@original"),
        format!("/webhooks/{interaction}/{{token}}/messages/@original"),
    )
}
