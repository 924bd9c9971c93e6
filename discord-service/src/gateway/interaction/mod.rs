//! What somebody does with the bot's slash commands and buttons, as the gateway tells it.
//! <https://docs.discord.com/developers/interactions/receiving-and-responding>

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serenity::model::Permissions;
use shared::{ChannelId, GuildId, UserId};

use super::protocol::Author;
use crate::snowflake;

/// Somebody used one of the bot's commands or buttons, or is about to.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// The interaction's id.
    pub id: u64,
    /// The bot's application, under which later answers go.
    pub application: u64,
    /// Allows to answer this interaction, for 15 minutes.
    pub token: SecretString,
    /// Who.
    pub user: UserId,
    /// Where; none outside guilds.
    pub place: Option<Place>,
    /// What is wanted.
    pub wants: Wants,
    /// The bot's own id.
    pub bot: UserId,
}

/// Where in a guild a command is used.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The guild.
    pub guild: GuildId,
    /// The channel.
    pub channel: ChannelId,
    /// What the user may do in the channel, as Discord computed it.
    pub granted: Permissions,
}

/// What is wanted.
#[derive(Debug, Clone)]
pub enum Wants {
    /// That the command is carried out.
    Run(SlashCommand),
    /// Completions of the option of this name, which is being typed.
    Complete(SlashCommand, String),
    /// That a button does what it says.
    Press(PressedButton),
    /// That what was filled into a modal is taken.
    Submit(FilledIn),
}

/// A button that somebody pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PressedButton {
    /// The message with the button.
    pub message: u64,
    /// The button's custom id.
    pub custom_id: String,
}

/// A modal that somebody filled in.
#[derive(Debug, Clone)]
pub struct FilledIn {
    /// The modal's own custom id.
    pub id: String,
    /// By the input's custom id. They may be secrets.
    pub inputs: BTreeMap<String, SecretString>,
}

/// A command with its arguments, as Discord's client filled it in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlashCommand {
    /// The names of command, group and subcommand: `/sentry channel revoke` has three.
    pub path: Vec<String>,
    /// By the option's name. Channels and users are ids.
    pub arguments: BTreeMap<String, String>,
}

/// The event.
#[derive(Debug, Deserialize)]
pub(super) struct InteractionCreate {
    #[serde(with = "snowflake")]
    id: u64,
    #[serde(with = "snowflake")]
    application_id: u64,
    #[serde(rename = "type")]
    kind: u64,
    #[serde(deserialize_with = "secret")]
    token: SecretString,
    #[serde(default)]
    guild_id: Option<String>,
    #[serde(default)]
    channel_id: Option<String>,
    /// Who, in a guild.
    #[serde(default)]
    member: Option<InvokingMember>,
    /// Who, elsewhere.
    #[serde(default)]
    user: Option<Author>,
    #[serde(default)]
    data: WireData,
    /// The message whose component was used.
    #[serde(default)]
    message: Option<WireMessage>,
}

#[derive(Debug, Deserialize)]
struct WireMessage {
    #[serde(with = "snowflake")]
    id: u64,
}

/// The kinds of interactions that are handed on. `COMPONENT` is a button or a menu.
const COMMAND: u64 = 2;
const COMPONENT: u64 = 3;
const AUTOCOMPLETE: u64 = 4;
const MODAL_SUBMIT: u64 = 5;

#[derive(Debug, Deserialize)]
struct InvokingMember {
    user: Author,
    permissions: Permissions,
}

#[derive(Debug, Default, Deserialize)]
struct WireData {
    #[serde(default)]
    name: String,
    #[serde(default)]
    options: Vec<WireOption>,
    /// Of a modal, or of a component.
    #[serde(default)]
    custom_id: String,
    #[serde(default)]
    components: Vec<WireComponent>,
}

/// An input of a modal, or what holds inputs: a row, or a label.
#[derive(Debug, Deserialize)]
struct WireComponent {
    #[serde(default)]
    custom_id: String,
    #[serde(default)]
    value: Option<WireSecret>,
    #[serde(default)]
    components: Vec<WireComponent>,
    #[serde(default)]
    component: Option<Box<WireComponent>>,
}

#[derive(Debug, Deserialize)]
struct WireSecret(#[serde(deserialize_with = "secret")] SecretString);

#[derive(Debug, Deserialize)]
struct WireOption {
    name: String,
    #[serde(rename = "type")]
    kind: u64,
    #[serde(default)]
    value: Value,
    #[serde(default)]
    focused: bool,
    #[serde(default)]
    options: Vec<WireOption>,
}

impl WireOption {
    /// Subcommands and groups of them; all other kinds are arguments.
    const fn nests(&self) -> bool {
        matches!(self.kind, 1 | 2)
    }
}

impl InteractionCreate {
    /// `None` for kinds of interactions that the bot never asks for.
    pub(super) fn invoked(self, bot: u64) -> Option<Invoked> {
        let wants = match self.kind {
            COMMAND => Wants::Run(self.data.command().0),
            AUTOCOMPLETE => {
                let (command, focused) = self.data.command();
                Wants::Complete(command, focused?)
            }
            COMPONENT => {
                Wants::Press(PressedButton { message: self.message?.id, custom_id: self.data.custom_id })
            }
            MODAL_SUBMIT => Wants::Submit(self.data.filled_in()),
            _ => return None,
        };
        let user = self.member.as_ref().map(|member| &member.user).or(self.user.as_ref())?.id;
        let place = || {
            Some(Place {
                guild: self.guild_id?.parse().ok()?,
                channel: self.channel_id?.parse().ok()?,
                granted: self.member?.permissions,
            })
        };
        Some(Invoked {
            id: self.id,
            application: self.application_id,
            token: self.token,
            user: UserId::new(user),
            place: place(),
            wants,
            bot: UserId::new(bot),
        })
    }
}

impl WireData {
    /// The command, and the name of the option that is being typed.
    fn command(self) -> (SlashCommand, Option<String>) {
        let (mut path, mut options) = (vec![self.name], self.options);
        while let Some(index) = options.iter().position(WireOption::nests) {
            let inner = options.swap_remove(index);
            path.push(inner.name);
            options = inner.options;
        }
        let focused = options.iter().find(|option| option.focused).map(|option| option.name.clone());
        let arguments = options.into_iter().map(|option| (option.name, text(option.value))).collect();
        (SlashCommand { path, arguments }, focused)
    }

    fn filled_in(self) -> FilledIn {
        let mut inputs = BTreeMap::new();
        let mut components = self.components;
        while let Some(WireComponent { custom_id, value, components: inner, component }) = components.pop() {
            inputs.extend(value.map(|WireSecret(value)| (custom_id, value)));
            components.extend(inner.into_iter().chain(component.map(|component| *component)));
        }
        FilledIn { id: self.custom_id, inputs }
    }
}

fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

#[cfg(test)]
mod tests;
