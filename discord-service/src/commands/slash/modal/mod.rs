//! The modal that asks for a client secret: the only place where one is typed.

use secrecy::SecretString;
use serde_json::{Value, json};
use shared::{ChannelId, text::cut};

use crate::{commands::trust::SECRET_CHARS, gateway::FilledIn, guilds::Channel};

/// What its custom id begins with; the channel's id follows.
const ID: &str = "secret:";
const INPUT: &str = "client-secret";
/// Discord's limit for a title, in characters.
const MAX_TITLE: usize = 45;
/// A label, and in it a text input of one line.
const LABEL: u8 = 18;
const TEXT_INPUT: u8 = 4;
const ONE_LINE: u8 = 1;

/// The modal for this channel, as Discord takes it.
pub(super) fn ask(channel: &Channel) -> Value {
    let input = json!({
        "type": TEXT_INPUT,
        "style": ONE_LINE,
        "custom_id": INPUT,
        "placeholder": "Settings → Developer Settings → your integration",
        "min_length": SECRET_CHARS.start(),
        "max_length": SECRET_CHARS.end(),
        "required": true,
    });
    json!({
        "custom_id": format!("{ID}{}", channel.id),
        "title": cut(&format!("Client secret for #{}", channel.name), MAX_TITLE),
        "components": [{
            "type": LABEL,
            "label": "Client Secret of the integration in Sentry",
            "component": input,
        }],
    })
}

/// The channel that it was about and what was typed; `None` for a modal of
/// another version.
pub(super) fn read(form: &FilledIn) -> Option<(ChannelId, &SecretString)> {
    Some((form.id.strip_prefix(ID)?.parse().ok()?, form.inputs.get(INPUT)?))
}

#[cfg(test)]
mod tests;
