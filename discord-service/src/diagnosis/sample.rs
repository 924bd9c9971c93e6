//! A sample alert, sent through the queue like any other, and what became of it.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use async_nats::{HeaderMap, header::NATS_MESSAGE_ID, jetstream::publish::PublishAck};
use shared::{Alert, ChannelId, alert::Trust, trust::ChannelTrust, wire};

use super::{Diagnosis, WaitingSummary};
use crate::{
    dead_letters::{DeadLetter, LetterStream as _},
    kv::Bucket,
    leader_stream::LeaderStream,
    rules::{ChannelRules, Decision, decide},
};

/// How long a post is waited for: more than Discord's limits take for what
/// waits on an ordinary day.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the queue is looked at: at first, and from [`SOON`] on.
const LOOK_EVERY: Duration = Duration::from_millis(10);
const LOOK_LATER_EVERY: Duration = Duration::from_millis(200);
const SOON: Duration = Duration::from_secs(1);

/// What became of a sample alert.
#[derive(Debug)]
pub enum SampleOutcome {
    /// It is shown in Discord, after so long.
    Posted(Duration),
    /// A rule or a mute decided that it is not posted here.
    Sorted(Decision),
    /// It can never be posted.
    Dead(Box<DeadLetter>),
    /// It still waits after so long, among these; the channel may be blocked.
    Waits(Duration, WaitingSummary),
}

impl Diagnosis {
    /// Puts a sample alert for the channel into the queue and waits for its end.
    /// Whichever pod posts it: an alert leaves the stream only when its post or
    /// its dead letter is confirmed. `command` is the id of the message or
    /// interaction that asks: heard again after a crash, it sends no second one. `rules`
    /// are the channel's.
    ///
    /// # Errors
    /// When NATS is away, or the queue is full.
    pub async fn test(
        &self,
        channel: ChannelId,
        command: u64,
        rules: &ChannelRules,
    ) -> anyhow::Result<SampleOutcome> {
        let started = Instant::now();
        let last_dead = self.dead_letters.last().await?;
        let event_id = format!("{command:032x}");
        let sample = Alert { trust: self.vouch(channel).await, ..sample(channel, &event_id) };
        let decision = decide(rules, &sample, sample.received_ms);
        let before = self.decided(channel, decision).await?;
        let PublishAck { sequence, duplicate, .. } = self.publish(&sample, &event_id).await?;
        // Another pod sent it, and it may be dead for a while.
        let last_dead = if duplicate { 0 } else { last_dead };
        while started.elapsed() < PATIENCE {
            if !self.waits(sequence).await? {
                let took = started.elapsed();
                let dead = self.dead_letters.of_event(channel, &event_id, last_dead).await?;
                if let Some(letter) = dead {
                    return Ok(SampleOutcome::Dead(Box::new(letter)));
                }
                // The lane may know other rules, or a target may not take it.
                let is_sorted = duplicate || self.decided(channel, decision).await? > before;
                return Ok(match decision {
                    Decision::Keep { .. } => SampleOutcome::Posted(took),
                    _ if is_sorted => SampleOutcome::Sorted(decision),
                    _ => SampleOutcome::Posted(took),
                });
            }
            let pause = if started.elapsed() < SOON { LOOK_EVERY } else { LOOK_LATER_EVERY };
            tokio::time::sleep(pause).await;
        }
        Ok(SampleOutcome::Waits(started.elapsed(), self.waiting(channel).await?))
    }

    /// How many alerts were decided like this until now.
    async fn decided(&self, channel: ChannelId, decision: Decision) -> anyhow::Result<u64> {
        match decision {
            Decision::Keep { .. } => Ok(0),
            _ => Ok(self.rule_counts(channel).await?.of_decision(decision)),
        }
    }

    /// A key that the channel trusts, where it has one: a secured channel takes
    /// nothing without.
    async fn vouch(&self, channel: ChannelId) -> Trust {
        let found = async {
            let trust = Bucket::new(&self.js, wire::TRUST).get(&channel.to_string()).await.ok()??;
            let ChannelTrust { tokens, secrets, .. } = serde_json::from_slice(&trust).ok()?;
            let token = tokens.into_iter().next().map(|token| Trust::Token(token.id));
            token.or_else(|| secrets.into_iter().next().map(|secret| Trust::Signature(secret.id)))
        };
        found.await.unwrap_or_default()
    }

    async fn publish(&self, sample: &Alert, event_id: &str) -> anyhow::Result<PublishAck> {
        let mut headers = HeaderMap::new();
        headers.insert(NATS_MESSAGE_ID, format!("{}-test-{event_id}", sample.channel));
        let stored = self
            .js
            .publish_with_headers(wire::alert_subject(sample.channel), headers, sample.encode().into())
            .await
            .context("cannot send a sample alert")?;
        stored.await.context("cannot store a sample alert")
    }

    /// Whether the message is still in the queue, as its leader has it.
    async fn waits(&self, sequence: u64) -> anyhow::Result<bool> {
        let stream = LeaderStream::new(&self.js, wire::ALERTS).await?;
        Ok(stream.get(sequence).await.context("cannot look for the sample alert")?.is_some())
    }
}

/// An alert that no reader takes for a real one, and that is folded with no other.
fn sample(channel: ChannelId, id: &str) -> Alert {
    Alert {
        title: Some("Sample alert: nothing is broken".to_owned()),
        level: Some("info".to_owned()),
        culprit: Some("the command test".to_owned()),
        message: Some("Somebody tried whether alerts arrive in this channel. They do.".to_owned()),
        event_id: Some(id.to_owned()),
        issue_id: Some(format!("test-{id}")),
        ..Alert::new("error", "sample", channel, chrono::Utc::now().timestamp_millis())
    }
}
