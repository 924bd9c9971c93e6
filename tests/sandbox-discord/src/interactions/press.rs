//! The person's side of buttons and menus.

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::Kind;
use crate::{
    permissions::VIEW_CHANNEL,
    world::{World, message::Stored},
};

const BUTTON: u64 = 2;
const STRING_MENU: u64 = 3;

impl World {
    /// Presses a button, or with `values` chooses from a menu.
    pub(crate) fn press(
        &mut self,
        user: u64,
        channel: u64,
        message: u64,
        custom_id: &str,
        values: &[&str],
    ) -> anyhow::Result<u64> {
        let place = self.channels.get(&channel).context("no such channel")?;
        ensure!(self.permissions(place, user) & VIEW_CHANNEL != 0, "the user does not see the channel");
        ensure!(place.guild.is_none_or(|guild| !self.is_timed_out(guild, user)), "the user is timed out");
        let message = self.seen_message(user, channel, message).context("the user sees no such message")?;
        ensure!(message.author == self.bot, "the message is not the bot's");
        let message = message.clone();
        let component = find(&message, custom_id).context("the message has no such component")?;
        ensure!(component["disabled"] != true, "the component is disabled");
        let mut data = json!({
            "id": component["id"], "custom_id": custom_id, "component_type": component["type"],
        });
        if component["type"] == BUTTON {
            ensure!(values.is_empty(), "a button has no values");
        } else {
            check_choice(component, values)?;
            data["values"] = values.into();
        }
        self.interact(Kind::Component, user, channel, data, Some(&message))
    }

    /// A message of the channel, or an answer that this user alone sees there.
    pub(super) fn seen_message(&self, user: u64, channel: u64, id: u64) -> Option<&Stored> {
        let public = self.channels.get(&channel).and_then(|channel| channel.messages.get(&id));
        let own = self.interactions.0.values().filter(|known| known.user == user);
        let mut answers = own.flat_map(|known| &known.messages);
        public.or_else(|| answers.find(|message| message.id == id && message.channel == channel))
    }
}

fn find<'a>(message: &'a Stored, custom_id: &str) -> Option<&'a Value> {
    let rows = message.components.iter().filter_map(|row| row["components"].as_array());
    rows.flatten().find(|component| component["custom_id"] == custom_id)
}

fn check_choice(menu: &Value, values: &[&str]) -> anyhow::Result<()> {
    let limit = |name: &str| menu[name].as_u64().and_then(|limit| usize::try_from(limit).ok()).unwrap_or(1);
    let allowed = limit("min_values")..=limit("max_values");
    ensure!(allowed.contains(&values.len()), "the menu takes {allowed:?} values");
    if menu["type"] == STRING_MENU {
        let options = menu["options"].as_array().map(Vec::as_slice).unwrap_or_default();
        for value in values {
            ensure!(options.iter().any(|option| option["value"] == *value), "the menu has no option {value}");
        }
    }
    Ok(())
}
