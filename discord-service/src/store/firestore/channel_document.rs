//! A channel's documents: `channel-trust/<channel id>` and `channel-rules/<channel id>`.
//! Unlike the predecessor's documents a whole one is written.

use anyhow::Context as _;
use firestore::{
    FirestoreDb, FirestoreDocument, firestore_document_from_serializable, firestore_document_to_serializable,
};
use futures::TryStreamExt as _;
use shared::ChannelId;

use super::{
    super::channel_document::ChannelDocument, came_first, document, read as read_document, unchanged,
};

/// The document, for the write that follows, and what it says.
pub(super) async fn read<D: ChannelDocument>(
    db: &FirestoreDb,
    channel: ChannelId,
) -> anyhow::Result<(Option<D>, Option<FirestoreDocument>)> {
    let collection = D::COLLECTION;
    let Some(found) = read_document(db, collection, &channel.to_string()).await? else {
        return Ok((None, None));
    };
    let document: D = firestore_document_to_serializable(&found)
        .with_context(|| format!("cannot understand {collection}/{channel}"))?;
    Ok((Some(document.understood()?), Some(found)))
}

/// Writes it unless the document is no longer `found`: then `false`.
pub(super) async fn write<D: ChannelDocument>(
    db: &FirestoreDb,
    channel: ChannelId,
    latest: &D,
    found: Option<FirestoreDocument>,
) -> anyhow::Result<bool> {
    let collection = D::COLLECTION;
    let name = format!("{}/{collection}/{channel}", db.get_documents_path());
    let document = firestore_document_from_serializable(name, latest)?;
    let update = db.fluent().update().in_col(collection).precondition(unchanged(found)?).document(document);
    match update.execute().await {
        Ok(_) => Ok(true),
        Err(error) if came_first(&error) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot write {collection}/{channel}")),
    }
}

/// The channels that have such a document.
pub(super) async fn list<D: ChannelDocument>(db: &FirestoreDb) -> anyhow::Result<Vec<ChannelId>> {
    let collection = D::COLLECTION;
    let names = db.fluent().select().fields(["__name__"]).from(collection);
    let found: Vec<FirestoreDocument> = names
        .stream_query_with_errors()
        .await?
        .try_collect()
        .await
        .with_context(|| format!("cannot list {collection}"))?;
    Ok(found.iter().filter_map(document::id_of).collect())
}
