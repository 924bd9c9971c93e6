//! What follows once Discord has decided on a post or an edit.

use std::time::Duration;

use shared::text::chain;

use super::{Lane, deliver::SendOutcome, permission::Objection};
use crate::{
    dead_letters::{Cause, DeadLetterReason},
    delivery::{messages::ShownMessage, record::Record},
    discord::{DiscordError, DiscordRefusal},
    sequences::log_ids,
};

impl Lane<'_> {
    /// Draws the consequences of the outcome. Alerts without a post and without
    /// a dead letter still wait, and the lane's next step takes them.
    pub(super) async fn finish(&mut self, record: Record, outcome: SendOutcome) -> anyhow::Result<()> {
        match outcome {
            SendOutcome::Shown(message) => self.shown(record, Some(message)).await,
            SendOutcome::Refused { error, may_have_been_posted } => {
                self.refused(record, &error, may_have_been_posted).await
            }
            SendOutcome::GivenUp { error, all_4xx: true } => {
                self.refused_message(&record, &error, false).await
            }
            SendOutcome::GivenUp { error, all_4xx: false } => {
                let why = format!(
                    "Discord confirmed it in no try of five minutes, while it answered others: {error}"
                );
                self.bury(&record.sequences(), &Cause::new(DeadLetterReason::Refused, why).maybe_posted(true))
                    .await
            }
            SendOutcome::Forbidden { objection: Objection::Dead(cause), may_have_been_posted } => {
                self.bury(&record.sequences(), &cause.maybe_posted(may_have_been_posted)).await
            }
            SendOutcome::Forbidden { objection: Objection::Unreachable(words), may_have_been_posted } => {
                self.bury_unreachable(&record, &words, may_have_been_posted).await
            }
            SendOutcome::EditUnconfirmed { message, error, may_have_been_posted } => {
                if may_have_been_posted {
                    self.inbox.mark_maybe_posted(&record.sequences());
                }
                self.schedule.edits.unconfirmed(message, &error, self.inbox.backlog_mut());
                Ok(())
            }
            SendOutcome::EditTooOld { message, until } => {
                self.schedule.edits.too_old(message, until);
                Ok(())
            }
            SendOutcome::EditPutOff => Ok(()),
        }
    }

    async fn shown(&mut self, record: Record, message: Option<u64>) -> anyhow::Result<()> {
        count(&record);
        match record.edits {
            None => {
                self.schedule.posted();
                self.closure.reopen().await?;
            }
            Some(edited) => {
                self.schedule.edits.settled(edited);
                self.closure.reopen_after_edit().await?;
            }
        }
        if let (Some(message), Some(_), Some(shown)) = (message, record.edits, &record.shown) {
            // This comes before the confirmation, because the next edit builds
            // on it. If it fails, a successor repeats the edit without harm.
            self.services.messages.write(self.channel, message, shown).await?;
        }
        // Before the confirmation: a successor that repeats the post keeps it again.
        self.keep_stack_trace(message, &record);
        let shown = record.shown.clone().filter(|_| record.edits.is_none());
        self.confirm(record, message).await?;
        self.remember(message, shown).await;
        Ok(())
    }

    /// Keeps what the button of a posted message shows. Nothing waits for that.
    pub(super) fn keep_stack_trace(&self, message: Option<u64>, record: &Record) {
        if let (Some(message), Some(trace)) = (message, &record.stack_trace) {
            self.services.stack_traces.keep(self.channel, message, trace);
        }
    }

    /// Writes down what a posted message shows. This comes after the
    /// confirmation. If it came before and failed, the post would be repeated,
    /// and could be doubled. It may fail.
    pub(super) async fn remember(&self, message: Option<u64>, shown: Option<ShownMessage>) {
        let (Some(message), Some(shown)) = (message, shown) else { return };
        if let Err(error) = self.services.messages.remember(self.channel, message, &shown).await {
            tracing::warn!("changes of the issues in a post will be posts of their own: {}", chain(&error));
        }
    }

    async fn refused(
        &mut self,
        record: Record,
        refused: &DiscordError,
        may_have_been_posted: bool,
    ) -> anyhow::Result<()> {
        let closed = refused.refusal() == Some(DiscordRefusal::Channel);
        if closed || self.closure.drops_embeds(refused).await {
            return self.bury_unreachable(&record, &refused.to_string(), may_have_been_posted).await;
        }
        if let Some(message) = record.edits {
            // The message can no longer be edited, so its changes are posted.
            self.schedule.edits.settled(message);
            tracing::info!(message.id = message, "a message cannot be edited any more: {refused}");
            return self.services.messages.forget_message(self.channel, message).await;
        }
        match refused.refusal() {
            // This repeats a post that somebody has deleted meanwhile.
            Some(DiscordRefusal::AlreadyPosted) => self.shown(record, None).await,
            Some(_) | None => self.refused_message(&record, refused, may_have_been_posted).await,
        }
    }

    /// Closes the channel, because Discord does not let the bot post. Makes
    /// dead letters of the record's alerts.
    async fn bury_unreachable(
        &mut self,
        record: &Record,
        words: &str,
        may_have_been_posted: bool,
    ) -> anyhow::Result<()> {
        let cause = Cause::new(DeadLetterReason::Unreachable, self.closure.close(words).await?);
        self.bury(&record.sequences(), &cause.maybe_posted(may_have_been_posted)).await
    }

    /// Sends each embed of a shared post alone, then once more without links.
    /// After that its alerts become dead letters.
    async fn refused_message(
        &mut self,
        record: &Record,
        refused: &DiscordError,
        may_have_been_posted: bool,
    ) -> anyhow::Result<()> {
        let sequences = record.sequences();
        tracing::warn!(alerts = sequences.len(), embeds = record.embeds, links = record.links, "{refused}");
        if record.embeds > 1 {
            self.inbox.backlog_mut().isolate(&sequences);
            return Ok(());
        }
        if record.links {
            self.inbox.backlog_mut().isolate(&sequences);
            self.inbox.leave_out_links(&sequences);
            return Ok(());
        }
        let cause = Cause::new(DeadLetterReason::Refused, refused.to_string());
        self.bury(&sequences, &cause.maybe_posted(may_have_been_posted)).await
    }
}

/// Counts what Discord shows now, and logs it.
fn count(record: &Record) {
    let sequences = record.sequences();
    let (alerts, embeds) = (sequences.len(), record.embeds);
    let what = match record.edits {
        Some(_) => {
            metrics::counter!("sentry_bot_edits_total").increment(1);
            "edited"
        }
        None => {
            metrics::counter!("sentry_bot_posts_total").increment(1);
            "posted"
        }
    };
    metrics::counter!("sentry_bot_embeds_total").increment(embeds as u64);
    metrics::counter!("sentry_bot_alerts_posted_total").increment(alerts as u64);
    let folded = alerts.saturating_sub(embeds);
    metrics::counter!("sentry_bot_alerts_folded_total").increment(folded as u64);
    let waited_ms = chrono::Utc::now().timestamp_millis().saturating_sub(record.since_ms.0).max(0);
    metrics::histogram!("sentry_bot_delivery_seconds")
        .record(Duration::from_millis(waited_ms as u64).as_secs_f64());
    for alert_ids in log_ids(&sequences) {
        tracing::info!(alert.ids = %alert_ids, alerts, embeds, waited_ms, "{what}");
    }
}
