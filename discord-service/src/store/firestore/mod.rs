//! The store in Google's Firestore, in the documents of the predecessor: an
//! existing database keeps working untouched, for either program.
//!
//! Every write names one field, so nothing else in a document can change. It
//! succeeds only if the document is still the one that was read. So two users
//! who register one slug at the same instant cannot both win, and no second
//! document can disagree with the first. A contended transaction does the same
//! in seconds instead of milliseconds.

mod channel_document;
mod connection;
mod document;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context as _, bail};
use async_trait::async_trait;
use firestore::{
    FirestoreDb, FirestoreDocument, FirestoreResult, FirestoreWritePrecondition, errors::FirestoreError,
    timestamp_utils::from_timestamp,
};
use secrecy::SecretString;
use shared::{ChannelId, GuildId, RuntimeMode, UserId, settings::SettingsError, trust::ChannelTrust};
use tokio::time::Instant;

use self::connection::{FirestoreConnection, FirestoreTarget};
use super::{
    ApiKeys, ProjectSlug, Registration, Store, StoreError, WriteOutcome,
    call::{NoAnswer, WRITE_ATTEMPTS, after_conflict, timed},
    owner_of,
};
use crate::{rules::ChannelRules, settings::Settings};

const CHANNELS: &str = "channel-list";
const PROJECTS: &str = "user-projects";
/// The collection and the document of the operator's keys.
const KEYS: (&str, &str) = ("keys", "api");

/// The store in Firestore.
pub struct FirestoreStore {
    connection: FirestoreConnection,
}

/// What to do with a guild's document after a look at it.
enum Step<T> {
    /// Nothing; this is the answer.
    Answer(T),
    /// Write one field, or remove it; the answer when that was done.
    Write { field: String, value: Option<String>, answer: T },
}

impl FirestoreStore {
    /// The store that Google's settings name. Connects when it is first asked.
    pub fn new(settings: &Settings) -> Self {
        Self { connection: FirestoreConnection::new(FirestoreTarget::new(settings)) }
    }

    /// # Errors
    /// [`SettingsError`] when Google's settings cannot be used.
    pub fn check(settings: &Settings) -> Result<(), SettingsError> {
        connection::check(&FirestoreTarget::new(settings))
    }

    async fn timed<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = anyhow::Result<T>> + Send,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let result = timed("firestore", operation, work).await;
        if result.as_ref().is_err_and(|error| error.0.is::<NoAnswer>()) {
            self.connection.give_up(began);
        }
        result
    }

    /// Looks at the guild's document and takes the step that `decide` chooses,
    /// again from the start when someone else wrote in between.
    async fn edit<T: Send>(
        &self,
        collection: &str,
        guild: GuildId,
        decide: impl Fn(&FirestoreDocument) -> Step<T> + Send + Sync,
    ) -> anyhow::Result<T> {
        let db = self.connection.get().await?;
        for attempt in 0..WRITE_ATTEMPTS {
            let found = read(&db, collection, &guild.to_string()).await?;
            match decide(found.as_ref().unwrap_or(&FirestoreDocument::default())) {
                Step::Answer(answer) => return Ok(answer),
                Step::Write { field, value, answer } => {
                    match write(&db, collection, guild, found, field, value).await {
                        Ok(()) => return Ok(answer),
                        Err(error) if came_first(&error) => after_conflict(attempt).await,
                        Err(error) => return Err(error).context("cannot write the guild's document"),
                    }
                }
            }
        }
        bail!("others kept changing {collection}/{guild}")
    }
}

#[async_trait]
impl Store for FirestoreStore {
    async fn guilds_listing(&self, channel: ChannelId) -> Result<Vec<GuildId>, StoreError> {
        self.timed("guilds_listing", async {
            let db = self.connection.get().await?;
            let id = channel.to_string();
            let listing = db
                .fluent()
                .select()
                .fields(["__name__"])
                .from(CHANNELS)
                .filter(|filter| filter.field(document::path(&id)).eq(&id))
                .query();
            let found = listing.await.context("cannot look for the channel")?;
            Ok(found.iter().filter_map(document::id_of).collect())
        })
        .await
    }

    async fn channels(&self, guild: GuildId) -> Result<Vec<ChannelId>, StoreError> {
        self.timed("channels", async {
            let db = self.connection.get().await?;
            let document = read(&db, CHANNELS, &guild.to_string()).await?.unwrap_or_default();
            let ids = document::rows(&document).map(|(channel, _): (ChannelId, _)| channel);
            let mut channels: Vec<_> = ids.filter(|channel| document::lists(&document, *channel)).collect();
            channels.sort_unstable();
            Ok(channels)
        })
        .await
    }

    async fn authorize(&self, guild: GuildId, channel: ChannelId) -> Result<WriteOutcome, StoreError> {
        let add = |document: &FirestoreDocument| match document::lists(document, channel) {
            true => Step::Answer(WriteOutcome::Unchanged),
            false => Step::Write {
                field: channel.to_string(),
                value: Some(channel.to_string()),
                answer: WriteOutcome::Changed,
            },
        };
        self.timed("authorize", self.edit(CHANNELS, guild, add)).await
    }

    async fn revoke(&self, guild: GuildId, channel: ChannelId) -> Result<WriteOutcome, StoreError> {
        let remove = |document: &FirestoreDocument| match document::lists(document, channel) {
            true => Step::Write { field: channel.to_string(), value: None, answer: WriteOutcome::Changed },
            false => Step::Answer(WriteOutcome::Unchanged),
        };
        self.timed("revoke", self.edit(CHANNELS, guild, remove)).await
    }

    async fn projects(&self, guild: GuildId) -> Result<BTreeMap<UserId, String>, StoreError> {
        self.timed("projects", async {
            let db = self.connection.get().await?;
            Ok(document::readable(&read(&db, PROJECTS, &guild.to_string()).await?.unwrap_or_default()))
        })
        .await
    }

    async fn register(
        &self,
        guild: GuildId,
        user: UserId,
        slug: &ProjectSlug,
    ) -> Result<Registration, StoreError> {
        let claim = |document: &FirestoreDocument| match owner_of(slug, user, &document::readable(document)) {
            Some(owner) => Step::Answer(Registration::Taken(owner)),
            None => Step::Write {
                field: user.to_string(),
                value: Some(slug.to_string()),
                answer: Registration::Registered,
            },
        };
        self.timed("register", self.edit(PROJECTS, guild, claim)).await
    }

    async fn unregister(&self, guild: GuildId, user: UserId) -> Result<Option<String>, StoreError> {
        let release = |document: &FirestoreDocument| {
            let field = user.to_string();
            match document::text(document, &field).map(str::to_owned) {
                Some(slug) => Step::Write { field, value: None, answer: Some(slug) },
                None => Step::Answer(None),
            }
        };
        self.timed("unregister", self.edit(PROJECTS, guild, release)).await
    }

    async fn trust(&self, channel: ChannelId) -> Result<Option<ChannelTrust>, StoreError> {
        self.timed("trust", async {
            Ok(channel_document::read(&self.connection.get().await?, channel).await?.0)
        })
        .await
    }

    async fn replace_trust(
        &self,
        channel: ChannelId,
        former: Option<&ChannelTrust>,
        latest: &ChannelTrust,
    ) -> Result<bool, StoreError> {
        self.timed("replace_trust", async {
            let db = self.connection.get().await?;
            let (known, found) = channel_document::read(&db, channel).await?;
            Ok(known.as_ref() == former && channel_document::write(&db, channel, latest, found).await?)
        })
        .await
    }

    async fn channels_with_trust(&self) -> Result<Vec<ChannelId>, StoreError> {
        self.timed("channels_with_trust", async {
            channel_document::list::<ChannelTrust>(&self.connection.get().await?).await
        })
        .await
    }

    async fn rules(&self, channel: ChannelId) -> Result<Arc<ChannelRules>, StoreError> {
        self.timed("rules", async {
            let db = self.connection.get().await?;
            let kept: Option<ChannelRules> = channel_document::read(&db, channel).await?.0;
            Ok(Arc::new(kept.unwrap_or_default()))
        })
        .await
    }

    async fn replace_rules(
        &self,
        channel: ChannelId,
        former: &ChannelRules,
        latest: &ChannelRules,
    ) -> Result<bool, StoreError> {
        self.timed("replace_rules", async {
            let db = self.connection.get().await?;
            let (known, found) = channel_document::read::<ChannelRules>(&db, channel).await?;
            let is_former = known.unwrap_or_default() == *former;
            Ok(is_former && channel_document::write(&db, channel, latest, found).await?)
        })
        .await
    }

    async fn api_keys(&self, mode: RuntimeMode) -> Result<ApiKeys, StoreError> {
        let (token, dsn) = match mode {
            RuntimeMode::Production => ("discordKey", "sentryURL"),
            RuntimeMode::Development => ("discordKey_dev", "sentryURL_dev"),
        };
        self.timed("api_keys", async {
            let (collection, id) = KEYS;
            let document = read(&self.connection.get().await?, collection, id).await?.unwrap_or_default();
            let secret = |field| {
                let text = document::text(&document, field)?.trim();
                (!text.is_empty()).then(|| SecretString::from(text))
            };
            Ok(ApiKeys { discord_token: secret(token), sentry_dsn: secret(dsn) })
        })
        .await
    }
}

async fn read(db: &FirestoreDb, collection: &str, id: &str) -> anyhow::Result<Option<FirestoreDocument>> {
    let document = db.fluent().select().by_id_in(collection).one(id).await;
    document.with_context(|| format!("cannot read {collection}/{id}"))
}

/// Writes the field, or removes it, unless the document is no longer `found`.
async fn write(
    db: &FirestoreDb,
    collection: &str,
    guild: GuildId,
    found: Option<FirestoreDocument>,
    field: String,
    value: Option<String>,
) -> FirestoreResult<()> {
    let path = document::path(&field);
    // A field that the mask names and the document lacks is removed.
    let document = FirestoreDocument {
        name: format!("{}/{collection}/{guild}", db.get_documents_path()),
        fields: value.map(|text| (field, document::value(text))).into_iter().collect(),
        ..Default::default()
    };
    let update = db.fluent().update().fields([&path]).in_col(collection).precondition(unchanged(found)?);
    update.return_only_fields([&path]).document(document).execute().await?;
    Ok(())
}

/// The condition that the document is still `found`.
fn unchanged(found: Option<FirestoreDocument>) -> FirestoreResult<FirestoreWritePrecondition> {
    Ok(match found.and_then(|document| document.update_time) {
        Some(time) => FirestoreWritePrecondition::UpdateTime(from_timestamp(time)?),
        None => FirestoreWritePrecondition::Exists(false),
    })
}

/// Whether the write did not hold because the document is not the one that was read.
fn came_first(error: &FirestoreError) -> bool {
    match error {
        // It exists by now, or not any more.
        FirestoreError::DataConflictError(_) | FirestoreError::DataNotFoundError(_) => true,
        FirestoreError::DatabaseError(error) => {
            matches!(error.public.code.as_str(), "FailedPrecondition" | "Aborted")
        }
        _ => false,
    }
}
