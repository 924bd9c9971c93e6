//! What Discord says of guilds, channels and members, as far as permissions
//! need it. Read again for each command; a guild that types many commands at
//! once gets answers from memory that are a few seconds old.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use moka::future::Cache;
use serde::de::IgnoredAny;
use serenity::model::Permissions;
use shared::{ChannelId, GuildId, RoleId, UserId};

use super::{
    api_objects::{WireChannel, WireGuild, WireMember},
    channel::{Channel, ChannelArgument, Kind, Missing},
    lookups::{LookUps, Unanswered},
    mentioned::Mentioned,
    permissions::{self, Guild, Member},
};
use crate::{
    discord::{Discord, DiscordError, codes},
    rate_budget::{Budget, Rate},
};

/// How long facts are remembered for a guild that asks too often.
const REMEMBERED: Duration = Duration::from_secs(5);
/// How long to remember which role is the bot's own. It does not change while
/// the bot is in the guild, so this is only a delay after a new invitation.
const ROLE_REMEMBERED: Duration = Duration::from_secs(600);
/// How many guilds and members are remembered.
const MAX_GUILDS: u64 = 500;
const MAX_MEMBERS: u64 = 5_000;
const MAX_ROLES: u64 = 10_000;
/// Commands of a guild whose facts are read again. Each reading asks four questions.
const FRESH: Rate = Rate::new(20, 1);

/// Discord's answer could not be had. Shared by all who waited for it.
pub(crate) type FactsError = Arc<Unanswered>;

struct GuildFacts {
    guild: Guild,
    /// All but threads.
    channels: BTreeMap<ChannelId, Channel>,
}

pub(crate) struct Facts {
    look_ups: LookUps,
    guilds: Cache<GuildId, Arc<GuildFacts>>,
    members: Cache<(GuildId, UserId), Option<Arc<Member>>>,
    own_roles: Cache<(GuildId, UserId), Option<u64>>,
    fresh: Budget<GuildId>,
}

impl Facts {
    pub(crate) fn new(discord: &Discord) -> Self {
        Self {
            look_ups: LookUps::new(discord),
            guilds: Cache::builder().max_capacity(MAX_GUILDS).time_to_live(REMEMBERED).build(),
            members: Cache::builder().max_capacity(MAX_MEMBERS).time_to_live(REMEMBERED).build(),
            own_roles: Cache::builder().max_capacity(MAX_ROLES).time_to_live(ROLE_REMEMBERED).build(),
            fresh: Budget::new(FRESH),
        }
    }

    /// Forgets what is remembered of the guild and these members of it, unless
    /// the guild asks too often. Call it once at the start of a command.
    pub(crate) async fn renew(&self, guild: GuildId, members: [UserId; 2]) {
        if self.fresh.spend(&guild) {
            self.guilds.invalidate(&guild).await;
            for member in members {
                self.members.invalidate(&(guild, member)).await;
            }
        }
    }

    /// The channel of this guild that the argument names.
    pub(crate) async fn find(
        &self,
        guild: GuildId,
        argument: &ChannelArgument,
    ) -> Result<Result<Channel, Missing>, FactsError> {
        let about = self.about(guild).await?;
        match argument {
            ChannelArgument::Id(id) => self.by_id(&about, *id).await,
            ChannelArgument::Name(name) => Ok(about.by_name(name)),
        }
    }

    /// What the user may do in the channel; nothing after leaving the guild.
    pub(crate) async fn granted(
        &self,
        guild: GuildId,
        user: UserId,
        channel: &Channel,
    ) -> Result<Permissions, FactsError> {
        let about = self.about(guild).await?;
        Ok(self.member(guild, user).await?.map_or(Permissions::empty(), |member| {
            permissions::granted(&about.guild, &member, &channel.overwrites, Utc::now())
        }))
    }

    /// The role that Discord made for this bot when it was invited.
    pub(crate) async fn own_role(&self, guild: GuildId, bot: UserId) -> Result<Option<u64>, FactsError> {
        let role = async { Ok::<_, FactsError>(self.about(guild).await?.guild.bots.get(&bot).copied()) };
        let found = self.own_roles.try_get_with((guild, bot), role).await;
        found.map_err(|error| Arc::clone(&*error))
    }

    /// Who in the guild has this id, which Discord's client may offer for a mention.
    pub(crate) async fn mentioned(&self, guild: GuildId, id: u64) -> Result<Option<Mentioned>, FactsError> {
        let about = self.about(guild).await?;
        if id == guild.get() {
            return Ok(Some(Mentioned::Everyone));
        }
        if about.guild.roles.contains_key(&id) {
            let by_anybody = about.guild.mentionable.contains(&id);
            return Ok(Some(Mentioned::Role { id: RoleId::new(id), by_anybody }));
        }
        let user = UserId::new(id);
        Ok(self.member(guild, user).await?.map(|_| Mentioned::Member(user)))
    }

    /// Whether the user is a member of this thread.
    pub(crate) async fn is_in_thread(
        &self,
        guild: GuildId,
        user: UserId,
        thread: ChannelId,
    ) -> Result<bool, FactsError> {
        let path = format!("/channels/{thread}/thread-members/{user}");
        let route = format!("/channels/{thread}/thread-members/{{user}}");
        match self.look_ups.get::<IgnoredAny>(guild, &path, &route).await {
            Ok(_) => Ok(true),
            Err(Unanswered::Discord(DiscordError::Refused { .. })) => Ok(false),
            Err(error) => Err(Arc::new(error)),
        }
    }

    /// Whether a row of the guild's list grants nothing, as far as Discord says.
    pub(crate) async fn is_idle(&self, guild: GuildId, channel: ChannelId) -> bool {
        match self.look_ups.guild_of(guild, channel).await {
            Ok(of) => of != Some(guild),
            Err(error) => matches!(error, Unanswered::Discord(DiscordError::Refused { .. })),
        }
    }

    /// Whether the bot itself is a member of the guild.
    pub(crate) async fn is_bot_in(&self, guild: GuildId, bot: UserId) -> Result<bool, FactsError> {
        match self.member(guild, bot).await {
            Ok(member) => Ok(member.is_some()),
            // What Discord says of a guild to those who are not in it.
            Err(error) if error.is_refused_with(codes::MISSING_ACCESS) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Until when the user is timed out in the guild, if so.
    pub(crate) async fn timed_out_until(
        &self,
        guild: GuildId,
        user: UserId,
    ) -> Result<Option<DateTime<Utc>>, FactsError> {
        let member = self.member(guild, user).await?;
        Ok(member.and_then(|member| member.timed_out_until).filter(|until| *until > Utc::now()))
    }

    /// Those of these channels that Discord names among the guild's, and the
    /// others: threads, other guilds' channels, and what no longer exists.
    pub(crate) async fn named(
        &self,
        guild: GuildId,
        channels: &[ChannelId],
    ) -> Result<(Vec<Channel>, Vec<ChannelId>), FactsError> {
        let about = self.about(guild).await?;
        let (mut named, mut others) = (Vec::new(), Vec::new());
        for id in channels {
            match about.channels.get(id) {
                Some(channel) => named.push(channel.clone()),
                None => others.push(*id),
            }
        }
        Ok((named, others))
    }

    async fn about(&self, guild: GuildId) -> Result<Arc<GuildFacts>, FactsError> {
        self.guilds
            .try_get_with(guild, async {
                let path = format!("/guilds/{guild}");
                let list = format!("/guilds/{guild}/channels");
                let (found, channels) = tokio::join!(
                    self.look_ups.get::<WireGuild>(guild, &path, &path),
                    self.look_ups.get::<Vec<WireChannel>>(guild, &list, &list),
                );
                let channels = match channels {
                    Ok(channels) => channels,
                    // Then each channel is asked for by itself.
                    Err(Unanswered::Discord(DiscordError::Refused { .. })) => Vec::new(),
                    Err(error) => return Err(error),
                };
                let channels = channels.into_iter().map(Channel::from);
                let channels = channels.map(|channel| (channel.id, channel)).collect();
                Ok(Arc::new(GuildFacts { guild: found?.into(), channels }))
            })
            .await
    }

    async fn member(&self, guild: GuildId, user: UserId) -> Result<Option<Arc<Member>>, FactsError> {
        self.members
            .try_get_with((guild, user), async {
                let path = format!("/guilds/{guild}/members/{user}");
                let route = format!("/guilds/{guild}/members/{{user}}");
                match self.look_ups.get::<WireMember>(guild, &path, &route).await {
                    Ok(member) => Ok(Some(Arc::new(member.of(user)))),
                    // 404 under a code that says that there is no such member.
                    Err(Unanswered::Discord(DiscordError::Refused { status: 404, .. })) => Ok(None),
                    Err(error) => Err(error),
                }
            })
            .await
    }

    async fn by_id(&self, about: &GuildFacts, id: ChannelId) -> Result<Result<Channel, Missing>, FactsError> {
        let mut channel = match self.channel(about, id).await? {
            Ok(channel) => channel,
            missing => return Ok(missing),
        };
        if let (Kind::Thread { .. }, Some(parent)) = (channel.kind, channel.parent) {
            match self.channel(about, parent).await? {
                Ok(parent) => channel.overwrites = parent.overwrites,
                missing => return Ok(missing),
            }
        }
        Ok(Ok(channel))
    }

    /// The channel with its own overwrites. What the guild's list does not name
    /// is a thread, or no channel of this guild.
    async fn channel(
        &self,
        about: &GuildFacts,
        id: ChannelId,
    ) -> Result<Result<Channel, Missing>, FactsError> {
        if let Some(channel) = about.channels.get(&id) {
            return Ok(Ok(channel.clone()));
        }
        let path = format!("/channels/{id}");
        let found = self.look_ups.get::<WireChannel>(about.guild.id, &path, &path).await;
        match found.map(Channel::from) {
            Ok(channel) if channel.guild == Some(about.guild.id) => Ok(Ok(channel)),
            Ok(_) => Ok(Err(Missing::OtherGuild)),
            Err(Unanswered::Discord(DiscordError::Refused { status: 403, .. })) => Ok(Err(Missing::NoAccess)),
            Err(Unanswered::Discord(DiscordError::Refused { .. })) => Ok(Err(Missing::Nowhere)),
            Err(error) => Err(Arc::new(error)),
        }
    }
}

impl GuildFacts {
    /// Names may be given twice. Channels that take no messages stand back, so
    /// that a category called like its channel does no harm.
    fn by_name(&self, name: &str) -> Result<Channel, Missing> {
        let wanted = name.to_lowercase();
        let mut named: Vec<_> =
            self.channels.values().filter(|channel| channel.name.to_lowercase() == wanted).collect();
        if named.iter().any(|channel| channel.kind != Kind::Other) {
            named.retain(|channel| channel.kind != Kind::Other);
        }
        match named.as_slice() {
            [] => Err(Missing::Nowhere),
            [channel] => Ok((*channel).clone()),
            _ => Err(Missing::Ambiguous),
        }
    }
}
