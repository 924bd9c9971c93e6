//! `/applications/{application.id}/commands`.

use serde_json::{Value, json};

use super::{Call, Outcome, Reply};
use crate::{
    error::ApiError,
    limits::commands::{self as limits, COMMANDS_MAX},
    snowflake,
    world::World,
};

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
    limits::check_all(&call.body)?;
    let bodies = call.body.as_array().into_iter().flatten();
    let commands: Vec<_> = bodies.map(|body| build(world, guild, body)).collect();
    world.commands.0.retain(|command| command.guild != guild);
    world.commands.0.extend(commands);
    list(world, call)
}

/// The command as Discord keeps it. One of the same name keeps its id.
fn build(world: &World, guild: Option<u64>, body: &Value) -> Command {
    let same = |known: &&Command| known.guild == guild && known.json["name"] == body["name"];
    let id = world.commands.0.iter().find(same).map_or_else(snowflake::next, |known| known.id);
    let mut json = json!({
        "type": 1,
        "options": [],
        "default_member_permissions": null,
        "dm_permission": true,
        "contexts": null,
        "integration_types": [0],
        "nsfw": false,
        "name_localizations": null,
        "description_localizations": null,
    });
    for (name, value) in body.as_object().into_iter().flatten() {
        json[name] = value.clone();
    }
    json["id"] = id.to_string().into();
    json["application_id"] = world.bot.to_string().into();
    json["version"] = snowflake::next().to_string().into();
    if let Some(guild) = guild {
        json["guild_id"] = guild.to_string().into();
    }
    Command { id, guild, json }
}

/// Creates a command, or replaces the one of that name: 201 or 200.
pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let guild = scope(world, call)?;
    limits::check(&call.body)?;
    let command = build(world, guild, &call.body);
    let before = world.commands.0.len();
    world.commands.0.retain(|known| known.id != command.id);
    let is_new = world.commands.0.len() == before;
    if is_new && world.commands.0.iter().filter(|known| known.guild == guild).count() >= COMMANDS_MAX {
        let message = format!("Maximum number of application commands reached ({COMMANDS_MAX}).");
        return Err(ApiError::new(400, 30032, message));
    }
    let json = command.json.clone();
    world.commands.0.push(command);
    if is_new { Reply::created(json) } else { Reply::ok(json) }
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
    let mut changed = world.commands.0.get(index).map(|command| command.json.clone()).unwrap_or_default();
    for (name, value) in call.body.as_object().into_iter().flatten() {
        changed[name] = value.clone();
    }
    limits::check(&changed)?;
    changed["version"] = snowflake::next().to_string().into();
    if let Some(command) = world.commands.0.get_mut(index) {
        command.json = changed;
    }
    get(world, call)
}

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let index = find(world, call)?;
    world.commands.0.remove(index);
    Reply::empty()
}
