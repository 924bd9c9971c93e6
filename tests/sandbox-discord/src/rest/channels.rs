//! `/channels/{channel.id}` and private channels.

use super::{Call, Outcome, Reply};
use crate::{
    error::{ApiError, FormErrors},
    form::Field,
    world::{World, post::may_write},
};

pub(super) fn get(world: &mut World, call: &Call) -> Outcome {
    let channel = world.visible_channel(call.id("channel_id"))?;
    let mut json = channel.json();
    if let Some(user) = channel.recipient {
        json["recipients"] = vec![world.user_json(user)].into();
    }
    if channel.thread_members.contains(&world.bot) {
        json["member"] = channel.thread_member_json(world.bot);
    }
    Reply::ok(json)
}

pub(super) fn thread_member(world: &mut World, call: &Call) -> Outcome {
    let channel = world.visible_channel(call.id("channel_id"))?;
    let user = call.id("user_id");
    if !channel.thread_members.contains(&user) {
        return Err(ApiError::unknown_member());
    }
    Reply::ok(channel.thread_member_json(user))
}

pub(super) fn typing(world: &mut World, call: &Call) -> Outcome {
    let channel = world.visible_channel(call.id("channel_id"))?;
    may_write(channel, world.permissions(channel, world.bot))?;
    Reply::empty()
}

pub(super) fn open_private(world: &mut World, call: &Call) -> Outcome {
    let mut errors = FormErrors::default();
    let form = Field::root(&call.body);
    let user = match form.get("recipient_id") {
        Some(id) => id.snowflake(&mut errors),
        None => {
            form.require(&mut errors, "recipient_id");
            None
        }
    };
    errors.check()?;
    let user = user.filter(|id| world.users.contains_key(id)).ok_or_else(ApiError::unknown_user)?;
    let channel = world.private_channel(user);
    let mut json = world.visible_channel(channel)?.json();
    json["recipients"] = vec![world.user_json(user)].into();
    Reply::ok(json)
}
