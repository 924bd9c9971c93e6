//! Reads, lists and removes the waiting alerts in the stream `ALERTS`.
//!
//! There is no JetStream consumer. With one for each partition, a slow channel
//! would block the others behind `max_ack_pending`. With one for each channel,
//! NATS ends at about a thousand. So a lane reads its own subject directly, and
//! removes alerts that are done.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use async_nats::{
    connection::State,
    jetstream::{
        self,
        response::Response,
        stream::{DirectGetErrorKind, RawMessageErrorKind},
    },
};
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use shared::{clock, wire};
use tokio::time::sleep;

use crate::direct_get::{self, Batch, StoredMessage};

/// How many single reads are under way at once.
const IN_FLIGHT: usize = 64;

/// How often to check the connection while there is none.
const RECONNECTED: Duration = Duration::from_millis(100);

/// How to remove messages of one subject.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Removal {
    /// First remove all below this, with one purge.
    pub(super) below: Option<u64>,
    /// Then remove each of these.
    pub(super) single: Vec<u64>,
}

impl Removal {
    /// `kept_from` is the lowest sequence of the subject that must stay, if any does.
    pub(super) fn of(sequences: &BTreeSet<u64>, kept_from: Option<u64>) -> Self {
        let (Some(first), Some(last)) = (sequences.first(), sequences.last()) else {
            return Self { below: None, single: Vec::new() };
        };
        let below = kept_from.map_or(last + 1, |kept| kept.min(last + 1));
        Self { below: (*first < below).then_some(below), single: sequences.range(below..).copied().collect() }
    }
}

/// What waits in the stream, in all partitions.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The subjects with waiting messages, and how many.
    pub(crate) subjects: Vec<(String, usize)>,
    /// How long the first message has been in the stream; zero for an empty one.
    pub(crate) oldest_age: Duration,
}

/// What the stream's leader says about one subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubjectState {
    /// When the stream was made, as JetStream writes it. Another time means
    /// another stream, in which sequences repeat.
    pub(crate) stream: String,
    /// How many messages there are.
    pub(crate) messages: usize,
}

/// Access to the stream `ALERTS`. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryQueue {
    js: jetstream::Context,
}

impl DeliveryQueue {
    pub(crate) fn new(js: jetstream::Context) -> Self {
        Self { js }
    }

    /// Waits this long, and then until there is a connection. Without one,
    /// every try would run into its time limit.
    pub(crate) async fn back_after(&self, wait: Duration) {
        sleep(wait).await;
        while self.js.client().connection_state() != State::Connected {
            sleep(RECONNECTED).await;
        }
    }

    /// All that waits.
    pub(crate) async fn list(&self) -> anyhow::Result<Listing> {
        let stream = self.js.get_stream_no_info(wire::ALERTS).await.context("cannot find the stream")?;
        let counts =
            stream.info_with_subjects(wire::ALERTS_SUBJECTS).await.context("cannot list what waits")?;
        let state = &counts.info.state;
        let age = std::time::SystemTime::now().duration_since(state.first_timestamp.into());
        let oldest_age = if state.messages > 0 { age.unwrap_or_default() } else { Duration::ZERO };
        let subjects = counts.try_collect().await.context("cannot list what waits")?;
        Ok(Listing { subjects, oldest_age })
    }

    /// How many messages the subject has, and in which stream, as its leader has it.
    pub(crate) async fn state(&self, subject: &str) -> anyhow::Result<SubjectState> {
        #[derive(serde::Deserialize)]
        struct StreamInfo {
            created: String,
            /// The time on NATS's clock.
            ts: Option<DateTime<Utc>>,
            state: Subjects,
        }
        #[derive(serde::Deserialize)]
        struct Subjects {
            // Absent if there are none.
            #[serde(default)]
            subjects: HashMap<String, usize>,
        }
        let question = json!({ "subjects_filter": subject });
        let answer: Response<StreamInfo> = self
            .js
            .request(format!("STREAM.INFO.{}", wire::ALERTS), &question)
            .await
            .context("cannot count what waits")?;
        match answer {
            Response::Ok(StreamInfo { created, ts, state }) => {
                if let Some(ts) = ts {
                    clock::heard(ts.timestamp_millis());
                }
                Ok(SubjectState { stream: created, messages: state.subjects.values().sum() })
            }
            Response::Err { error } => Err(error).context("cannot count what waits"),
        }
    }

    /// The next messages of the subject from this sequence on, in order. There
    /// are at most `most`, and perhaps fewer than the stream has.
    pub(crate) async fn read(&self, subject: &str, from: u64, most: usize) -> anyhow::Result<Batch> {
        direct_get::read(&self.js, wire::ALERTS, subject, from, most).await
    }

    /// The messages with these sequences that are still there.
    pub(crate) async fn get(&self, sequences: Vec<u64>) -> anyhow::Result<Vec<StoredMessage>> {
        let stream = self.js.get_stream_no_info(wire::ALERTS).await.context("cannot find the stream")?;
        let stream = &stream;
        let gets = sequences.into_iter().map(|sequence| async move {
            match stream.direct_get(sequence).await {
                Ok(message) => Ok(Some(StoredMessage::new(sequence, &message.headers, message.payload))),
                // A replica that lags does not have it yet, but the leader
                // does.
                Err(error) if error.kind() == DirectGetErrorKind::NotFound => {
                    self.get_from_leader(sequence).await
                }
                Err(error) => Err(error).context("cannot read an alert"),
            }
        });
        let found: anyhow::Result<Vec<_>> = stream::iter(gets).buffered(IN_FLIGHT).try_collect().await;
        Ok(found?.into_iter().flatten().collect())
    }

    /// Whether the message is still in the stream, for certain. The leader
    /// answers, because a replica may lag.
    pub(crate) async fn stands(&self, sequence: u64) -> anyhow::Result<bool> {
        Ok(self.get_from_leader(sequence).await?.is_some())
    }

    async fn get_from_leader(&self, sequence: u64) -> anyhow::Result<Option<StoredMessage>> {
        let stream = self.js.get_stream_no_info(wire::ALERTS).await.context("cannot find the stream")?;
        match stream.get_raw_message(sequence).await {
            Ok(message) => Ok(Some(StoredMessage::new(sequence, &message.headers, message.payload))),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(error).context("cannot look for an alert"),
        }
    }

    /// The subject's first message from this sequence on, as the stream's leader has it.
    pub(crate) async fn first(&self, subject: &str, from: u64) -> anyhow::Result<Option<StoredMessage>> {
        let stream = self.js.get_stream_no_info(wire::ALERTS).await.context("cannot find the stream")?;
        match stream.get_first_raw_message_by_subject(subject, from).await {
            Ok(message) => Ok(Some(StoredMessage::new(message.sequence, &message.headers, message.payload))),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(error).context("cannot look for an alert"),
        }
    }

    /// Removes all messages of the subject below this sequence.
    pub(crate) async fn purge(&self, subject: &str, below: u64) -> anyhow::Result<()> {
        let stream = self.js.get_stream_no_info(wire::ALERTS).await.context("cannot find the stream")?;
        let purged =
            stream.purge().filter(subject).sequence(below).await.context("cannot remove what is done")?;
        ensure!(purged.success, "JetStream did not remove what is done");
        Ok(())
    }

    /// Removes one message, which may be gone already.
    pub(crate) async fn delete(&self, sequence: u64) -> anyhow::Result<()> {
        #[derive(serde::Deserialize)]
        struct Deleted {
            success: bool,
        }
        // `Stream::delete_message` overwrites the message with noise on disk,
        // which costs a rewrite of its block.
        let question = json!({"seq": sequence, "no_erase": true});
        let answer: Response<Deleted> = self
            .js
            .request(format!("STREAM.MSG.DELETE.{}", wire::ALERTS), &question)
            .await
            .context("cannot remove what is done")?;
        match answer {
            Response::Ok(deleted) => ensure!(deleted.success, "JetStream did not remove what is done"),
            // A predecessor may have removed it already. The error's code
            // depends on the server's version, so it proves nothing.
            Response::Err { error } if self.stands(sequence).await? => {
                return Err(error).context("cannot remove what is done");
            }
            Response::Err { .. } => {}
        }
        Ok(())
    }
}
