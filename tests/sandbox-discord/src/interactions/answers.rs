//! The bot's side: `/interactions/…/callback` and `/webhooks/…`.

use serde_json::{Value, json};

use super::{Answer, Interaction, Kind, MODAL};
use crate::{
    error::{ApiError, FormErrors},
    limits::{
        message::{Draft, flags},
        modals,
    },
    rest::{Call, Outcome, Reply},
    world::{World, message::Stored},
};

const MESSAGE: u64 = 4;
const DEFERRED_MESSAGE: u64 = 5;
const DEFERRED_EDIT: u64 = 6;
const EDIT: u64 = 7;
const CHOICES: u64 = 8;

/// The component that names a modal's input.
pub(super) const LABEL: u64 = 18;

fn unknown_interaction() -> ApiError {
    ApiError::new(404, 10062, "Unknown interaction")
}

fn unknown_webhook() -> ApiError {
    ApiError::new(404, 10015, "Unknown Webhook")
}

/// The first answer, within the deadline.
pub(crate) fn callback(world: &mut World, call: &Call) -> Outcome {
    let deadline = world.config.clocks.interaction_deadline;
    let id = call.id("interaction_id");
    let interaction = world.interactions.0.get(&id).filter(|known| known.token == call.token);
    let interaction = interaction.ok_or_else(unknown_interaction)?;
    if interaction.answer.is_some() {
        return Err(ApiError::new(400, 40060, "Interaction has already been acknowledged."));
    }
    if interaction.sent.elapsed() > deadline {
        return Err(unknown_interaction());
    }
    let (asked, kind) = (interaction.kind, answer_kind(&call.body, interaction)?);
    let data = call.body["data"].clone();
    let message = first_message(world, interaction, kind, &data)?;
    match (&message, kind) {
        (Some(message), EDIT) => world.show(message, "MESSAGE_UPDATE"),
        (Some(message), MESSAGE) => world.show(message, "MESSAGE_CREATE"),
        _ => {}
    }
    if let Some(interaction) = world.interactions.0.get_mut(&id) {
        interaction.answer = Some(Answer { kind, data });
        interaction.messages.extend(message.clone());
    }
    if call.query("with_response") != Some("true") {
        return Reply::empty();
    }
    let shown = message.map(|message| world.message_json(&message));
    Reply::ok(json!({
        "interaction": { "id": id.to_string(), "type": asked as u8 },
        "resource": { "type": kind, "message": shown },
    }))
}

/// The type of an answer, if that interaction takes it.
fn answer_kind(body: &Value, interaction: &Interaction) -> Result<u64, ApiError> {
    let allowed: &[u64] = match interaction.kind {
        Kind::Command => &[MESSAGE, DEFERRED_MESSAGE, MODAL],
        Kind::Component => &[MESSAGE, DEFERRED_MESSAGE, DEFERRED_EDIT, EDIT, MODAL],
        Kind::ModalSubmit if interaction.pressed.is_some() => {
            &[MESSAGE, DEFERRED_MESSAGE, DEFERRED_EDIT, EDIT]
        }
        Kind::ModalSubmit => &[MESSAGE, DEFERRED_MESSAGE],
        Kind::Autocomplete => &[CHOICES],
    };
    let kind = body["type"].as_u64();
    if let Some(kind) = kind.filter(|kind| allowed.contains(kind)) {
        return Ok(kind);
    }
    let mut errors = FormErrors::default();
    let message = format!("Value must be one of {allowed:?}.");
    errors.add(&["type".to_owned()], "BASE_TYPE_CHOICES", message);
    errors.check().map(|()| MESSAGE)
}

fn first_message(
    world: &World,
    interaction: &Interaction,
    kind: u64,
    data: &Value,
) -> Result<Option<Stored>, ApiError> {
    match kind {
        MODAL => modals::check(data).map(|()| None),
        CHOICES => modals::check_choices(data, interaction.completing.unwrap_or_default()).map(|()| None),
        DEFERRED_MESSAGE => {
            let ephemeral = data["flags"].as_u64().unwrap_or_default() & flags::EPHEMERAL;
            let draft = Draft { flags: ephemeral | flags::LOADING, ..Draft::default() };
            Ok(Some(Stored::new(interaction.channel, world.bot, &draft, Value::Null)))
        }
        DEFERRED_EDIT => pressed_message(world, interaction).map(Some),
        EDIT => {
            let mut message = pressed_message(world, interaction)?;
            world.change(&mut message, answer_draft(data)?, data.clone())?;
            message.edited_at = Some(crate::snowflake::now());
            Ok(Some(message))
        }
        _ => message(world, interaction, data).map(Some),
    }
}

/// The message whose component was used.
fn pressed_message(world: &World, interaction: &Interaction) -> Result<Stored, ApiError> {
    let found =
        interaction.pressed.and_then(|id| world.seen_message(interaction.user, interaction.channel, id));
    found.cloned().ok_or_else(ApiError::unknown_message)
}

/// A message that answers an interaction needs no permission of the bot.
fn message(world: &World, interaction: &Interaction, body: &Value) -> Result<Stored, ApiError> {
    let draft = answer_draft(body)?;
    if draft.is_empty() {
        return Err(ApiError::empty_message());
    }
    let mut message = Stored::new(interaction.channel, world.bot, &draft, body.clone());
    message.highlights = world.highlights(&message, &draft.allowed_mentions);
    message.pings = message.highlights.clone();
    Ok(message)
}

/// An answer that does not say whom it may ping pings users only.
fn answer_draft(body: &Value) -> Result<Draft, ApiError> {
    let mut draft = Draft::check(body)?;
    draft.allowed_mentions = draft.allowed_mentions.or_users();
    Ok(draft)
}

/// The interaction of a webhook's path: it must have been answered, and its
/// token must still be valid.
fn find(world: &World, call: &Call) -> Result<u64, ApiError> {
    if call.id("application_id") != world.bot {
        return Err(unknown_webhook());
    }
    let found = world.interactions.0.iter().find(|(_, known)| known.token == call.token);
    let (id, interaction) = found.ok_or_else(unknown_webhook)?;
    if interaction.answer.is_none() {
        return Err(unknown_webhook());
    }
    if interaction.sent.elapsed() > world.config.clocks.interaction_lifetime {
        return Err(ApiError::new(401, 50027, "Invalid Webhook Token"));
    }
    Ok(*id)
}

/// The position of the path's message among the interaction's messages.
fn find_message(world: &World, call: &Call) -> Result<(u64, usize, Stored), ApiError> {
    let id = find(world, call)?;
    let wanted = call.id("message_id");
    let messages = world.interactions.0.get(&id).map(|known| known.messages.as_slice()).unwrap_or_default();
    let index = match wanted {
        0 => 0,
        _ => {
            messages.iter().position(|message| message.id == wanted).ok_or_else(ApiError::unknown_message)?
        }
    };
    let message = messages.get(index).ok_or_else(ApiError::unknown_message)?;
    // What was changed in the channel since is newer than the answer's copy.
    let shown = world.channels.get(&message.channel).and_then(|channel| channel.messages.get(&message.id));
    Ok((id, index, shown.unwrap_or(message).clone()))
}

/// One more message; the first after a deferral takes the deferred one's place.
pub(crate) fn follow_up(world: &mut World, call: &Call) -> Outcome {
    let id = find(world, call)?;
    let interaction = world.interactions.0.get(&id).ok_or_else(unknown_webhook)?;
    let mut message = message(world, interaction, &call.body)?;
    let deferred = interaction.messages.iter().position(|known| known.flags & flags::LOADING != 0);
    if let Some(first) = deferred.and_then(|index| interaction.messages.get(index)) {
        message.id = first.id;
        message.flags = first.flags & !flags::LOADING;
    }
    world.show(&message, "MESSAGE_CREATE");
    let json = world.message_json(&message);
    if let Some(interaction) = world.interactions.0.get_mut(&id) {
        match deferred.and_then(|index| interaction.messages.get_mut(index)) {
            Some(place) => *place = message,
            None => interaction.messages.push(message),
        }
    }
    Reply::ok(json)
}

pub(crate) fn get(world: &mut World, call: &Call) -> Outcome {
    let (_, _, message) = find_message(world, call)?;
    Reply::ok(world.message_json(&message))
}

pub(crate) fn edit(world: &mut World, call: &Call) -> Outcome {
    let (_, _, mut message) = find_message(world, call)?;
    let deferred = message.flags & flags::LOADING != 0;
    world.change(&mut message, answer_draft(&call.body)?, call.body.clone())?;
    if deferred {
        message.flags &= !flags::LOADING;
        message.pings = message.highlights.clone();
    } else {
        message.edited_at = Some(crate::snowflake::now());
    }
    world.show(&message, if deferred { "MESSAGE_CREATE" } else { "MESSAGE_UPDATE" });
    Reply::ok(world.message_json(&message))
}

pub(crate) fn delete(world: &mut World, call: &Call) -> Outcome {
    let (id, index, message) = find_message(world, call)?;
    world.delete_message(message.channel, message.id);
    if let Some(interaction) = world.interactions.0.get_mut(&id) {
        interaction.messages.remove(index);
    }
    Reply::empty()
}

impl World {
    /// Puts an answer into its channel unless only the one who asked sees it,
    /// or there is nothing to see yet. Earlier answers with this message change with it.
    fn show(&mut self, message: &Stored, event: &str) {
        let answers = self.interactions.0.values_mut().flat_map(|known| &mut known.messages);
        for copy in answers.filter(|copy| copy.id == message.id) {
            copy.clone_from(message);
        }
        if message.flags & (flags::EPHEMERAL | flags::LOADING) != 0 {
            return;
        }
        if let Some(channel) = self.channels.get_mut(&message.channel) {
            channel.messages.insert(message.id, message.clone());
        }
        self.dispatch_message(event, message);
    }
}

/// The custom ids of the inputs of a modal.
pub(super) fn modal_inputs(data: &Value) -> Vec<&str> {
    let rows = data["components"].as_array().into_iter().flatten();
    rows.filter_map(|row| input_of(row)["custom_id"].as_str()).collect()
}

/// The input of a label, or of an action row.
pub(super) fn input_of(row: &Value) -> &Value {
    if row["type"] == LABEL { &row["component"] } else { &row["components"][0] }
}
