//! A channel's documents: a key for each channel, in a bucket for each kind. It is
//! written only over the revision that was read.

use anyhow::Context as _;
use shared::ChannelId;

use super::super::channel_document::ChannelDocument;
use crate::kv::{Bucket, Entry};

/// What the key holds, and the revision that a write must follow (0: it was never
/// written).
pub(super) async fn read<D: ChannelDocument>(
    bucket: &Bucket,
    channel: ChannelId,
) -> anyhow::Result<(Option<D>, u64)> {
    let Entry { revision, value } = bucket.entry(&channel.to_string()).await?;
    // Empty: the mark of a key that somebody deleted by hand.
    let document = match value.filter(|value| !value.is_empty()) {
        Some(value) => {
            Some(serde_json::from_slice::<D>(&value).with_context(cannot::<D>("read"))?.understood()?)
        }
        None => None,
    };
    Ok((document, revision))
}

/// Writes it unless something else was written since the revision: then `false`.
pub(super) async fn write<D: ChannelDocument>(
    bucket: &Bucket,
    channel: ChannelId,
    document: &D,
    revision: u64,
) -> anyhow::Result<bool> {
    let value = serde_json::to_vec(document).with_context(cannot::<D>("encode"))?;
    bucket.replace(&channel.to_string(), value.into(), revision).await.with_context(cannot::<D>("write"))
}

fn cannot<D: ChannelDocument>(verb: &'static str) -> impl Fn() -> String {
    move || format!("cannot {verb} the channel's {}", D::COLLECTION)
}
