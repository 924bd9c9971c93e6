//! Answers to interactions. Discord takes the first one within three seconds,
//! and refuses any other: that is what makes one pod do the work, and once.
//! <https://docs.discord.com/developers/interactions/receiving-and-responding>

use std::{fmt::Display, time::Duration};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::complete::Choice;
use crate::{
    commands::{replies::Reply, send::with_pauses},
    discord::{Discord, DiscordError},
    gateway::Invoked,
};

/// How long Discord takes a first answer.
const FIRST_ANSWER: Duration = Duration::from_secs(3);
/// How long one attempt at it may take, and the pause before the next: an
/// answer that is lost on the way must not cost all the time there is.
const ATTEMPT: Duration = Duration::from_millis(1_200);
const PAUSE: Duration = Duration::from_millis(100);

/// Types of first answers.
const MESSAGE: u8 = 4;
const MESSAGE_LATER: u8 = 5;
const CHOICES: u8 = 8;
const MODAL: u8 = 9;
/// The flag of messages that only the one who asked sees.
const EPHEMERAL: u32 = 1 << 6;

/// Discord's code for an interaction that has its first answer.
const ALREADY_ANSWERED: u32 = 40_060;

/// Promises an answer. `false`: another pod has done so, or it is too late.
pub(super) async fn claim(discord: &Discord, to: &Invoked) -> bool {
    first(discord, to, MESSAGE_LATER, json!({"flags": EPHEMERAL})).await
}

/// Answers at once.
pub(super) async fn say(discord: &Discord, to: &Invoked, reply: Reply) {
    let mut data = message(&reply);
    data["flags"] = EPHEMERAL.into();
    first(discord, to, MESSAGE, data).await;
}

/// Offers completions.
pub(super) async fn offer(discord: &Discord, to: &Invoked, choices: Vec<Choice>) {
    first(discord, to, CHOICES, json!({"choices": choices})).await;
}

/// Shows a modal, which is to be filled in.
pub(super) async fn ask(discord: &Discord, to: &Invoked, modal: Value) {
    first(discord, to, MODAL, modal).await;
}

/// Shows the answer that was promised.
pub(super) async fn show(discord: &Discord, to: &Invoked, reply: &Reply) {
    let (token, body) = (to.token.expose_secret(), message(reply));
    let edit = || discord.edit_answer(to.application, to.id, token, &body);
    if let Err(error) = with_pauses(edit).await {
        failed(to, &error);
    }
}

/// Whether this pod's first answer is the one that Discord took.
async fn first(discord: &Discord, to: &Invoked, kind: u8, data: Value) -> bool {
    let body = json!({"type": kind, "data": data});
    match timeout(FIRST_ANSWER, attempt(discord, to, &body)).await {
        Ok(Ok(ours)) => {
            if !ours {
                tracing::debug!(interaction.id = to.id, "another pod has answered");
            }
            ours
        }
        Ok(Err(error)) => {
            failed(to, &error);
            false
        }
        Err(_) => {
            failed(to, &"Discord took no answer in time");
            false
        }
    }
}

/// Goes on until Discord has taken an answer, or refuses.
async fn attempt(discord: &Discord, to: &Invoked, body: &Value) -> Result<bool, DiscordError> {
    let mut may_be_ours = false;
    loop {
        let sent = discord.answer_interaction(to.id, to.token.expose_secret(), body);
        match timeout(ATTEMPT, sent).await {
            Ok(Ok(())) => return Ok(true),
            // An attempt that nothing was heard of has arrived, more likely than
            // another pod's; and if not, both show the same message.
            Ok(Err(DiscordError::Refused { code: ALREADY_ANSWERED, .. })) => return Ok(may_be_ours),
            Ok(Err(DiscordError::Unavailable(_))) | Err(_) => {
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
    tracing::warn!(interaction.id = to.id, user.id = %to.user, "a slash command could not be answered: {error}");
}
