//! IDENTIFY and RESUME: who may have a session.

use serde_json::{Value, json};

use super::{
    Close, intents,
    sessions::{Link, Order, Resumption, Session, SessionInfo},
};
use crate::{rest::applications::gateway_url, snowflake, world::World};

/// A shard that would serve more guilds than this is refused.
const GUILDS_A_SHARD_MAX: usize = 2500;

/// What the server does with an IDENTIFY or a RESUME.
#[derive(Debug)]
pub(super) enum Admission {
    /// The session is on; its events are on their way.
    Admitted,
    /// INVALID SESSION: try again, with a new session.
    Invalid,
    /// The connection is closed.
    Closed(Close),
}

impl World {
    pub(super) fn identify(&mut self, data: &Value, link: Link) -> Admission {
        let Some((token, asked)) = data["token"].as_str().zip(data["intents"].as_u64()) else {
            return Admission::Closed(Close::DecodeError);
        };
        if !data["properties"].is_object() {
            return Admission::Closed(Close::DecodeError);
        }
        if token.trim_start_matches("Bot ") != self.config.token {
            return Admission::Closed(Close::AuthenticationFailed);
        }
        let Some(shard) = shard(&data["shard"]) else {
            return Admission::Closed(Close::InvalidShard);
        };
        if self.guilds.len() > GUILDS_A_SHARD_MAX * shard.1 as usize {
            return Admission::Closed(Close::ShardingRequired);
        }
        if asked & !intents::KNOWN != 0 {
            return Admission::Closed(Close::InvalidIntents);
        }
        if asked & self.disallowed_intents() != 0 {
            return Admission::Closed(Close::DisallowedIntents);
        }
        if let Some(refused) = self.take_identify(shard.0) {
            return refused;
        }
        let info = SessionInfo {
            id: format!("{:016x}{:016x}", rand::random::<u64>(), rand::random::<u64>()),
            shard,
            intents: asked,
            connected: true,
            presence: data["presence"].clone(),
        };
        let host = link.host.clone();
        let kept = self.config.events_kept;
        self.open(Session::new(info, link, kept), &host);
        Admission::Admitted
    }

    const fn disallowed_intents(&self) -> u64 {
        let content = if self.config.message_content { 0 } else { intents::MESSAGE_CONTENT };
        intents::GUILD_MEMBERS | intents::GUILD_PRESENCES | content
    }

    /// Counts the identify against the day and against its slot.
    fn take_identify(&mut self, shard: u32) -> Option<Admission> {
        let day = self.config.clocks.identify_day;
        if self.sessions.day.used(day).0 >= self.config.identifies_a_day {
            let words = format!("Shard {shard} identified although none were left for the day");
            self.stats.violations.push(words);
            self.reset_token();
            return Some(Admission::Closed(Close::AuthenticationFailed));
        }
        let (concurrency, window) = (self.config.max_concurrency, self.config.clocks.identify_window);
        if let Err(left) = self.sessions.take_slot(shard, concurrency, window) {
            let words = format!("Shard {shard} identified {} ms too early", left.as_millis());
            self.stats.violations.push(words);
            return Some(Admission::Invalid);
        }
        self.sessions.day.count(day);
        self.stats.identifies += 1;
        None
    }

    /// What Discord does to a bot that has used up its identifies: its sessions
    /// end, and its token is no longer valid.
    fn reset_token(&mut self) {
        self.config.token = format!("reset-{:016x}", rand::random::<u64>());
        let (code, words) = Close::AuthenticationFailed.code();
        self.sessions.order_all(&Order::Close(code, words));
    }

    fn open(&mut self, mut session: Session, host: &str) {
        let shard = session.info.shard;
        let guilds: Vec<u64> = self
            .guilds
            .values()
            .filter(|guild| guild.members.contains_key(&self.bot) && session.serves(Some(guild.id)))
            .map(|guild| guild.id)
            .collect();
        let unavailable = |id: &u64| json!({ "id": id.to_string(), "unavailable": true });
        let ready = json!({
            "v": 10,
            "user": self.current_user_json(),
            "guilds": guilds.iter().map(unavailable).collect::<Vec<_>>(),
            "session_id": session.id(),
            "session_type": "normal",
            "resume_gateway_url": gateway_url(host),
            "shard": [shard.0, shard.1],
            "application": { "id": self.bot.to_string(), "flags": self.application_flags() },
            "private_channels": [], "relationships": [], "presences": [], "user_settings": {},
        });
        session.dispatch("READY", ready);
        if session.wants(intents::GUILDS) {
            for guild in guilds.into_iter().filter_map(|id| self.guild_create(id)) {
                session.dispatch("GUILD_CREATE", guild);
            }
        }
        self.sessions.forget_lost(self.config.clocks.resume_window);
        self.sessions.all.push(session);
        self.note_alive(shard);
    }

    fn note_alive(&mut self, shard: (u32, u32)) {
        let alive = self.sessions.alive(shard);
        let max = self.stats.sessions_max.entry(format!("{}/{}", shard.0, shard.1)).or_default();
        *max = (*max).max(alive);
    }

    pub(super) fn resume(&mut self, data: &Value, link: Link) -> Admission {
        let token = data["token"].as_str();
        let (Some(token), Some(id), Some(sequence)) =
            (token, data["session_id"].as_str(), data["seq"].as_u64())
        else {
            return Admission::Closed(Close::DecodeError);
        };
        if token.trim_start_matches("Bot ") != self.config.token {
            return Admission::Closed(Close::AuthenticationFailed);
        }
        match self.sessions.resume(id, sequence, link, self.config.clocks.resume_window) {
            Resumption::Done => {
                self.stats.resumes += 1;
                if let Some(shard) = self.sessions.shard_of(id) {
                    self.note_alive(shard);
                }
                Admission::Admitted
            }
            Resumption::UnknownSession | Resumption::TooOld => Admission::Invalid,
            Resumption::InvalidSequence => Admission::Closed(Close::InvalidSequence),
        }
    }

    /// GUILD_CREATE: the guild, with what a bot without the members intent
    /// gets.
    pub(super) fn guild_create(&self, id: u64) -> Option<Value> {
        let guild = self.guilds.get(&id)?;
        let mut own = self.member_json(id, self.bot)?;
        own["user"] = self.user_json(self.bot);
        let mut json = guild.json();
        json["joined_at"] = snowflake::timestamp(id).into();
        json["large"] = false.into();
        json["unavailable"] = false.into();
        json["member_count"] = guild.members.len().into();
        json["members"] = vec![own].into();
        json["channels"] = self.channels_json(id, false).into();
        json["threads"] = self.channels_json(id, true).into();
        for empty in
            ["voice_states", "presences", "stage_instances", "guild_scheduled_events", "soundboard_sounds"]
        {
            json[empty] = json!([]);
        }
        Some(json)
    }
}

/// `[id, total]`. A bot that does not say is shard 0 of 1.
fn shard(value: &Value) -> Option<(u32, u32)> {
    if value.is_null() {
        return Some((0, 1));
    }
    let [id, total] = value.as_array()?.as_slice() else {
        return None;
    };
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    let (id, total) = (number(id)?, number(total)?);
    (id < total).then_some((id, total))
}
