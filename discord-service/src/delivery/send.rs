//! Bringing a recorded post or edit to Discord, until Discord has decided on it.

use std::time::Duration;

use shared::shutdown::CancellationToken;
use tokio::time::Instant;

use super::{
    backoff::{Backoff, News},
    ending::{expired_cause, revoked_cause, unreachable_cause},
    lane::{Interruption, Lane},
    record::{Mention, Record, log_ids},
    trace::Posting,
};
use crate::{
    authority::Standing,
    dead_letters::{Cause, Reason},
    discord::{DiscordError, Edited, Refusal},
    trust::{Distrust, distrust},
};

/// How long a request in flight may take after the process was told to stop.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// When Discord is away, it is so for all lanes: one of them says so.
static UNCONFIRMED: News = News::new();

/// What Discord did with one attempt.
enum Sent {
    /// The message stands.
    Message(u64),
    /// Nothing, and says 429.
    NotYet,
    /// Nothing: this message is too old to be edited before then.
    TooOldUntil(u64, Instant),
}

impl Lane<'_> {
    /// Sends what is recorded until Discord has decided on it. `repeated`: it
    /// may have been sent before.
    pub(super) async fn deliver(&mut self, record: Record, mut repeated: bool) -> Result<(), Interruption> {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(15));
        let mut checked = !repeated;
        let posting = Posting::begin(&record.traces);
        loop {
            if self.had_to_wait(record.edits.is_some()).await {
                if self.around.shutdown.is_cancelled() {
                    return Err(Interruption::Stopping);
                }
                checked = false;
            }
            if !checked && let Some(cause) = self.no_longer(&record).await? {
                return Ok(self.bury(&record.sequences(), &cause.if_sent(repeated)).await?);
            }
            checked = false;
            let attempt = self.attempt(&record);
            let outcome = tokio::select! {
                outcome = attempt => outcome,
                // What is cut off here is repeated by a successor.
                () = leaving(&self.around.shutdown) => return Err(Interruption::Stopping),
            };
            let error = match outcome {
                Ok(Sent::Message(message)) => {
                    posting.end(true);
                    return Ok(self.posted(record, Some(message)).await?);
                }
                // Nor need other edits. If it was done before, doing it anew changes nothing.
                Ok(Sent::TooOldUntil(message, until)) => {
                    self.too_old = Some((message, until));
                    return Ok(());
                }
                // A 429: it was not done. Posts need not wait with an edit.
                Ok(Sent::NotYet) if record.edits.is_some() && !repeated => return Ok(()),
                Ok(Sent::NotYet) => continue,
                Err(DiscordError::BadToken(error)) => return Err(error.into()),
                Err(error @ DiscordError::NotSent) => error,
                Err(error @ DiscordError::Unavailable { answered_4xx, .. }) => {
                    repeated |= !answered_4xx;
                    error
                }
                Err(refused @ DiscordError::Refused { .. }) => {
                    posting.end(false);
                    return Ok(self.refused(record, &refused, repeated).await?);
                }
            };
            let wait = backoff.next();
            metrics::counter!("sentry_bot_post_retries_total").increment(1);
            if UNCONFIRMED.is_news() {
                tracing::warn!(channel.id = %self.channel, retry_in = ?wait, "posts are not confirmed yet, such as this channel's: {error}");
            } else {
                tracing::debug!(channel.id = %self.channel, retry_in = ?wait, "a post is not confirmed yet: {error}");
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.around.shutdown.cancelled() => return Err(Interruption::Stopping),
            }
        }
    }

    async fn attempt(&self, record: &Record) -> Result<Sent, DiscordError> {
        let (discord, channel) = (&self.around.discord, self.channel);
        let Some(message) = record.edits else {
            let created = discord.try_create_message(channel, &record.body).await?;
            return Ok(created.map_or(Sent::NotYet, Sent::Message));
        };
        Ok(match discord.try_edit_message(channel, message, &record.body).await? {
            Edited::Done => Sent::Message(message),
            Edited::NotYet => Sent::NotYet,
            Edited::TooOldUntil(until) => Sent::TooOldUntil(message, until),
        })
    }

    /// Waits until Discord would take a post or an edit; whether that took time.
    async fn had_to_wait(&self, edit: bool) -> bool {
        let free = async {
            match edit {
                true => self.around.discord.until_edit_free(self.channel).await,
                false => self.around.discord.until_free(self.channel).await,
            }
        };
        tokio::pin!(free);
        if futures::poll!(&mut free).is_ready() {
            return false;
        }
        tokio::select! {
            () = free => {}
            () = self.around.shutdown.cancelled() => {}
        }
        true
    }

    /// Why what is recorded must not be repeated, if so.
    async fn no_longer(&self, record: &Record) -> Result<Option<Cause>, Interruption> {
        let oldest = chrono::Utc::now() - self.around.max_age;
        if record.since_ms.1 < oldest.timestamp_millis() {
            return Ok(Some(expired_cause()));
        }
        let guild = match self.around.authority.standing(self.channel).await? {
            Standing::Authorized(guild) => guild,
            Standing::NotAuthorized => return Ok(Some(revoked_cause())),
            Standing::Unreachable(why) => return Ok(Some(unreachable_cause(&why))),
        };
        for Mention { user, project } in &record.mentions {
            if let Some(cause) = self.mention_cause(guild, Some(user), project).await? {
                return Ok(Some(cause));
            }
        }
        let kept = self.around.authority.trust(self.channel).await?;
        let distrusted =
            record.trusts.iter().find_map(|(trust, received_ms)| distrust(&kept, trust, *received_ms));
        Ok(distrusted.map(Distrust::cause))
    }

    async fn posted(&mut self, record: Record, message: Option<u64>) -> anyhow::Result<()> {
        let sequences = record.sequences();
        let alerts = sequences.len();
        match record.edits {
            Some(_) => metrics::counter!("sentry_bot_edits_total").increment(1),
            None => {
                self.last_post = Some(Instant::now());
                metrics::counter!("sentry_bot_posts_total").increment(1);
            }
        }
        metrics::counter!("sentry_bot_embeds_total").increment(record.embeds as u64);
        metrics::counter!("sentry_bot_alerts_posted_total").increment(alerts as u64);
        let folded = alerts.saturating_sub(record.embeds);
        metrics::counter!("sentry_bot_alerts_folded_total").increment(folded as u64);
        let waited_ms = chrono::Utc::now().timestamp_millis().saturating_sub(record.since_ms.0).max(0);
        metrics::histogram!("sentry_bot_delivery_seconds")
            .record(Duration::from_millis(waited_ms as u64).as_secs_f64());
        for alert_ids in log_ids(&sequences) {
            tracing::info!(channel.id = %self.channel, alert.ids = %alert_ids, alerts, embeds = record.embeds, waited_ms, "posted");
        }
        if let Some(message) = message {
            self.remember(&record, message).await?;
        }
        self.confirm(record).await
    }

    /// Writes down what the message shows. After an edit that must succeed, since
    /// the next one builds on it, and the edit can be repeated. After a post it may
    /// fail: a post that is repeated for it could be doubled.
    async fn remember(&self, record: &Record, message: u64) -> anyhow::Result<()> {
        let Some(shown) = &record.shown else { return Ok(()) };
        let messages = &self.around.messages;
        if record.edits.is_some() {
            return messages.write(self.channel, message, shown).await;
        }
        if let Err(error) = messages.remember(self.channel, message, shown).await {
            tracing::warn!(channel.id = %self.channel, "changes of the issues in a post will be posts of their own: {error:#}");
        }
        Ok(())
    }

    async fn refused(
        &mut self,
        record: Record,
        refused: &DiscordError,
        repeated: bool,
    ) -> anyhow::Result<()> {
        if let Some(message) = record.edits {
            return self.refused_edit(&record, message, refused, repeated).await;
        }
        match refused.refusal() {
            // A repeat of a post that somebody has deleted since.
            Some(Refusal::AlreadyPosted) => self.posted(record, None).await,
            Some(Refusal::Channel) => self.refused_channel(&record, refused, repeated).await,
            Some(_) | None => self.refused_message(&record, refused, repeated).await,
        }
    }

    pub(super) async fn refused_channel(
        &mut self,
        record: &Record,
        refused: &DiscordError,
        repeated: bool,
    ) -> anyhow::Result<()> {
        let cause = unreachable_cause(&refused.to_string());
        self.block(&cause.detail).await?;
        self.bury(&record.sequences(), &cause.if_sent(repeated)).await
    }

    /// A shared post is taken apart; one alone is tried without links, then dead.
    async fn refused_message(
        &mut self,
        record: &Record,
        refused: &DiscordError,
        repeated: bool,
    ) -> anyhow::Result<()> {
        let sequences = record.sequences();
        tracing::warn!(channel.id = %self.channel, alerts = sequences.len(), links = record.links, "{refused}");
        if sequences.len() > 1 {
            self.backlog.set_alone(&sequences);
            return Ok(());
        }
        if record.links {
            self.backlog.set_alone(&sequences);
            self.without_links.extend(sequences);
            return Ok(());
        }
        let cause = Cause::new(Reason::Refused, refused.to_string());
        self.bury(&sequences, &cause.if_sent(repeated)).await
    }
}

/// Comes a moment after the process was told to stop: time for an answer that is
/// on its way, not for a rate limit.
async fn leaving(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(LAST_MOMENT).await;
}
