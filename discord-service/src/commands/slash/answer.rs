//! Answers to interactions. Discord takes one first answer, within three seconds, and
//! refuses any other. So one pod does the work, and only once.
//! <https://docs.discord.com/developers/interactions/receiving-and-responding>

use std::{fmt::Display, time::Duration};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::complete::Choice;
use crate::{
    commands::{outbox::with_pauses, replies::Reply},
    discord::{Discord, DiscordError, codes},
    gateway::Invoked,
};

/// How long Discord takes a first answer.
const FIRST_ANSWER: Duration = Duration::from_secs(3);
/// How long one attempt at it may take, and the pause before the next. One lost
/// answer must not use up all the time.
const ATTEMPT: Duration = Duration::from_millis(1_200);
const PAUSE: Duration = Duration::from_millis(100);

/// If two pods hear of one command, the former owner of the shard is stopping. After
/// this time it is done with the command, or it is gone.
const FORMER_IS_DONE: Duration = Duration::from_secs(3);

/// Types of first answers.
const MESSAGE: u8 = 4;
const MESSAGE_LATER: u8 = 5;
const CHANGED_MESSAGE: u8 = 7;
const CHOICES: u8 = 8;
const MODAL: u8 = 9;
/// The flag of messages that only the user of the command sees.
const EPHEMERAL: u32 = 1 << 6;

/// What became of a first answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstAnswer {
    /// Discord took this pod's.
    Ours,
    /// It has another pod's.
    Anothers,
    /// It took none, and it is too late.
    None,
}

/// Promises an answer. `false`: another pod has done so and gives it, or it is too late.
pub(super) async fn claim(discord: &Discord, to: &Invoked) -> bool {
    match first(discord, to, MESSAGE_LATER, json!({"flags": EPHEMERAL})).await {
        FirstAnswer::Ours => true,
        FirstAnswer::Anothers => was_abandoned(discord, to).await,
        FirstAnswer::None => false,
    }
}

/// Whether the pod that promised an answer is gone without it. Then this pod carries out
/// the command, if need be a second time.
async fn was_abandoned(discord: &Discord, to: &Invoked) -> bool {
    sleep(FORMER_IS_DONE).await;
    let is_awaited = || discord.is_answer_awaited(to.application, to.id, to.token.expose_secret());
    match with_pauses(is_awaited).await {
        Ok(true) => {
            tracing::info!(interaction.id = to.id, "goes on with a command of a pod that is gone");
            true
        }
        Ok(false) => false,
        Err(error) => {
            tracing::debug!(interaction.id = to.id, %error, "cannot see whether a command was answered");
            false
        }
    }
}

/// Answers at once.
pub(super) async fn say(discord: &Discord, to: &Invoked, reply: Reply) {
    let mut data = message(&reply);
    data["flags"] = EPHEMERAL.into();
    first(discord, to, MESSAGE, data).await;
}

/// Shows this in place of the message whose button was pressed, and without its buttons.
pub(super) async fn replace(discord: &Discord, to: &Invoked, reply: &Reply) {
    let mut data = message(reply);
    data["components"] = json!([]);
    first(discord, to, CHANGED_MESSAGE, data).await;
}

/// Offers completions.
pub(super) async fn offer(discord: &Discord, to: &Invoked, choices: Vec<Choice>) {
    first(discord, to, CHOICES, json!({"choices": choices})).await;
}

/// Shows a modal to fill in.
pub(super) async fn ask(discord: &Discord, to: &Invoked, modal: Value) {
    first(discord, to, MODAL, modal).await;
}

/// Shows the promised answer in place of what was shown before. `false`: Discord did not
/// confirm it, but may show it.
pub(super) async fn show(discord: &Discord, to: &Invoked, reply: &Reply) -> bool {
    let (token, body) = (to.token.expose_secret(), message(reply));
    let edit = || discord.edit_answer(to.application, to.id, token, &body);
    match with_pauses(edit).await {
        Ok(()) => true,
        Err(error) => {
            failed(to, &error);
            false
        }
    }
}

async fn first(discord: &Discord, to: &Invoked, kind: u8, data: Value) -> FirstAnswer {
    let body = json!({"type": kind, "data": data});
    match timeout(FIRST_ANSWER, attempt(discord, to, &body)).await {
        Ok(Ok(first)) => first,
        Ok(Err(error)) => {
            failed(to, &error);
            FirstAnswer::None
        }
        Err(_) => {
            failed(to, &"Discord took no answer in time");
            FirstAnswer::None
        }
    }
}

/// Goes on until Discord has taken an answer, or refuses.
async fn attempt(discord: &Discord, to: &Invoked, body: &Value) -> Result<FirstAnswer, DiscordError> {
    let mut may_be_ours = false;
    loop {
        let sent = discord.answer_interaction(to.id, to.token.expose_secret(), body);
        match timeout(ATTEMPT, sent).await {
            Ok(Ok(())) => return Ok(FirstAnswer::Ours),
            // More likely an earlier attempt of ours has arrived than another pod's.
            // If not, both show the same message.
            Ok(Err(DiscordError::Refused { code: codes::ALREADY_ACKNOWLEDGED, .. })) => {
                return Ok(if may_be_ours { FirstAnswer::Ours } else { FirstAnswer::Anothers });
            }
            Ok(Err(DiscordError::NotSent | DiscordError::Unavailable { answered_4xx: true, .. })) => {
                sleep(PAUSE).await;
            }
            Ok(Err(DiscordError::Unavailable { .. })) | Err(_) => {
                may_be_ours = true;
                sleep(PAUSE).await;
            }
            Ok(Err(error)) => return Err(error),
        }
    }
}

/// A message that pings nobody.
fn message(reply: &Reply) -> Value {
    let mut body = json!({"allowed_mentions": {"parse": []}});
    reply.write_into(&mut body);
    body
}

fn failed(to: &Invoked, error: &dyn Display) {
    metrics::counter!("sentry_bot_replies_failed_total").increment(1);
    tracing::warn!(interaction.id = to.id, user.id = %to.user, "cannot answer a slash command: {error}");
}
