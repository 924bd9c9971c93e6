//! From what a person types to the `data` of a slash command, checked against
//! the command as the bot registered it, as Discord's client would.

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value, json};

use crate::{
    limits::commands::option,
    limits::values::NUMBER_MAX,
    permissions::VIEW_CHANNEL,
    snowflake,
    world::{World, channel::Channel},
};

/// Names and values, as typed.
pub(super) type Typed<'a> = &'a [(&'a str, &'a str)];

/// Builds the `data` for `path`: the words of command, group and subcommand.
/// With `focused` it is for an autocompletion, and may be incomplete.
pub(super) fn build(
    world: &World,
    user: u64,
    place: &Channel,
    path: &str,
    typed: Typed<'_>,
    focused: Option<&str>,
) -> anyhow::Result<Value> {
    let mut words = path.split_whitespace();
    let name = words.next().context("no command was named")?;
    let here = |known: &&crate::rest::commands::Command| {
        known.json["name"] == name && (known.guild.is_none() || known.guild == place.guild)
    };
    let command =
        world.commands.0.iter().find(here).with_context(|| format!("no command /{name} is registered"))?;
    let mut builder = Builder { world, user, place, resolved: json!({}), focused };
    let words: Vec<&str> = words.collect();
    let options = builder.level(&command.json, &words, typed)?;
    let mut data = json!({
        "id": command.id.to_string(), "name": name, "type": 1, "options": options,
    });
    if builder.resolved != json!({}) {
        data["resolved"] = builder.resolved;
    }
    if let Some(guild) = command.guild {
        data["guild_id"] = guild.to_string().into();
    }
    Ok(data)
}

/// The type of the option that is being typed, somewhere below.
pub(super) fn focused(data: &Value) -> Option<i64> {
    let options = data["options"].as_array().into_iter().flatten();
    let kind =
        |option: &Value| if option["focused"] == true { option["type"].as_i64() } else { focused(option) };
    options.filter_map(kind).next()
}

struct Builder<'a> {
    world: &'a World,
    user: u64,
    /// Where the command is used.
    place: &'a Channel,
    resolved: Value,
    focused: Option<&'a str>,
}

impl Builder<'_> {
    /// One level of the command: a subcommand, or the values.
    fn level(&mut self, definition: &Value, words: &[&str], typed: Typed<'_>) -> anyhow::Result<Vec<Value>> {
        let known = definition["options"].as_array().map(Vec::as_slice).unwrap_or_default();
        let nests = |option: &Value| option["type"].as_i64() <= Some(option::SUB_COMMAND_GROUP);
        if let Some((word, rest)) = words.split_first() {
            let inner = known.iter().find(|option| option["name"] == *word && nests(option));
            let inner = inner.with_context(|| format!("there is no subcommand {word}"))?;
            let options = self.level(inner, rest, typed)?;
            return Ok(vec![json!({ "name": word, "type": inner["type"], "options": options })]);
        }
        ensure!(!known.iter().any(nests), "a subcommand is missing");
        for (name, _) in typed {
            ensure!(known.iter().any(|option| option["name"] == *name), "there is no option {name}");
        }
        let mut options = Vec::new();
        for option in known {
            let name = option["name"].as_str().unwrap_or_default();
            match typed.iter().find(|(typed, _)| *typed == name) {
                Some((_, text)) => match self.value(option, name, text) {
                    Ok(value) => options.push(value),
                    // While somebody types, what is not yet a value is left out.
                    Err(_) if self.focused.is_some_and(|focused| focused != name) => {}
                    Err(error) => return Err(error),
                },
                None => {
                    let missing = option["required"] == true && self.focused.is_none();
                    ensure!(!missing, "the option {name} is required");
                }
            }
        }
        Ok(options)
    }

    fn value(&mut self, definition: &Value, name: &str, text: &str) -> anyhow::Result<Value> {
        let kind = definition["type"].as_i64().unwrap_or_default();
        if self.focused == Some(name) {
            ensure!(definition["autocomplete"] == true, "the option {name} has no autocompletion");
            return Ok(json!({ "name": name, "type": kind, "value": text, "focused": true }));
        }
        let value = match kind {
            option::STRING => {
                check_length(definition, name, text)?;
                text.into()
            }
            option::INTEGER => {
                let number: i64 = text.parse().context("not an integer")?;
                check_bounds(definition, name, number as f64)?;
                number.into()
            }
            option::NUMBER => {
                let number: f64 = text.parse().context("not a number")?;
                check_bounds(definition, name, number)?;
                number.into()
            }
            option::BOOLEAN => text.parse::<bool>().context("neither true nor false")?.into(),
            option::USER | option::CHANNEL | option::ROLE | option::MENTIONABLE => {
                self.resolve(definition, kind, text)?
            }
            _ => bail!("the sandbox does not play options of type {kind}"),
        };
        if let Some(choices) = definition["choices"].as_array().filter(|choices| !choices.is_empty()) {
            let offered = choices.iter().any(|choice| choice["value"] == value);
            ensure!(offered, "{text} is none of the choices of {name}");
        }
        Ok(json!({ "name": name, "type": kind, "value": value }))
    }

    /// An id, with what it stands for beside it.
    fn resolve(&mut self, definition: &Value, kind: i64, text: &str) -> anyhow::Result<Value> {
        let id = snowflake::parse(text).context("not an id")?;
        let guild = self.place.guild.and_then(|guild| self.world.guilds.get(&guild));
        let role = guild.and_then(|guild| guild.roles.get(&id));
        match kind {
            option::CHANNEL => self.resolved["channels"][text] = self.channel(definition, id)?,
            option::ROLE => {
                self.resolved["roles"][text] = role.context("the server has no such role")?.json(1)
            }
            _ => match role.filter(|_| kind == option::MENTIONABLE) {
                Some(role) => self.resolved["roles"][text] = role.json(1),
                None => self.resolve_user(id, text)?,
            },
        }
        Ok(text.into())
    }

    /// A user, and the member that they are here.
    fn resolve_user(&mut self, id: u64, text: &str) -> anyhow::Result<()> {
        ensure!(self.world.users.contains_key(&id), "nobody has the id {id}");
        self.resolved["users"][text] = self.world.user_json(id);
        let member = self.place.guild.and_then(|guild| self.world.member_json(guild, id));
        if let Some(Value::Object(mut member)) = member {
            member.retain(|name, _| name != "deaf" && name != "mute");
            let permissions = self.world.permissions(self.place, id);
            member.insert("permissions".to_owned(), permissions.to_string().into());
            self.resolved["members"][text] = member.into();
        }
        Ok(())
    }

    fn channel(&self, definition: &Value, id: u64) -> anyhow::Result<Value> {
        let channel = self.world.channels.get(&id).context("no such channel")?;
        let permissions = self.world.permissions(channel, self.user);
        ensure!(permissions & VIEW_CHANNEL != 0, "the user does not see the channel {id}");
        let kinds = definition["channel_types"].as_array().filter(|kinds| !kinds.is_empty());
        let fits = kinds.is_none_or(|kinds| kinds.contains(&(channel.kind as u8).into()));
        ensure!(fits, "the command does not take channels of this kind");
        Ok(partial(channel, permissions))
    }
}

fn check_length(definition: &Value, name: &str, text: &str) -> anyhow::Result<()> {
    let length = text.chars().count() as u64;
    let (min, max) = (definition["min_length"].as_u64(), definition["max_length"].as_u64());
    ensure!(min.is_none_or(|min| length >= min), "{name} is too short");
    ensure!(length <= max.unwrap_or(6000), "{name} is too long");
    Ok(())
}

fn check_bounds(definition: &Value, name: &str, number: f64) -> anyhow::Result<()> {
    let limit = NUMBER_MAX as f64;
    let (min, max) = (definition["min_value"].as_f64(), definition["max_value"].as_f64());
    ensure!(number >= min.unwrap_or(-limit), "{name} is too small");
    ensure!(number <= max.unwrap_or(limit), "{name} is too large");
    Ok(())
}

/// A channel as interactions carry it, with what the user may do there.
pub(super) fn partial(channel: &Channel, permissions: u64) -> Value {
    let mut whole = channel.json();
    let mut partial = Map::new();
    let names = [
        "id",
        "name",
        "type",
        "parent_id",
        "guild_id",
        "thread_metadata",
        "flags",
        "last_message_id",
        "nsfw",
        "position",
        "topic",
        "rate_limit_per_user",
    ];
    for name in names {
        if let Some(value) = whole.get_mut(name) {
            partial.insert(name.to_owned(), value.take());
        }
    }
    partial.insert("permissions".to_owned(), permissions.to_string().into());
    Value::Object(partial)
}
