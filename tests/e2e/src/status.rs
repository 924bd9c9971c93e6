//! What `status` says about a channel.

use harness::wait::{SOON, wait_for};
use sandbox_discord::Message;
use serde_json::Value;

use crate::Stack;

impl Stack {
    /// `status` of the channel, asked in the office: its fields as lines.
    pub async fn status(&self, channel: u64) -> String {
        let reply = self.command(self.owner, &format!("!sentry status <#{channel}>")).await;
        fields(&reply)
    }

    /// The same with the slash command, whose answer needs no permission of the
    /// bot.
    pub async fn whispered_status(&self, channel: u64) -> String {
        fields(&self.slash("sentry status", channel).await)
    }

    /// Asks until the answer is as it should be. Refusals are written down every
    /// few seconds.
    pub async fn until_status(&self, channel: u64, holds: impl Fn(&str) -> bool) -> String {
        wait_for("the status says it", SOON, || async {
            let status = self.status(channel).await;
            holds(&status).then_some(status)
        })
        .await
    }
}

/// The fields of a status as lines.
fn fields(reply: &Message) -> String {
    let embed = reply.embeds().first().cloned().unwrap_or_default();
    assert_eq!(embed["title"], "***SENTRY STATUS***", "{}", reply.json);
    let fields = embed["fields"].as_array().expect("fields").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    fields.map(|field| format!("{} = {}\n", text(&field["name"]), text(&field["value"]))).collect()
}
