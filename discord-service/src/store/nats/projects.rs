//! The projects of a guild's users: a document for each guild, `{"<user>": "<slug>"}`,
//! written only over the revision that was read. A key for each slug would be simpler to
//! claim. But then a change of project takes two writes, and a crash between them would
//! leave a slug that belongs to nobody.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};
use shared::{GuildId, UserId};

use super::super::{WRITE_ATTEMPTS, WriteOutcome, after_conflict};
use crate::kv::{Bucket, Entry};

/// A guild's document as it is stored, and the revision that a write must follow
/// (0: there is none yet).
struct Document {
    rows: Map<String, Value>,
    revision: u64,
}

/// The projects of the guild's users.
pub(super) async fn read(bucket: &Bucket, guild: GuildId) -> anyhow::Result<BTreeMap<UserId, String>> {
    Ok(readable(&read_document(bucket, guild).await?.rows))
}

/// Reads the guild's document, lets `edit` change it, and writes it unless
/// someone else wrote in between; then all of it again. `edit` returns what
/// the operation answers, and whether it changed anything.
pub(super) async fn edit<T>(
    bucket: &Bucket,
    guild: GuildId,
    mut edit: impl FnMut(&mut Map<String, Value>) -> (T, WriteOutcome) + Send,
) -> anyhow::Result<T> {
    for attempt in 0..WRITE_ATTEMPTS {
        let mut document = read_document(bucket, guild).await?;
        let (answer, change) = edit(&mut document.rows);
        if change == WriteOutcome::Unchanged || write_document(bucket, guild, &document).await? {
            return Ok(answer);
        }
        after_conflict(attempt).await;
    }
    bail!("others kept changing the projects of guild {guild}")
}

async fn read_document(bucket: &Bucket, guild: GuildId) -> anyhow::Result<Document> {
    let Entry { revision, value } = bucket.entry(&guild.to_string()).await?;
    let rows = match value {
        Some(value) => serde_json::from_slice(&value).context("cannot read the guild's document")?,
        None => Map::new(),
    };
    Ok(Document { rows, revision })
}

/// Writes the document unless it changed since it was read: then `false`.
async fn write_document(bucket: &Bucket, guild: GuildId, document: &Document) -> anyhow::Result<bool> {
    let value = serde_json::to_vec(&document.rows).context("cannot encode the guild's document")?;
    let written = bucket.replace(&guild.to_string(), value.into(), document.revision).await;
    written.context("cannot write the guild's document")
}

/// The rows that a user's id and a text can be read from.
pub(super) fn readable(rows: &Map<String, Value>) -> BTreeMap<UserId, String> {
    let row = |(user, slug): (&String, &Value)| Some((user.parse().ok()?, slug.as_str()?.to_owned()));
    rows.iter().filter_map(row).collect()
}
