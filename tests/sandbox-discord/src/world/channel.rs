//! Channels of every kind that matters to a bot, and their overwrites.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::message::Stored;
use crate::snowflake;

/// What sort of channel it is, with Discord's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ChannelKind {
    /// An ordinary text channel.
    Text = 0,
    /// A private conversation with the bot.
    Private = 1,
    /// A voice channel, which takes messages too.
    Voice = 2,
    /// A heading over other channels.
    Category = 4,
    /// Text that other guilds can follow.
    Announcement = 5,
    /// A thread of an announcement channel.
    AnnouncementThread = 10,
    /// A thread of a text channel or of a forum.
    Thread = 11,
    /// A thread that only its members see, and those with Manage Threads.
    PrivateThread = 12,
    /// A voice channel for an audience, which takes messages too.
    Stage = 13,
    /// A collection of threads, which takes no plain messages.
    Forum = 15,
    /// A forum for pictures, which takes no plain messages.
    Media = 16,
}

impl ChannelKind {
    pub(crate) const fn is_thread(self) -> bool {
        matches!(self, Self::AnnouncementThread | Self::Thread | Self::PrivateThread)
    }

    /// Whether only those who may enter it may write there.
    pub(crate) const fn is_voice(self) -> bool {
        matches!(self, Self::Voice | Self::Stage)
    }

    pub(crate) const fn takes_messages(self) -> bool {
        !matches!(self, Self::Category | Self::Forum | Self::Media)
    }
}

/// The role or member that an overwrite is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// Everyone who has the role; the role `@everyone` has the guild's id.
    Role(u64),
    /// One member.
    Member(u64),
}

/// Permissions granted and taken away in one channel.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Overwrite {
    pub(crate) allow: u64,
    pub(crate) deny: u64,
}

impl Overwrite {
    pub(crate) const fn apply(self, permissions: u64) -> u64 {
        (permissions & !self.deny) | self.allow
    }
}

/// A channel and what was written in it.
#[derive(Debug, Clone)]
pub struct Channel {
    pub(crate) id: u64,
    pub(crate) kind: ChannelKind,
    pub(crate) name: String,
    pub(crate) guild: Option<u64>,
    pub(crate) parent: Option<u64>,
    pub(crate) recipient: Option<u64>,
    pub(crate) overwrites: BTreeMap<Target, Overwrite>,
    pub(crate) archived: bool,
    pub(crate) locked: bool,
    pub(crate) thread_members: BTreeSet<u64>,
    pub(crate) messages: BTreeMap<u64, Stored>,
}

impl Channel {
    /// A channel of this kind.
    pub fn new(kind: ChannelKind, name: impl Into<String>) -> Self {
        Self {
            id: snowflake::next(),
            kind,
            name: name.into(),
            guild: None,
            parent: None,
            recipient: None,
            overwrites: BTreeMap::new(),
            archived: false,
            locked: false,
            thread_members: BTreeSet::new(),
            messages: BTreeMap::new(),
        }
    }

    /// An ordinary text channel.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(ChannelKind::Text, name)
    }

    /// A thread of the channel `parent`.
    pub fn thread(parent: u64, name: impl Into<String>) -> Self {
        Self::new(ChannelKind::Thread, name).parent(parent)
    }

    /// A thread of the channel `parent` that only its members see.
    pub fn private_thread(parent: u64, name: impl Into<String>) -> Self {
        Self::new(ChannelKind::PrivateThread, name).parent(parent)
    }

    /// Gives it this id.
    #[must_use]
    pub const fn with_id(mut self, id: u64) -> Self {
        self.id = id;
        self
    }

    /// Puts it below a category, or a thread below its channel.
    #[must_use]
    pub const fn parent(mut self, parent: u64) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Grants these permissions here.
    #[must_use]
    pub fn allow(mut self, target: Target, permissions: u64) -> Self {
        self.overwrites.entry(target).or_default().allow |= permissions;
        self
    }

    /// Takes these permissions away here.
    #[must_use]
    pub fn deny(mut self, target: Target, permissions: u64) -> Self {
        self.overwrites.entry(target).or_default().deny |= permissions;
        self
    }

    /// A thread with this member.
    #[must_use]
    pub fn thread_member(mut self, user: u64) -> Self {
        self.thread_members.insert(user);
        self
    }

    /// A thread that is archived. A message opens it unless it is locked.
    #[must_use]
    pub const fn archived(mut self) -> Self {
        self.archived = true;
        self
    }

    /// A thread in which only those with Manage Threads may write.
    #[must_use]
    pub const fn locked(mut self) -> Self {
        self.locked = true;
        self
    }

    /// As the REST API and the gateway show it.
    pub(crate) fn json(&self) -> Value {
        let mut json = json!({
            "id": self.id.to_string(),
            "type": self.kind as u8,
            "last_message_id": self.messages.last_key_value().map(|(id, _)| id.to_string()),
            "flags": 0,
        });
        if self.kind == ChannelKind::Private {
            return json;
        }
        json["name"] = self.name.as_str().into();
        json["guild_id"] = self.guild.map(|id| id.to_string()).into();
        json["parent_id"] = self.parent.map(|id| id.to_string()).into();
        json["rate_limit_per_user"] = 0.into();
        if self.kind.is_thread() {
            self.add_thread_parts(&mut json);
        } else {
            self.add_place_parts(&mut json);
        }
        json
    }

    /// A removed thread, as the gateway announces it.
    pub(crate) fn gone_json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "guild_id": self.guild.map(|id| id.to_string()),
            "parent_id": self.parent.map(|id| id.to_string()),
            "type": self.kind as u8,
        })
    }

    /// A member of this thread, as the REST API shows them.
    pub(crate) fn thread_member_json(&self, user: u64) -> Value {
        json!({
            "id": self.id.to_string(),
            "user_id": user.to_string(),
            "join_timestamp": snowflake::timestamp(self.id),
            "flags": 0,
        })
    }

    fn add_thread_parts(&self, json: &mut Value) {
        json["thread_metadata"] = json!({
            "archived": self.archived,
            "archive_timestamp": snowflake::timestamp(self.id),
            "auto_archive_duration": 1440,
            "locked": self.locked,
            "create_timestamp": snowflake::timestamp(self.id),
        });
        if self.kind == ChannelKind::PrivateThread {
            json["thread_metadata"]["invitable"] = false.into();
        }
        json["owner_id"] = self.guild.map(|id| id.to_string()).into();
        json["message_count"] = self.messages.len().into();
        json["member_count"] = self.thread_members.len().min(50).into();
        json["total_message_sent"] = self.messages.len().into();
    }

    fn add_place_parts(&self, json: &mut Value) {
        let overwrite = |(target, rule): (&Target, &Overwrite)| {
            let (kind, id) = match target {
                Target::Role(id) => (0, id),
                Target::Member(id) => (1, id),
            };
            json!({
                "id": id.to_string(), "type": kind,
                "allow": rule.allow.to_string(), "deny": rule.deny.to_string(),
            })
        };
        json["permission_overwrites"] = self.overwrites.iter().map(overwrite).collect::<Vec<_>>().into();
        json["position"] = 0.into();
        json["nsfw"] = false.into();
        json["topic"] = Value::Null;
        match self.kind {
            ChannelKind::Voice | ChannelKind::Stage => {
                json["bitrate"] = 64_000.into();
                json["user_limit"] = 0.into();
                json["rtc_region"] = Value::Null;
            }
            ChannelKind::Forum | ChannelKind::Media => {
                json["available_tags"] = json!([]);
                json["default_reaction_emoji"] = Value::Null;
                json["default_sort_order"] = Value::Null;
                json["default_forum_layout"] = 0.into();
            }
            _ => {}
        }
    }
}
