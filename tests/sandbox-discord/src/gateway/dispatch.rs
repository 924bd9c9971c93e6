//! Sends events to the sessions that should get them.

use serde_json::{Value, json};

use super::{intents, sessions::Session};
use crate::{
    permissions::VIEW_CHANNEL,
    world::{World, message::Stored},
};

impl World {
    /// The bot gets no events of a guild that it is not in.
    fn dispatch(&mut self, guild: Option<u64>, intent: u64, event: &str, data: impl Fn(&Session) -> Value) {
        let known = |id| self.guilds.get(&id).is_some_and(|guild| guild.members.contains_key(&self.bot));
        if !guild.is_none_or(known) {
            return;
        }
        for session in &mut self.sessions.all {
            if session.serves(guild) && session.wants(intent) {
                let data = data(session);
                session.dispatch(event, data);
            }
        }
    }

    /// An event of the guild itself.
    pub(crate) fn dispatch_to_guild(&mut self, guild: u64, event: &str, data: &Value) {
        self.dispatch(Some(guild), intents::GUILDS, event, |_| data.clone());
    }

    /// A change of a member. The bot gets changes of itself without any intent.
    pub(crate) fn dispatch_member_update(&mut self, guild: u64, user: u64, data: &Value) {
        let intent = if user == self.bot { 0 } else { intents::GUILD_MEMBERS };
        self.dispatch(Some(guild), intent, "GUILD_MEMBER_UPDATE", |_| data.clone());
    }

    pub(crate) fn dispatch_guild_create(&mut self, guild: u64) {
        if let Some(data) = self.guild_create(guild) {
            self.dispatch_to_guild(guild, "GUILD_CREATE", &data);
        }
    }

    /// A message that the bot may see. It has its content only if the bot may
    /// read it.
    pub(crate) fn dispatch_message(&mut self, event: &str, message: &Stored) {
        let Some(channel) = self.channels.get(&message.channel) else {
            return;
        };
        if self.permissions(channel, self.bot) & VIEW_CHANNEL == 0 {
            return;
        }
        let guild = channel.guild;
        let (mut whole, mut bare) =
            (self.message_for_bot(message, true), self.message_for_bot(message, false));
        for json in [&mut whole, &mut bare] {
            json["channel_type"] = (channel.kind as u8).into();
            if let Some(guild) = guild {
                json["guild_id"] = guild.to_string().into();
                json["member"] = self.member_json(guild, message.author).into();
                for (id, user) in
                    message.highlights.users.iter().zip(json["mentions"].as_array_mut().into_iter().flatten())
                {
                    user["member"] = self.member_json(guild, *id).into();
                }
            }
            if let Some(nonce) = &message.nonce {
                json["nonce"] = nonce.as_str().into();
            }
        }
        let intent = message_intent(guild);
        self.dispatch(guild, intent, event, |session| {
            if session.wants(intents::MESSAGE_CONTENT) { whole.clone() } else { bare.clone() }
        });
    }

    pub(crate) fn dispatch_message_delete(&mut self, channel: u64, message: u64) {
        let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
        let mut data = json!({ "id": message.to_string(), "channel_id": channel.to_string() });
        if let Some(guild) = guild {
            data["guild_id"] = guild.to_string().into();
        }
        self.dispatch(guild, message_intent(guild), "MESSAGE_DELETE", |_| data.clone());
    }

    /// Interactions need no intent.
    pub(crate) fn dispatch_interaction(&mut self, guild: Option<u64>, data: &Value) {
        self.dispatch(guild, 0, "INTERACTION_CREATE", |_| data.clone());
    }
}

const fn message_intent(guild: Option<u64>) -> u64 {
    if guild.is_some() { intents::GUILD_MESSAGES } else { intents::DIRECT_MESSAGES }
}
