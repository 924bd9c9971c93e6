//! Slash commands about a channel, used in the office by the owner.

use std::time::Duration;

use harness::wait::{SOON, wait_for};
use sandbox_discord::{Invocation, Message};

use crate::Stack;

/// A member's budget of commands is full again after some seconds.
const LONG: Duration = Duration::from_secs(60);

impl Stack {
    /// Uses the command as soon as it is registered.
    pub async fn invoke(&self, command: &str, channel: u64, more: &[(&str, &str)]) -> Invocation {
        let channel = channel.to_string();
        let options = [&[("channel", channel.as_str())], more].concat();
        wait_for("the command is registered", SOON, || async {
            self.sandbox.slash(self.owner, self.office, command, &options).ok()
        })
        .await
    }

    /// The answer, which only the owner sees.
    pub async fn slash(&self, command: &str, channel: u64) -> Message {
        let used = self.invoke(command, channel, &[]).await;
        used.message(SOON).await.expect("a reply")
    }

    /// The answer to a command with these options. The bot takes only so many commands at
    /// once, and a store may be slow: then it is used again.
    pub async fn whisper(&self, command: &str, channel: u64, more: &[(&str, &str)]) -> Message {
        wait_for(&format!("a reply to {command}"), LONG, || async {
            let used = self.invoke(command, channel, more).await;
            let reply = used.message(SOON).await?;
            let again = ["Too many commands at once", "The store is unavailable"];
            (!again.iter().any(|words| reply.content().starts_with(words))).then_some(reply)
        })
        .await
    }

    /// Uses `/sentry channel secure` and returns the query with the token. The
    /// channel is secured a moment after the reply.
    pub async fn secure(&self, channel: u64) -> String {
        let reply = self.slash("sentry channel secure", channel).await;
        let (_, token) = reply.content().split_once("&token=").expect("a token");
        format!("&token={}", token.split_once('`').expect("in a code span").0)
    }

    /// Stores a client secret for the channel, in the modal that asks for it.
    pub async fn hand_in_secret(&self, channel: u64, secret: &str) {
        let asked = self.invoke("sentry channel secret", channel, &[]).await;
        asked.answer().await.expect("a modal");
        let handed = self.sandbox.submit_modal(&asked, &[("client-secret", secret)]);
        let reply = handed.expect("it has this input").message(SOON).await.expect("a reply");
        assert!(reply.content().starts_with("Stored the client secret"), "{}", reply.content());
    }
}
