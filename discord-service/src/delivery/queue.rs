//! Reads, lists and removes the waiting alerts in the stream `ALERTS`.
//!
//! There is no JetStream consumer. With one for each partition, a slow channel
//! would block the others behind `max_ack_pending`. With one for each channel,
//! NATS ends at about a thousand. So a lane reads its own subject directly, and
//! removes alerts that are done.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context as _, ensure};
use async_nats::{
    HeaderMap,
    connection::State,
    header::NATS_MESSAGE_ID,
    jetstream::{self, ErrorCode, context::PublishError, response::Response, stream::DirectGetErrorKind},
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;
use shared::{clock, wire};
use tokio::time::sleep;

use super::ports::{AlertStream, Copy, SubjectState};
use crate::{
    direct_get::{self, Batch, BatchRequest, StoredMessage},
    leader_stream::LeaderStream,
};

/// How many single reads are under way at once.
const IN_FLIGHT: usize = 64;

/// How often to check the connection while there is none.
const RECONNECTED: Duration = Duration::from_millis(100);

/// What waits in the stream, of all partitions.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The subjects with waiting messages, and how many.
    pub(crate) subjects: Vec<(String, usize)>,
    /// How long the first message has been in the stream; zero for an empty one.
    pub(crate) oldest_age: Duration,
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

    async fn leader(&self) -> anyhow::Result<LeaderStream> {
        LeaderStream::new(&self.js, wire::ALERTS).await
    }

    async fn get_from_leader(&self, sequence: u64) -> anyhow::Result<Option<StoredMessage>> {
        let found = self.leader().await?.get(sequence).await.context("cannot look for an alert")?;
        Ok(found.map(StoredMessage::from))
    }
}

#[async_trait]
impl AlertStream for DeliveryQueue {
    async fn back_after(&self, wait: Duration) {
        sleep(wait).await;
        while self.js.client().connection_state() != State::Connected {
            sleep(RECONNECTED).await;
        }
    }

    async fn state(&self, subject: &str) -> anyhow::Result<SubjectState> {
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

    async fn read(&self, subject: &str, from: u64, most: usize) -> anyhow::Result<Batch> {
        let alerts = BatchRequest { stream: wire::ALERTS, subject, from, most };
        direct_get::read(&self.js, alerts).await
    }

    async fn get(&self, sequences: Vec<u64>) -> anyhow::Result<Vec<StoredMessage>> {
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

    async fn still_waits(&self, sequence: u64) -> anyhow::Result<bool> {
        Ok(self.get_from_leader(sequence).await?.is_some())
    }

    async fn first(&self, subject: &str, from: u64) -> anyhow::Result<Option<StoredMessage>> {
        let found = self.leader().await?.first(subject, from).await.context("cannot look for an alert")?;
        Ok(found.map(StoredMessage::from))
    }

    async fn purge(&self, subject: &str, below: u64) -> anyhow::Result<()> {
        let stream = self.js.get_stream_no_info(wire::ALERTS).await.context("cannot find the stream")?;
        let purged =
            stream.purge().filter(subject).sequence(below).await.context("cannot remove what is done")?;
        ensure!(purged.success, "JetStream did not remove what is done");
        Ok(())
    }

    async fn delete(&self, sequence: u64) -> anyhow::Result<()> {
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
            Response::Err { error } if self.still_waits(sequence).await? => {
                return Err(error).context("cannot remove what is done");
            }
            Response::Err { .. } => {}
        }
        Ok(())
    }

    async fn publish(&self, copies: Vec<Copy>) -> anyhow::Result<Vec<bool>> {
        let mut acknowledgements = Vec::with_capacity(copies.len());
        for Copy { id, alert } in copies {
            let mut headers = HeaderMap::new();
            headers.insert(NATS_MESSAGE_ID, id);
            if let Some(trace) = &alert.trace {
                trace.write(&mut headers);
            }
            let subject = wire::alert_subject(alert.channel);
            let sent = self.js.publish_with_headers(subject, headers, alert.encode().into()).await;
            acknowledgements.push(sent.context("cannot send a routed alert")?);
        }
        let mut stored = Vec::with_capacity(acknowledgements.len());
        for acknowledgement in acknowledgements {
            stored.push(match acknowledgement.await {
                Ok(_) => true,
                Err(error) if is_full(&error) => false,
                Err(error) => return Err(error).context("cannot store a routed alert"),
            });
        }
        Ok(stored)
    }
}

/// Whether the stream has no room: as many wait in the channel as may, or in all.
fn is_full(error: &PublishError) -> bool {
    let refusal =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<jetstream::Error>());
    refusal.is_some_and(|refusal| refusal.error_code() == ErrorCode::STREAM_STORE_FAILED)
}
