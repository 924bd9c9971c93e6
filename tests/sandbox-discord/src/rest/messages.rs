//! `/channels/{channel.id}/messages`.

use serde_json::Value;

use super::{Call, Outcome, Reply};
use crate::{
    error::ApiError,
    limits::message::Draft,
    permissions::{MANAGE_MESSAGES, READ_MESSAGE_HISTORY},
    snowflake,
    world::{World, channel::Channel, message::Stored},
};

const PAGE_MAX: usize = 100;
const PAGE: usize = 50;

pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let draft = Draft::check(&call.body)?;
    let channel = call.id("channel_id");
    world.visible_channel(channel)?;
    if draft.is_empty() {
        return Err(ApiError::empty_message());
    }
    let enforced = draft.nonce.as_deref().filter(|_| draft.enforce_nonce);
    if let Some(nonce) = enforced
        && let Some((channel, message)) = world.nonces.find(nonce, world.config.clocks.nonce_window)
    {
        world.stats.nonce_repeats += 1;
        let first = world.channels.get(&channel).and_then(|channel| channel.messages.get(&message));
        return Reply::ok(created(world, first.ok_or_else(ApiError::unknown_message)?));
    }
    let message = world.post(channel, world.bot, &draft, call.body.clone())?;
    if let Some(nonce) = &draft.nonce {
        world.nonces.remember(nonce, channel, message.id);
    }
    Reply::ok(created(world, &message))
}

/// The message with its nonce, which only its creator gets.
fn created(world: &World, message: &Stored) -> Value {
    let mut json = world.message_json(message);
    if let Some(nonce) = &message.nonce {
        json["nonce"] = nonce.as_str().into();
    }
    json
}

pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let channel = world.visible_channel(call.id("channel_id"))?;
    if world.permissions(channel, world.bot) & READ_MESSAGE_HISTORY == 0 {
        return Reply::ok(Vec::<Value>::new().into());
    }
    let limit = match call.query("limit").map(str::parse::<usize>) {
        None => PAGE,
        Some(Ok(limit @ 1..=PAGE_MAX)) => limit,
        Some(_) => return Err(ApiError::new(400, 50035, "Invalid Form Body")),
    };
    let bound = |name| call.query(name).and_then(snowflake::parse);
    let (before, after) = (bound("before"), bound("after"));
    let wanted = |id: &u64| before.is_none_or(|end| *id < end) && after.is_none_or(|start| *id > start);
    let mut ids: Vec<u64> = channel.messages.keys().copied().filter(wanted).collect();
    if after.is_some() {
        ids.truncate(limit);
    }
    let newest_first = ids.iter().rev().take(limit).filter_map(|id| channel.messages.get(id));
    let allowed = world.config.message_content;
    Reply::ok(newest_first.map(|message| world.message_for_bot(message, allowed)).collect())
}

fn find(world: &World, call: &Call) -> Result<Stored, ApiError> {
    let channel = world.visible_channel(call.id("channel_id"))?;
    channel.messages.get(&call.id("message_id")).cloned().ok_or_else(ApiError::unknown_message)
}

pub(super) fn get(world: &mut World, call: &Call) -> Outcome {
    let channel = world.visible_channel(call.id("channel_id"))?;
    if world.permissions(channel, world.bot) & READ_MESSAGE_HISTORY == 0 {
        return Err(ApiError::missing_permissions());
    }
    let message = find(world, call)?;
    Reply::ok(world.message_for_bot(&message, world.config.message_content))
}

/// A message in an archived thread cannot be changed.
fn may_change(channel: &Channel) -> Result<(), ApiError> {
    if channel.archived { Err(ApiError::new(400, 50083, "Thread is archived")) } else { Ok(()) }
}

pub(super) fn edit(world: &mut World, call: &Call) -> Outcome {
    let draft = Draft::check(&call.body)?;
    let mut message = find(world, call)?;
    if message.author != world.bot {
        return Err(ApiError::new(403, 50005, "Cannot edit a message authored by another user"));
    }
    let channel = world.visible_channel(message.channel)?;
    if channel.guild.is_some_and(|guild| world.is_timed_out(guild, world.bot)) {
        return Err(ApiError::missing_permissions());
    }
    may_change(channel)?;
    world.change(&mut message, draft, call.body.clone())?;
    world.update_message(message.clone());
    let message = find(world, call).unwrap_or(message);
    Reply::ok(world.message_json(&message))
}

pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let message = find(world, call)?;
    let channel = world.visible_channel(message.channel)?;
    let may = message.author == world.bot || world.permissions(channel, world.bot) & MANAGE_MESSAGES != 0;
    if !may {
        return Err(ApiError::missing_permissions());
    }
    may_change(channel)?;
    world.delete_message(message.channel, message.id);
    Reply::empty()
}
