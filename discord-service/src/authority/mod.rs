//! Who may post where. Only here do the store's facts and Discord's facts come
//! together. Verdicts, delivery and commands ask here.

mod hidden_channels;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use anyhow::Context as _;
use bytes::Bytes;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use moka::future::Cache;
use shared::{
    ChannelId, GuildId, UserId, alert::UNKNOWN_PROJECT, trust::ChannelTrust, verdict::Verdict, wire,
};
use tokio::time::Instant;

use self::hidden_channels::HiddenChannels;
use crate::{
    closure,
    discord::{Discord, DiscordError, DiscordRefusal},
    kv::Bucket,
    reopening::Reopening,
    rules::ChannelRules,
    store::{Store, StoreError},
};

/// How long the bot remembers that Discord knows a user, or does not.
const USER_FOUND: Duration = Duration::from_secs(60 * 60);
const USER_NOT_FOUND: Duration = Duration::from_secs(10 * 60);
/// Users looked up at Discord in a second, by one pod.
const USER_LOOKUPS: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
/// Entries of each kind that are kept; the oldest go first.
const REMEMBERED: u64 = 100_000;

/// There is no answer now: ask again later.
#[derive(Debug, thiserror::Error)]
pub enum AskAgain {
    /// The store is away.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Discord or NATS is away.
    #[error("{0:#}")]
    Elsewhere(anyhow::Error),
    /// The bot's token is not valid.
    #[error(transparent)]
    BadToken(#[from] shared::process::BadToken),
}

/// Whether the bot may post in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelStanding {
    /// Its own guild has authorized it.
    Authorized(GuildId),
    /// No guild, or only a foreign one, lists it.
    NotAuthorized,
    /// A guild lists it, but Discord does not show it to the bot: why, in words.
    Unreachable(String),
}

/// Whether a user may be mentioned for a project in a guild.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entitlement {
    /// The user registered this project there.
    Entitled,
    /// The user has no project there.
    NoProject,
    /// The user has this other project there.
    OtherProject(String),
}

/// Answers who may post where. Cheap to clone.
#[derive(Clone)]
pub struct Authority(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    discord: Discord,
    /// The bucket of all channels that were ever found authorized, with their guilds.
    known: Bucket,
    /// The bucket in which lanes record that a channel is closed.
    lanes: Bucket,
    guilds: Cache<ChannelId, GuildId>,
    hidden: HiddenChannels,
    /// Channels that the gateway said were deleted.
    deleted: Cache<ChannelId, ()>,
    users_found: Cache<UserId, ()>,
    users_not_found: Cache<UserId, ()>,
    user_lookups: DefaultDirectRateLimiter,
}

impl Authority {
    /// `known` is the bucket [`shared::wire::CHANNELS`], `lanes` is
    /// [`shared::wire::LANES`].
    pub fn new(store: Arc<dyn Store>, discord: Discord, known: Bucket, lanes: Bucket) -> Self {
        Self(Arc::new(Inner {
            store,
            discord,
            known,
            lanes,
            guilds: Cache::new(REMEMBERED),
            hidden: HiddenChannels::new(REMEMBERED),
            deleted: Cache::new(REMEMBERED),
            users_found: Cache::builder().max_capacity(REMEMBERED).time_to_live(USER_FOUND).build(),
            users_not_found: Cache::builder().max_capacity(REMEMBERED).time_to_live(USER_NOT_FOUND).build(),
            // Strangers must not spend the bot's requests through verdicts.
            user_lookups: RateLimiter::direct(Quota::per_second(USER_LOOKUPS)),
        }))
    }

    /// Whether the bot may post in the channel. A channel that no guild lists costs no
    /// request to Discord.
    ///
    /// # Errors
    /// [`AskAgain`] when the store or Discord cannot be asked now.
    pub async fn standing(&self, channel: ChannelId) -> Result<ChannelStanding, AskAgain> {
        let listing = self.0.store.guilds_listing(channel).await?;
        if channel.get() == 0 || listing.is_empty() {
            return Ok(ChannelStanding::NotAuthorized);
        }
        if let Some(why) = self.0.hidden.why(channel, Instant::now()).await {
            return Ok(ChannelStanding::Unreachable(why));
        }
        let guild = match self.guild(channel).await {
            Ok(guild) => guild,
            Err(DiscordError::BadToken(error)) => return Err(error.into()),
            Err(DiscordError::Refused {
                refusal: DiscordRefusal::Channel | DiscordRefusal::Unknown,
                message,
                ..
            }) => {
                self.0.hidden.note(channel, &listing, &message, Instant::now()).await;
                return Ok(ChannelStanding::Unreachable(message));
            }
            Err(error) => return Err(AskAgain::Elsewhere(error.into())),
        };
        self.0.hidden.forget(channel).await;
        match guild.filter(|guild| listing.contains(guild)) {
            Some(guild) => {
                self.remember(channel, guild).await.map_err(AskAgain::Elsewhere)?;
                Ok(ChannelStanding::Authorized(guild))
            }
            // An old database may list a channel under a foreign guild.
            None => Ok(ChannelStanding::NotAuthorized),
        }
    }

    /// An admin has just authorized the channel, perhaps again after a change of the
    /// bot's permissions. Forgets what kept its alerts back.
    ///
    /// # Errors
    /// When NATS cannot be written to now.
    pub async fn admit(&self, channel: ChannelId, guild: GuildId) -> anyhow::Result<()> {
        self.forget_reopened_channel(channel).await;
        closure::lift(&self.0.lanes, channel).await?;
        self.remember(channel, guild).await?;
        let news = Reopening { guild, channels: Some(vec![channel]), spread: false, deleted: Vec::new() };
        // If this gets lost, the next alert is a try all the same.
        let _ = self.0.lanes.client().publish(wire::REOPENING, news.encode().into()).await;
        Ok(())
    }

    /// The channel's guild, if the channel was ever found authorized and NATS answers.
    pub(crate) async fn guild_if_known(&self, channel: ChannelId) -> Option<GuildId> {
        match self.0.guilds.get(&channel).await {
            Some(guild) => Some(guild),
            None => self.known_guild(channel).await.ok().flatten(),
        }
    }

    /// Forgets that Discord did not show the channel: it is asked again at once, and
    /// then as often as at first.
    pub(crate) async fn forget_hidden(&self, channel: ChannelId) {
        self.0.hidden.forget(channel).await;
    }

    /// Learns which channels may be within the bot's reach now, and which were deleted.
    pub(crate) async fn hear(&self, Reopening { guild, channels, deleted, .. }: &Reopening) {
        match channels {
            None => self.0.hidden.forget_guild(*guild).await,
            Some(channels) => {
                for channel in channels {
                    self.forget_reopened_channel(*channel).await;
                }
            }
        }
        for channel in deleted {
            self.0.deleted.insert(*channel, ()).await;
        }
    }

    async fn forget_reopened_channel(&self, channel: ChannelId) {
        self.0.hidden.forget(channel).await;
        self.0.deleted.invalidate(&channel).await;
    }

    /// Whether the channel was deleted: the gateway said so, or Discord did not know
    /// the channel when its lane posted there last.
    ///
    /// # Errors
    /// When NATS cannot be asked now.
    pub(crate) async fn is_deleted(&self, channel: ChannelId) -> anyhow::Result<bool> {
        if self.0.deleted.contains_key(&channel) {
            return Ok(true);
        }
        let closure = closure::of(&self.0.lanes, channel).await?;
        Ok(closure.is_some_and(|closure| closure.is_closed() && closure.gone))
    }

    /// Whether the channel was ever found authorized. Alerts of other channels are
    /// strangers' and leave no trace.
    ///
    /// # Errors
    /// When NATS cannot be asked now.
    pub async fn was_authorized(&self, channel: ChannelId) -> anyhow::Result<bool> {
        Ok(self.0.guilds.contains_key(&channel) || self.known(channel).await?.is_some())
    }

    /// Whether this user may be mentioned for this project. If Sentry names no project,
    /// any project of the user will do.
    ///
    /// # Errors
    /// [`AskAgain`] when the store cannot be asked now.
    pub async fn entitlement(
        &self,
        guild: GuildId,
        user: UserId,
        project: &str,
    ) -> Result<Entitlement, AskAgain> {
        Ok(match self.0.store.projects(guild).await?.remove(&user) {
            Some(theirs) if theirs == project || project == UNKNOWN_PROJECT => Entitlement::Entitled,
            Some(theirs) => Entitlement::OtherProject(theirs),
            None => Entitlement::NoProject,
        })
    }

    /// What the channel demands of its alerts, and which keys are valid there.
    ///
    /// # Errors
    /// [`AskAgain`] when the store cannot be asked now.
    pub async fn trust(&self, channel: ChannelId) -> Result<ChannelTrust, AskAgain> {
        Ok(self.0.store.trust(channel).await?.unwrap_or_default())
    }

    /// The rules and mutes of the channel.
    ///
    /// # Errors
    /// [`AskAgain`] when the store cannot be asked now.
    pub async fn rules(&self, channel: ChannelId) -> Result<Arc<ChannelRules>, AskAgain> {
        Ok(self.0.store.rules(channel).await?)
    }

    /// The answer to the ingress.
    ///
    /// # Errors
    /// [`AskAgain`] when the store or Discord cannot be asked now.
    pub async fn verdict(
        &self,
        channel: ChannelId,
        mention: Option<UserId>,
        project: &str,
    ) -> Result<Verdict, AskAgain> {
        let ChannelStanding::Authorized(guild) = self.standing(channel).await? else {
            return Ok(Verdict::ChannelNotAuthorized);
        };
        // Without the channel's trust and rules, the bot cannot say that it takes this
        // alert.
        tokio::try_join!(self.trust(channel), self.rules(channel))?;
        let Some(user) = mention else {
            return Ok(Verdict::Accepted);
        };
        Ok(match self.entitlement(guild, user, project).await? {
            Entitlement::Entitled => Verdict::Accepted,
            Entitlement::OtherProject(project) => Verdict::UserOnOtherProject { project },
            Entitlement::NoProject if self.is_unknown_user(user).await => Verdict::UserUnknown,
            Entitlement::NoProject => Verdict::UserWithoutProject,
        })
    }

    /// Whether Discord certainly does not know this user. This only chooses between
    /// two texts, so the bot seldom asks, and an outage does not matter.
    async fn is_unknown_user(&self, user: UserId) -> bool {
        if user.get() == 0 || self.0.users_not_found.contains_key(&user) {
            return true;
        }
        if self.0.users_found.contains_key(&user) || self.0.user_lookups.check().is_err() {
            return false;
        }
        match self.0.discord.user_exists(user).await {
            Ok(true) => self.0.users_found.insert(user, ()).await,
            Ok(false) => self.0.users_not_found.insert(user, ()).await,
            Err(error) => tracing::debug!(user.id = %user, %error, "cannot look up the user"),
        }
        self.0.users_not_found.contains_key(&user)
    }

    /// The channel's guild, which never changes: from memory, from NATS, from Discord.
    async fn guild(&self, channel: ChannelId) -> Result<Option<GuildId>, DiscordError> {
        if let Some(guild) = self.0.guilds.get(&channel).await {
            return Ok(Some(guild));
        }
        match self.known_guild(channel).await {
            Ok(Some(guild)) => {
                self.0.guilds.insert(channel, guild).await;
                Ok(Some(guild))
            }
            // Discord is the authority anyway.
            Ok(None) | Err(_) => self.0.discord.guild_of(channel).await,
        }
    }

    async fn known_guild(&self, channel: ChannelId) -> anyhow::Result<Option<GuildId>> {
        let value = self.known(channel).await?;
        Ok(value.and_then(|bytes| std::str::from_utf8(&bytes).ok()?.parse().ok()))
    }

    /// The note of a channel that was ever found authorized. It counts also if a newer
    /// build wrote it in another form.
    async fn known(&self, channel: ChannelId) -> anyhow::Result<Option<Bytes>> {
        // The leader is asked. A channel that a lagging replica does not know would be
        // taken for a stranger's, and its alerts would be dropped.
        self.0.known.get(&channel.to_string()).await.context("cannot read the known channels")
    }

    async fn remember(&self, channel: ChannelId, guild: GuildId) -> anyhow::Result<()> {
        if !self.0.guilds.contains_key(&channel) {
            let value = guild.to_string().into();
            self.0.known.put(&channel.to_string(), value).await.context("cannot remember the channel")?;
            self.0.guilds.insert(channel, guild).await;
        }
        Ok(())
    }
}
