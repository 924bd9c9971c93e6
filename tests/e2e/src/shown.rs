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

/// What a title of the modern layout says before the issue's own.
const WHAT: [&str; 9] = [
    "New: ",
    "Resolved: ",
    "Archived: ",
    "Assigned: ",
    "Regression: ",
    "Back: ",
    "Reopened: ",
    "Comment: ",
    "Seer found a root cause: ",
];

/// The embeds of alerts in these messages, in their order, of either layout.
pub fn shown(messages: &[Message]) -> Vec<Shown> {
    let embeds = messages.iter().flat_map(|message| {
        message.embeds().iter().filter_map(|embed| {
            let (title, status) = match embed["title"] == "***SENTRY ALERT***" {
                true => {
                    let title = field(embed, "Title").expect("an alert has a title");
                    (title.trim_matches('`').to_owned(), field(embed, "Status (UTC)").map(str::to_owned))
                }
                false if is_modern(embed) => (issue_title(embed), modern_status(embed)),
                false => return None,
            };
            Some(Shown { title, count: count(embed), message: message.id, status })
        })
    });
    embeds.collect()
}

/// Whether it is an alert's in the modern layout.
pub fn is_modern(embed: &Value) -> bool {
    embed["author"]["name"].as_str().is_some_and(|author| author.starts_with("Sentry Alert"))
}

fn issue_title(embed: &Value) -> String {
    let title = plain(embed["title"].as_str().expect("an embed has a title"));
    let own = WHAT.iter().find_map(|what| title.strip_prefix(what)).map(str::to_owned);
    own.unwrap_or(title)
}

/// Its lines end in how long ago that was.
fn modern_status(embed: &Value) -> Option<String> {
    let lines = embed["description"].as_str().unwrap_or_default().lines();
    let said = lines.filter(|line| line.contains(" · <t:") && line.ends_with(":R>")).map(plain);
    Some(said.collect::<Vec<_>>().join("\n")).filter(|said| !said.is_empty())
}

/// What a reader sees of escaped text.
fn plain(escaped: &str) -> String {
    let mut text = String::new();
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
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
