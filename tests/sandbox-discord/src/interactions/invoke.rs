//! The person's side: using a command, filling in a modal.

use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::{
    Interaction, Kind, MODAL, Outcome,
    answers::{LABEL, input_of, modal_inputs},
    options::{self, Typed},
};
use crate::{
    limits::message::flags,
    permissions::{USE_APPLICATION_COMMANDS, VIEW_CHANNEL},
    snowflake,
    world::{World, message::Stored},
};

impl World {
    /// Sends a slash command, or with `focused` a request to complete one of
    /// its options.
    pub(crate) fn use_command(
        &mut self,
        user: u64,
        channel: u64,
        path: &str,
        typed: Typed<'_>,
        focused: Option<&str>,
    ) -> anyhow::Result<u64> {
        let place = self.channels.get(&channel).context("no such channel")?;
        let here = |id| self.guilds.get(&id).is_some_and(|guild| guild.members.contains_key(&self.bot));
        ensure!(place.guild.is_none_or(here), "the bot was kicked, and its commands with it");
        let permissions = self.permissions(place, user);
        let needed = VIEW_CHANNEL | USE_APPLICATION_COMMANDS;
        ensure!(permissions & needed == needed, "the user may not use commands there");
        let data = options::build(self, user, place, path, typed, focused)?;
        let name = data["name"].clone();
        let command = self.commands.0.iter().find(|known| known.json["name"] == name);
        let wanted = command.and_then(|known| known.json["default_member_permissions"].as_str());
        let wanted: u64 = wanted.and_then(|text| text.parse().ok()).unwrap_or_default();
        ensure!(permissions & wanted == wanted, "the user does not see the command there");
        let kind = if focused.is_some() { Kind::Autocomplete } else { Kind::Command };
        self.interact(kind, user, channel, data, None)
    }

    /// Fills in the modal that an interaction was answered with.
    pub(crate) fn submit_modal(&mut self, interaction: u64, typed: Typed<'_>) -> anyhow::Result<u64> {
        let known = self.interactions.0.get(&interaction).context("no such interaction")?;
        let answer = known.answer.as_ref().filter(|answer| answer.kind == MODAL);
        let modal = &answer.context("it was not answered with a modal")?.data;
        let inputs = modal_inputs(modal);
        for (name, _) in typed {
            ensure!(inputs.contains(name), "the modal has no input {name}");
        }
        let row = |row: &Value| {
            let name = input_of(row)["custom_id"].as_str().unwrap_or_default();
            let value = typed.iter().find(|(typed, _)| *typed == name).map(|(_, text)| *text);
            let input = json!({ "type": 4, "custom_id": name, "value": value.unwrap_or_default() });
            if row["type"] == LABEL {
                json!({ "type": LABEL, "component": input })
            } else {
                json!({ "type": 1, "components": [input] })
            }
        };
        let rows: Vec<Value> = modal["components"].as_array().into_iter().flatten().map(row).collect();
        let data = json!({ "custom_id": modal["custom_id"], "components": rows });
        let (user, channel, pressed) = (known.user, known.channel, known.pressed);
        let pressed = pressed.and_then(|id| self.seen_message(user, channel, id).cloned());
        self.interact(Kind::ModalSubmit, user, channel, data, pressed.as_ref())
    }

    /// Makes an interaction and tells the bot; `pressed` is the message that it began at.
    pub(super) fn interact(
        &mut self,
        kind: Kind,
        user: u64,
        channel_id: u64,
        data: Value,
        pressed: Option<&Stored>,
    ) -> anyhow::Result<u64> {
        let channel = self.channels.get(&channel_id).context("no such channel")?;
        let (id, token) = (snowflake::next(), format!("{:032x}", rand::random::<u128>()));
        let permissions = self.permissions(channel, user);
        let guild = channel.guild;
        let mut json = json!({
            "id": id.to_string(),
            "application_id": self.bot.to_string(),
            "type": kind as u8,
            "data": data,
            "channel": options::partial(channel, permissions),
            "channel_id": channel_id.to_string(),
            "token": token,
            "version": 1,
            "app_permissions": self.permissions(channel, self.bot).to_string(),
            "locale": "en-US",
            "entitlements": [],
            "authorizing_integration_owners": { "0": guild.unwrap_or_default().to_string() },
            "context": if guild.is_some() { 0 } else { 1 },
            "attachment_size_limit": 10_485_760,
        });
        if let Some(message) = pressed {
            json["message"] = self.message_json(message);
        }
        match guild {
            Some(guild) => {
                let mut member = self.member_json(guild, user).context("the user is not in the guild")?;
                member["user"] = self.user_json(user);
                member["permissions"] = permissions.to_string().into();
                json["member"] = member;
                json["guild_id"] = guild.to_string().into();
                json["guild_locale"] = "en-US".into();
                json["guild"] = json!({ "id": guild.to_string(), "locale": "en-US", "features": [] });
            }
            None => json["user"] = self.user_json(user),
        }
        let record = Interaction {
            completing: options::focused(&json["data"]),
            kind,
            token,
            user,
            channel: channel_id,
            pressed: pressed.map(|message| message.id),
            sent: Instant::now(),
            answer: None,
            messages: Vec::new(),
        };
        self.interactions.0.insert(id, record);
        self.dispatch_interaction(guild, &json);
        Ok(id)
    }

    /// What the bot has answered so far.
    pub(crate) fn outcome(&self, interaction: u64) -> Outcome {
        let known = self.interactions.0.get(&interaction);
        let messages = known.map(|known| known.messages.as_slice()).unwrap_or_default();
        let there = messages.iter().filter(|message| message.flags & flags::LOADING == 0);
        Outcome {
            answer: known.and_then(|known| known.answer.clone()),
            messages: there.map(|message| self.shown(message)).collect(),
        }
    }
}
