//! What the binary does instead of serving: the operator's `discord-service
//! dead-letters …`, and `healthcheck` for a container's engine.

use std::io::Write as _;

use anyhow::Context as _;
use async_nats::jetstream;
use chrono::DateTime;
use shared::{ChannelId, admin::Readiness, bus, healthcheck, text::cut};

use crate::{
    dead_letters::{DeadLetter, DeadLetters},
    settings::{DeadLettersCommand, OperatorCommand, Settings},
};

/// Characters of a title or reason in a line of the list.
const LINE_TEXT: usize = 100;

/// Does it and prints the outcome.
///
/// # Errors
/// When the running service does not answer, NATS cannot be reached, or there
/// is no such dead letter.
pub async fn run(settings: &Settings, command: OperatorCommand) -> anyhow::Result<()> {
    let action = match command {
        OperatorCommand::Healthcheck => return healthcheck::run(settings.admin_addr),
        OperatorCommand::DeadLetters(action) => action,
    };
    let (nats, _) = bus::connect("discord-service", &settings.common.nats, &Readiness::default()).await?;
    let dead_letters = DeadLetters::new(jetstream::new(nats));
    let mut out = std::io::stdout();
    match action {
        DeadLettersCommand::List { channel } => list(&dead_letters, channel, &mut out).await?,
        DeadLettersCommand::Show { sequence } => {
            let letter = dead_letters.show(sequence).await?;
            let letter = letter.with_context(|| format!("there is no dead letter {sequence}"))?;
            writeln!(out, "{letter:#}")?;
        }
        DeadLettersCommand::Replay { channel } => {
            let replayed = dead_letters.replay(channel).await?;
            match replayed.alerts {
                0 if replayed.ended_early => {}
                0 => writeln!(out, "There is nothing to replay")?,
                1 => writeln!(out, "Replaying 1 alert")?,
                alerts => writeln!(out, "Replaying {alerts} alerts")?,
            }
            match replayed.unreadable {
                0 => {}
                1 => writeln!(out, "1 is not an alert and stays: show or purge it")?,
                unreadable => writeln!(out, "{unreadable} are not alerts and stay: show or purge them")?,
            }
            if replayed.ended_early {
                writeln!(out, "The queue is full. The others stay: replay them later")?;
            }
        }
        DeadLettersCommand::Purge { channel } => match dead_letters.purge(channel).await? {
            1 => writeln!(out, "Threw 1 dead letter away")?,
            purged => writeln!(out, "Threw {purged} dead letters away")?,
        },
    }
    Ok(())
}

async fn list(
    dead_letters: &DeadLetters,
    channel: Option<ChannelId>,
    out: &mut impl std::io::Write,
) -> anyhow::Result<()> {
    let mut from = 1;
    loop {
        let page = dead_letters.page(channel, from).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        from = last + 1;
        for (sequence, letter) in page {
            match letter {
                Some(letter) => writeln!(out, "{sequence}\t{}", line(&letter))?,
                None => writeln!(out, "{sequence}\tunreadable")?,
            }
        }
    }
}

fn line(letter: &DeadLetter) -> String {
    let died = DateTime::from_timestamp_millis(letter.died_ms).unwrap_or_default();
    let (channel, project, title) = letter.alert.as_ref().map_or_else(Default::default, |alert| {
        (alert.channel.to_string(), alert.project.as_str(), alert.title.as_deref().unwrap_or_default())
    });
    let home = letter.alert.as_ref().and_then(|alert| alert.routing.home);
    let home = home.map(|home| format!(" (a rule of {home} sent it)")).unwrap_or_default();
    let sure = if letter.may_have_been_posted { " (may have been posted)" } else { "" };
    // Texts come from outside: nothing in them may steer a terminal.
    format!(
        "{}\t{channel}\t{}\t{}\t{}\t{}{sure}{home}",
        died.format("%Y-%m-%dT%H:%M:%SZ"),
        letter.reason.token(),
        cut(project, LINE_TEXT).escape_debug(),
        cut(title, LINE_TEXT).escape_debug(),
        cut(&letter.detail, 2 * LINE_TEXT).escape_debug(),
    )
}

#[cfg(test)]
mod tests;
