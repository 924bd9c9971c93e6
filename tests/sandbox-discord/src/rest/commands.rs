//! `/applications/{application.id}/commands`.

use serde_json::Value;

use super::{Call, Outcome, Reply};
use crate::{error::ApiError, snowflake, world::World};

/// The commands that the bot has registered.
#[derive(Debug, Default)]
pub(crate) struct Commands(pub(crate) Vec<Command>);

/// One command, of a guild or of all.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) id: u64,
    pub(crate) guild: Option<u64>,
    pub(crate) json: Value,
}

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let guild = scope(world, call)?;
    let commands = world.commands.0.iter().filter(|command| command.guild == guild);
    Reply::ok(commands.map(|command| command.json.clone()).collect())
}

fn scope(world: &World, call: &Call) -> Result<Option<u64>, ApiError> {
    if call.id("application_id") != world.bot {
        return Err(ApiError::new(
            403,
            20012,
            "You are not authorized to perform this action on this application",
        ));
    }
    match call.id("guild_id") {
        0 => Ok(None),
        guild => world.own_guild(guild).map(|guild| Some(guild.id)),
    }
}

pub(super) fn replace(world: &mut World, call: &Call) -> Outcome {
    let guild = scope(world, call)?;
    let commands: Vec<_> =
        call.body.as_array().into_iter().flatten().map(|body| build(world, guild, body)).collect();
    world.commands.0.retain(|command| command.guild != guild);
    world.commands.0.extend(commands);
    list(world, call)
}

fn build(world: &World, guild: Option<u64>, body: &Value) -> Command {
    let id = snowflake::next();
    let mut json = body.clone();
    json["id"] = id.to_string().into();
    json["application_id"] = world.bot.to_string().into();
    json["version"] = snowflake::next().to_string().into();
    if let Some(guild) = guild {
        json["guild_id"] = guild.to_string().into();
    }
    for (name, default) in [
        ("type", Value::from(1)),
        ("description", "".into()),
        ("default_member_permissions", Value::Null),
        ("nsfw", false.into()),
    ] {
        if json.get(name).is_none() {
            json[name] = default;
        }
    }
    Command { id, guild, json }
}

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let guild = scope(world, call)?;
    let command = build(world, guild, &call.body);
    let same = |known: &Command| known.guild == guild && known.json["name"] == command.json["name"];
    world.commands.0.retain(|known| !same(known));
    let json = command.json.clone();
    world.commands.0.push(command);
    Reply::created(json)
}

fn find(world: &World, call: &Call) -> Result<usize, ApiError> {
    let guild = scope(world, call)?;
    let id = call.id("command_id");
    let found = world.commands.0.iter().position(|command| command.id == id && command.guild == guild);
    found.ok_or_else(|| ApiError::new(404, 10063, "Unknown application command"))
}

pub(super) fn get(world: &mut World, call: &Call) -> Outcome {
    let index = find(world, call)?;
    Reply::ok(world.commands.0.get(index).map(|command| command.json.clone()).into())
}

pub(super) fn edit(world: &mut World, call: &Call) -> Outcome {
    let index = find(world, call)?;
    if let Some(command) = world.commands.0.get_mut(index)
        && let Some(changes) = call.body.as_object()
    {
        for (name, value) in changes {
            command.json[name] = value.clone();
        }
    }
    get(world, call)
}

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let index = find(world, call)?;
    world.commands.0.remove(index);
    Reply::empty()
}
