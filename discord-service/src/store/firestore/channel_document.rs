//! What channels trust: `channel-trust/<channel id>`, a document of its own per
//! channel, so that no channel's change meets another's. Unlike the predecessor's
//! documents a whole one is written, and one that cannot be understood is an
//! error: to overlook it would open the channel.

use anyhow::Context as _;
use firestore::{
    FirestoreDb, FirestoreDocument, firestore_document_from_serializable, firestore_document_to_serializable,
};
use futures::TryStreamExt as _;
use shared::{ChannelId, trust::ChannelTrust};

use super::{super::understood, came_first, document, read as read_document, unchanged};

const TRUST: &str = "channel-trust";

/// The document, for the write that follows, and what it says.
pub(super) async fn read(
    db: &FirestoreDb,
    channel: ChannelId,
) -> anyhow::Result<(Option<ChannelTrust>, Option<FirestoreDocument>)> {
    let Some(found) = read_document(db, TRUST, &channel.to_string()).await? else {
        return Ok((None, None));
    };
    let trust = firestore_document_to_serializable(&found)
        .with_context(|| format!("cannot understand {TRUST}/{channel}"))?;
    Ok((Some(understood(trust)?), Some(found)))
}

/// Writes it unless the document is no longer `found`: then `false`.
pub(super) async fn write(
    db: &FirestoreDb,
    channel: ChannelId,
    trust: &ChannelTrust,
    found: Option<FirestoreDocument>,
) -> anyhow::Result<bool> {
    let name = format!("{}/{TRUST}/{channel}", db.get_documents_path());
    let document = firestore_document_from_serializable(name, trust)?;
    let update = db.fluent().update().in_col(TRUST).precondition(unchanged(found)?).document(document);
    match update.execute().await {
        Ok(_) => Ok(true),
        Err(error) if came_first(&error) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot write {TRUST}/{channel}")),
    }
}

/// The channels that have a document.
pub(super) async fn list(db: &FirestoreDb) -> anyhow::Result<Vec<ChannelId>> {
    let names = db.fluent().select().fields(["__name__"]).from(TRUST);
    let found: Vec<FirestoreDocument> =
        names.stream_query_with_errors().await?.try_collect().await.context("cannot list the trusts")?;
    Ok(found.iter().filter_map(document::id_of).collect())
}
