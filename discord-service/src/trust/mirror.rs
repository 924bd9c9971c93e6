//! The KV bucket [`wire::TRUST`]: for each channel what the store says.
//!
//! An entry is read before the store is, and written only over what was read.
//! The former entry came from the store before this read of it, and a write by
//! another pod in between makes this write fail. So a slow writer never puts an older
//! state over a newer one, and no counter is needed that a restored database would
//! set back.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, bail};
use async_nats::jetstream;
use futures::{StreamExt as _, stream};
use shared::{
    ChannelId,
    text::chain,
    trust::{ChannelTrust, VERSION},
    wire,
};
use tokio::time::{Instant, sleep, timeout};

use super::{TrustError, Trusts, edits};
use crate::{
    kv::{Bucket, Entry},
    store::{Store, WRITE_ATTEMPTS, after_conflict},
};

/// Failures before the log says so: at a first start the bucket is still to be made.
const SAID_AFTER: u32 = 3;
/// How often all is compared, beside the moments in which something is known to
/// have gone wrong.
const PERIOD: Duration = Duration::from_secs(10 * 60);
/// How often to check whether the bucket is still the same.
const CHECK_EVERY: Duration = Duration::from_secs(5);
/// How long one check or one channel may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Channels compared at once.
const AT_ONCE: usize = 8;

/// The mirror. Cheap to clone.
#[derive(Clone)]
pub(super) struct Mirror {
    store: Arc<dyn Store>,
    bucket: Bucket,
}

impl Mirror {
    pub(super) fn new(store: Arc<dyn Store>, js: &jetstream::Context) -> Self {
        Self { store, bucket: Bucket::new(js, wire::TRUST) }
    }

    /// Makes the channel's entry what the store says.
    pub(super) async fn follow(&self, channel: ChannelId) -> Result<(), TrustError> {
        for attempt in 0..WRITE_ATTEMPTS {
            let (mirrored, revision) = read(&self.bucket, channel).await?;
            let kept = self.store.trust_now(channel).await?.unwrap_or_default();
            let kept = ChannelTrust { v: VERSION, ..kept };
            if mirrored.as_ref() == Some(&kept) || write(&self.bucket, channel, &kept, revision).await? {
                return Ok(());
            }
            after_conflict(attempt).await;
        }
        Err(anyhow::anyhow!("others kept writing").into())
    }

    /// What tells this bucket from one that was made in its place.
    async fn identity(&self) -> anyhow::Result<i128> {
        timeout(LIMIT, self.bucket.identity()).await.context("no answer")?
    }
}

/// The entry as the stream's leader has it, and the revision that a write must
/// follow. An unreadable entry is written again.
async fn read(bucket: &Bucket, channel: ChannelId) -> anyhow::Result<(Option<ChannelTrust>, u64)> {
    let Entry { revision, value } = bucket.entry(&channel.to_string()).await?;
    Ok((value.and_then(|value| serde_json::from_slice(&value).ok()), revision))
}

async fn write(
    bucket: &Bucket,
    channel: ChannelId,
    trust: &ChannelTrust,
    revision: u64,
) -> anyhow::Result<bool> {
    let value = serde_json::to_vec(trust).context("cannot encode the entry")?;
    let written = bucket.replace(&channel.to_string(), value.into(), revision).await?;
    metrics::counter!("sentry_bot_trust_mirrored_total").increment(u64::from(written));
    Ok(written)
}

/// Compares for ever. A channel that the store does not know keeps its entry.
/// Records are never removed, so the store has lost this one, and the channel
/// must not become open by that.
pub(super) async fn reconcile(trusts: &Trusts) {
    let mut agreed: Option<(i128, Instant)> = None;
    let mut failures = 0;
    loop {
        match round(trusts, agreed).await {
            Ok(now) => (agreed, failures) = (Some(now), 0),
            Err(error) => {
                agreed = None;
                metrics::counter!("sentry_bot_trust_reconciliations_failed_total").increment(1);
                failures += 1;
                if failures == SAID_AFTER {
                    tracing::warn!("the ingress may not know yet what all channels trust: {}", chain(&error));
                }
            }
        }
        sleep(CHECK_EVERY).await;
    }
}

/// Compares if it is time to; since when this bucket agrees with the store.
async fn round(trusts: &Trusts, agreed: Option<(i128, Instant)>) -> anyhow::Result<(i128, Instant)> {
    let identity = trusts.mirror.identity().await?;
    if let Some((known, since)) = agreed
        && known == identity
        && since.elapsed() < PERIOD
    {
        return Ok((known, since));
    }
    let began = Instant::now();
    let channels = trusts.store.channels_with_trust().await?;
    let failed: Vec<anyhow::Error> = stream::iter(channels)
        .map(|channel| async move {
            let compared = timeout(LIMIT, compare(trusts, channel)).await.map_err(anyhow::Error::from);
            let compared = compared.and_then(|compared| Ok(compared?));
            compared.with_context(|| format!("channel {channel}")).err()
        })
        .buffer_unordered(AT_ONCE)
        .filter_map(|failed| async { failed })
        .collect()
        .await;
    let count = failed.len();
    if let Some(first) = failed.into_iter().next() {
        bail!("{count} channels could not be compared, such as this one: {first:#}");
    }
    Ok((identity, began))
}

async fn compare(trusts: &Trusts, channel: ChannelId) -> Result<(), TrustError> {
    let Some(kept) = trusts.store.trust_now(channel).await? else { return Ok(()) };
    if let Some(keys) = &trusts.keys {
        let mut resealed = kept.clone();
        edits::reseal(keys, channel, &mut resealed)?;
        // Who changes it in between mirrors it too.
        if resealed != kept && trusts.store.replace_trust(channel, Some(&kept), &resealed).await? {
            tracing::info!(channel.id = %channel, "client secrets are sealed under the first key now");
        }
    }
    trusts.mirror.follow(channel).await
}
