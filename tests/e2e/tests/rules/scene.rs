//! Rules and mutes, made with the bot's own commands.

use std::time::Duration;

use e2e::{Builder, Stack};
use harness::wait::wait_for;
use sandbox_discord::{Config, Limit, Message};
use serde_json::Value;
use shared::Alert;

/// For what waits for a dead pod's leases, or for a backlog.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// The endpoint of posts.
pub(crate) const POST: &str = "POST /channels/{channel_id}/messages";

/// Discord with faster windows than its own.
pub(crate) fn builder() -> Builder {
    let sandbox = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(5, Duration::from_millis(250));
    });
    Stack::builder().sandbox(sandbox)
}

/// Adds a rule to a channel's, and returns what the bot says of it.
pub(crate) async fn rule(stack: &Stack, home: u64, options: &[(&str, &str)]) -> String {
    let said = stack.whisper("sentry rule add", home, options).await.content().to_owned();
    assert!(said.starts_with("Rule "), "{options:?}: {said}");
    said
}

/// Adds a rule that routes to this channel.
pub(crate) async fn route(stack: &Stack, home: u64, target: u64, conditions: &[(&str, &str)]) -> String {
    let target = target.to_string();
    rule(stack, home, &[&[("action", "route"), ("to", target.as_str())], conditions].concat()).await
}

/// Mutes alerts of a channel, and returns the answer with its button.
pub(crate) async fn mute(stack: &Stack, home: u64, options: &[(&str, &str)]) -> Message {
    let answer = stack.whisper("sentry mute", home, options).await;
    assert!(answer.content().starts_with("Mute "), "{options:?}: {}", answer.content());
    answer
}

/// What `rule list` counts for each rule, then for each mute.
pub(crate) async fn hits(stack: &Stack, home: u64) -> Vec<u64> {
    let list = stack.whisper("sentry rule list", home, &[]).await;
    let fields = list.embeds()[0]["fields"].as_array().cloned().unwrap_or_default();
    let values = fields.iter().filter_map(|field| field["value"].as_str());
    let counts = values.flat_map(str::lines).map(|line| {
        let (_, hits) = line.rsplit_once(" · ").expect("a line ends in its hits");
        hits.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0)
    });
    counts.collect()
}

/// An alert of this project, of an issue of its own.
pub(crate) fn alert_of(channel: u64, project: &str, title: &str) -> Alert {
    Alert { project: project.to_owned(), ..e2e::alert(channel, title) }
}

/// The titles shown in a channel, in their order.
pub(crate) fn titles(stack: &Stack, channel: u64) -> Vec<String> {
    stack.shown(channel).into_iter().map(|shown| shown.title).collect()
}

/// Waits until this many alerts are shown, and returns their titles.
pub(crate) async fn until_titles(stack: &Stack, channel: u64, alerts: u64) -> Vec<String> {
    stack.until_shown(channel, alerts, LONG).await.into_iter().map(|shown| shown.title).collect()
}

/// The bot's messages of a channel that say this, in content or embeds.
pub(crate) fn saying(stack: &Stack, channel: u64, words: &str) -> Vec<Message> {
    let messages = stack.sandbox.messages(channel).into_iter();
    messages.filter(|message| visible(message).contains(words)).collect()
}

/// Content and embeds.
fn visible(message: &Message) -> String {
    format!("{}\n{}", message.content(), Value::from(message.embeds().to_vec()))
}

/// Waits until a message of the channel says this.
pub(crate) async fn until_said(stack: &Stack, channel: u64, words: &str) -> Message {
    wait_for(&format!("somebody says {words:?}"), LONG, || async {
        saying(stack, channel, words).into_iter().next()
    })
    .await
}
