//! What channels trust beyond a source address: tokens and client secrets. How
//! that changes, which alerts it lets through, and its mirror for the ingress.
//!
//! The store is the truth. Every change is one compare-and-set there, so that
//! two admins on two pods do not undo each other's work. It reaches the mirror
//! before a reply confirms it.

mod edits;
mod judgement;
mod mirror;
mod token;

use std::{sync::Arc, time::Duration};

use async_nats::jetstream;
use shared::{
    ChannelId,
    shutdown::CancellationToken,
    trust::{ChannelTrust, ClientSecret, SealError, SecretsKeys, VERSION},
};
use tokio::time::timeout;

pub use self::edits::Secured;
use self::mirror::Mirror;
pub(crate) use self::{
    edits::MAX_SECRETS,
    judgement::{Admission, Distrust, JudgingKeys},
};
use crate::store::{Store, StoreError, WRITE_ATTEMPTS, WriteOutcome, after_conflict};

/// How long a change may take to reach the mirror: somebody waits for the reply.
const MIRRORED: Duration = Duration::from_secs(5);

/// What channels trust. Cheap to clone.
#[derive(Clone)]
pub struct Trusts {
    store: Arc<dyn Store>,
    mirror: Mirror,
    keys: Option<SecretsKeys>,
}

/// What channels trust could not be read or changed now. A change may have been
/// made all the same: making it again does no harm.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The store is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// NATS, which holds the mirror, is away; or others changed it all the time.
    #[error("cannot mirror what the channel trusts: {0:#}")]
    Mirror(#[from] anyhow::Error),
    /// There is no `SECRETS_KEY`, or OpenSSL failed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// The outcome of handing a client secret over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretOutcome {
    /// It is kept from now on.
    Now,
    /// It was kept already.
    Already,
    /// There are as many others as a channel can have.
    Full,
}

impl Trusts {
    /// Keeps trust in `store` and mirrors it to NATS. Without `keys` client
    /// secrets can be neither stored nor sealed again.
    pub fn new(store: Arc<dyn Store>, js: &jetstream::Context, keys: Option<SecretsKeys>) -> Self {
        let mirror = Mirror::new(store.clone(), js);
        Self { store, mirror, keys }
    }

    /// Until `stop`: makes the mirror agree with the store, at the start, after the
    /// mirror was lost, and now and then. Seals again what another key than the first
    /// of `SECRETS_KEY` sealed.
    pub async fn reconcile(self, stop: CancellationToken) {
        stop.run_until_cancelled(mirror::reconcile(&self)).await;
    }

    /// Whether client secrets can be sealed.
    pub const fn can_seal(&self) -> bool {
        self.keys.is_some()
    }

    /// The ids of the channel's client secrets, oldest first.
    ///
    /// # Errors
    /// [`TrustError`] when it cannot be done now.
    pub async fn secrets(&self, channel: ChannelId) -> Result<Vec<String>, TrustError> {
        Ok(edits::secret_ids(&self.store.trust_now(channel).await?.unwrap_or_default()))
    }

    /// Whether the channel refuses URLs without its token.
    ///
    /// # Errors
    /// [`TrustError`] when it cannot be said now.
    pub async fn is_secured(&self, channel: ChannelId) -> Result<bool, TrustError> {
        Ok(self.store.trust_now(channel).await?.is_some_and(|trust| trust.secured))
    }

    /// From now on the channel demands this token, which replaces an earlier one, or
    /// a signature. Show the token to its user before.
    ///
    /// # Errors
    /// [`TrustError`] when it cannot be done now.
    pub async fn secure(&self, channel: ChannelId, secured: &Secured) -> Result<(), TrustError> {
        // Where its keys were lost, what came without any since then is as little trusted.
        let noted = self.store.secured_since(channel).await?;
        let since_ms = noted.unwrap_or_else(|| chrono::Utc::now().timestamp_millis());
        self.change(channel, |trust| edits::secure(trust, &secured.key, since_ms)).await
    }

    /// From now on the channel takes everything again. Its token stays valid, so
    /// that URLs with it go on working.
    ///
    /// # Errors
    /// [`TrustError`] when it cannot be done now.
    pub async fn open(&self, channel: ChannelId) -> Result<WriteOutcome, TrustError> {
        let change = self.change(channel, edits::open).await?;
        if change == WriteOutcome::Unchanged {
            self.store.note_open(channel).await?;
        }
        Ok(change)
    }

    /// Keeps a client secret for the channel, sealed; also says which it has then.
    ///
    /// # Errors
    /// [`TrustError`] when it cannot be done now.
    pub async fn add_secret(
        &self,
        channel: ChannelId,
        secret: &ClientSecret,
    ) -> Result<(SecretOutcome, Vec<String>), TrustError> {
        let keys = self.keys.as_ref().ok_or(SealError::Open)?;
        let key = edits::seal(keys, channel, secret)?;
        self.change(channel, |trust| {
            let stored = match edits::holds(keys, channel, trust, secret) {
                true => SecretOutcome::Already,
                false => edits::add_secret(trust, &key),
            };
            (stored, edits::secret_ids(trust))
        })
        .await
    }

    /// Forgets the client secret of this id; also says which the channel has then.
    ///
    /// # Errors
    /// [`TrustError`] when it cannot be done now.
    pub async fn remove_secret(
        &self,
        channel: ChannelId,
        id: &str,
    ) -> Result<(WriteOutcome, Vec<String>), TrustError> {
        self.change(channel, |trust| (edits::remove_secret(trust, id), edits::secret_ids(trust))).await
    }

    /// Changes what the channel trusts, in the store and then in the mirror.
    async fn change<T: Send>(
        &self,
        channel: ChannelId,
        edit: impl Fn(&mut ChannelTrust) -> T + Send + Sync,
    ) -> Result<T, TrustError> {
        for attempt in 0..WRITE_ATTEMPTS {
            let former = self.store.trust_now(channel).await?;
            let mut latest = former.clone().unwrap_or_default();
            let answer = edit(&mut latest);
            let unchanged = former.clone().unwrap_or_default() == latest;
            latest.v = VERSION;
            if unchanged || self.store.replace_trust(channel, former.as_ref(), &latest).await? {
                let mirrored = timeout(MIRRORED, self.mirror.follow(channel)).await;
                mirrored.map_err(anyhow::Error::from)??;
                return Ok(answer);
            }
            after_conflict(attempt).await;
        }
        Err(anyhow::anyhow!("others kept changing what channel {channel} trusts").into())
    }
}
