//! The stack trace behind a message's button: kept when the message is posted, and
//! shown to a person who presses the button, for three days. `shared::alert::MAX_FRAMES`
//! limits the frames.

mod text;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use async_nats::jetstream;
use serde::{Deserialize, Serialize};
use shared::{Alert, ChannelId, alert::Frame, text::chain, wire};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use crate::{kv::Bucket, render};

/// The version of what is kept. What another build wrote is not known.
const VERSION: u32 = 1;
/// How long a write may take: a user at NATS that lacks the right gets no answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What led to an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StackTrace {
    v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// The exceptions that led to the last one, the first raised first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    /// The newest call first.
    frames: Vec<Frame>,
}

impl StackTrace {
    /// That of an alert for which a message offers one.
    pub(crate) fn of(alert: &Alert) -> Option<Self> {
        if !render::offers_stack_trace(alert) {
            return None;
        }
        Some(Self {
            v: VERSION,
            title: alert.title.clone(),
            causes: alert.details.causes.clone(),
            frames: alert.frame.iter().chain(&alert.callers).cloned().collect(),
        })
    }

    /// As a message shows it: one code block of at most 2,000 characters.
    pub(crate) fn text(&self) -> String {
        text::block(self.title.as_deref(), &self.causes, &self.frames)
    }
}

/// The bucket [`wire::STACK_TRACES`]. Cheap to clone.
#[derive(Debug, Clone)]
pub struct StackTraces {
    bucket: Bucket,
    writes: TaskTracker,
    /// Whether the last write failed: what fails for one message fails for all.
    failing: Arc<AtomicBool>,
}

impl StackTraces {
    /// Over this connection. The bucket need not be there yet.
    pub fn new(js: &jetstream::Context) -> Self {
        Self {
            bucket: Bucket::new(js, wire::STACK_TRACES),
            writes: TaskTracker::new(),
            failing: Arc::default(),
        }
    }

    /// Keeps what the message offers to show. Nothing waits for it, and it may fail.
    pub(crate) fn keep(&self, channel: ChannelId, message: u64, trace: &StackTrace) {
        let (traces, value) = (self.clone(), serde_json::to_vec(trace));
        self.writes.spawn(async move {
            let write = async {
                let value = value.context("cannot encode a stack trace")?;
                traces.bucket.put(&key(channel, message), value.into()).await
            };
            let written = timeout(PATIENCE, write).await.context("NATS does not answer").flatten();
            traces.note(channel, message, written);
        });
    }

    fn note(&self, channel: ChannelId, message: u64, written: anyhow::Result<()>) {
        let Err(error) = written else { return self.failing.store(false, Ordering::Relaxed) };
        metrics::counter!("sentry_bot_stack_traces_failed_total").increment(1);
        if self.failing.swap(true, Ordering::Relaxed) {
            tracing::debug!(channel.id = %channel, message.id = message, "cannot keep a stack trace: {error:#}");
        } else {
            tracing::warn!(
                channel.id = %channel, message.id = message,
                "cannot keep stack traces, so buttons have nothing to show: {}", chain(&error)
            );
        }
    }

    /// The stack trace that this message offers, if it is still kept.
    pub(crate) async fn find(&self, channel: ChannelId, message: u64) -> anyhow::Result<Option<StackTrace>> {
        let value = self.bucket.get(&key(channel, message)).await?;
        let kept = value.and_then(|value| serde_json::from_slice::<StackTrace>(&value).ok());
        Ok(kept.filter(|trace| trace.v == VERSION))
    }

    /// Waits until all that was kept is written, or failed.
    pub async fn drain(&self) {
        self.writes.close();
        self.writes.wait().await;
    }
}

fn key(channel: ChannelId, message: u64) -> String {
    format!("{channel}.{message}")
}
