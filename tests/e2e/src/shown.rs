//! Reading alerts off the messages as a person would.

use sandbox_discord::Message;
use serde_json::Value;

/// One embed of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its title field, without the code marks.
    pub title: String,
    /// How many alerts it shows: its `×N`, else 1.
    pub count: u64,
    /// The message that has it.
    pub message: u64,
    /// What happened to its issue since, each on a line.
    pub status: Option<String>,
}

impl Shown {
    /// When Discord made the message, in milliseconds since 1970: its id says so.
    pub const fn posted_ms(&self) -> u64 {
        (self.message >> 22) + 1_420_070_400_000
    }
}

/// The embeds of alerts in these messages, in their order.
pub fn shown(messages: &[Message]) -> Vec<Shown> {
    let embeds = messages.iter().flat_map(|message| {
        let alerts = message.embeds().iter().filter(|embed| embed["title"] == "***SENTRY ALERT***");
        alerts.map(|embed| Shown {
            title: field(embed, "Title").expect("an alert has a title").trim_matches('`').to_owned(),
            count: count(embed),
            message: message.id,
            status: field(embed, "Status (UTC)").map(str::to_owned),
        })
    });
    embeds.collect()
}

fn field<'a>(embed: &'a Value, name: &str) -> Option<&'a str> {
    let fields = embed["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
    fields.iter().find(|field| field["name"] == name)?["value"].as_str()
}

fn count(embed: &Value) -> u64 {
    let text = embed.to_string();
    let Some((_, after)) = text.split_once('×') else { return 1 };
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("× is followed by a number")
}
