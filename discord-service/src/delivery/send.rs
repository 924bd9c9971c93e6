//! Bringing a recorded post or edit to Discord, until Discord has decided on it.

use std::time::Duration;

use shared::{shutdown::CancellationToken, text::chain};
use tokio::time::Instant;

use super::{
    backoff::{Backoff, News},
    ending::{expired_cause, revoked_cause},
    lane::{Interruption, Lane},
    messages::Shown,
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

/// A post that alone fails for so long is given up.
const ALONE: Duration = Duration::from_secs(5 * 60);

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
        let (mut failing_since, mut all_4xx) = (None, !repeated);
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
                Ok(Sent::NotYet) | Err(DiscordError::NotSent) if record.edits.is_some() => return Ok(()),
                Ok(Sent::NotYet) | Err(DiscordError::NotSent) => continue,
                Err(DiscordError::BadToken(error)) => return Err(error.into()),
                Err(error @ DiscordError::Unavailable { answered_4xx, .. }) => {
                    repeated |= !answered_4xx;
                    all_4xx &= answered_4xx;
                    error
                }
                Err(refused @ DiscordError::Refused { .. }) => {
                    posting.end(false);
                    return Ok(self.refused(record, &refused, repeated).await?);
                }
            };
            // Posts need not wait with an edit.
            if let Some(message) = record.edits {
                posting.end(false);
                self.edit_failed(&record, message, repeated, &error);
                return Ok(());
            }
            let since: Instant = *failing_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= ALONE && self.around.discord.others_succeed(self.channel).await {
                posting.end(false);
                return Ok(self.give_up(record, &error, all_4xx).await?);
            }
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
            let created = discord.post(channel, &record.body).await?;
            return Ok(created.map_or(Sent::NotYet, Sent::Message));
        };
        Ok(match discord.edit(channel, message, &record.body).await? {
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
    async fn no_longer(&mut self, record: &Record) -> Result<Option<Cause>, Interruption> {
        if record.since_ms.1 < self.oldest_ms() {
            return Ok(Some(expired_cause()));
        }
        let guild = match self.around.authority.standing(self.channel).await? {
            Standing::Authorized(guild) => guild,
            Standing::NotAuthorized => return Ok(Some(revoked_cause())),
            Standing::Unreachable(words) => {
                let why = self.close(&words).await?;
                return Ok(Some(Cause::new(Reason::Unreachable, why)));
            }
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
            Some(message) => {
                self.troubles.remove(&message);
                metrics::counter!("sentry_bot_edits_total").increment(1);
            }
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
        match record.edits {
            None => self.reopen().await?,
            Some(_) => self.reopen_after_edit().await?,
        }
        if let (Some(message), Some(_), Some(shown)) = (message, record.edits, &record.shown) {
            // The next edit builds on it, and an edit can be repeated.
            self.around.messages.write(self.channel, message, shown).await?;
        }
        let shown = record.shown.clone().filter(|_| record.edits.is_none());
        self.confirm(record, message).await?;
        self.remember(message, shown).await;
        Ok(())
    }

    /// Writes down what a posted message shows, after all else: a post that is
    /// repeated for its sake could be doubled. It may fail.
    pub(super) async fn remember(&self, message: Option<u64>, shown: Option<Shown>) {
        let (Some(message), Some(shown)) = (message, shown) else { return };
        if let Err(error) = self.around.messages.remember(self.channel, message, &shown).await {
            tracing::warn!(channel.id = %self.channel, "changes of the issues in a post will be posts of their own: {}", chain(&error));
        }
    }

    async fn refused(
        &mut self,
        record: Record,
        refused: &DiscordError,
        repeated: bool,
    ) -> anyhow::Result<()> {
        if self.drops_embeds(refused).await {
            return self.refused_channel(&record, refused, repeated).await;
        }
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
        let why = self.close(&refused.to_string()).await?;
        let cause = Cause::new(Reason::Unreachable, why);
        self.bury(&record.sequences(), &cause.if_sent(repeated)).await
    }

    /// This post alone fails. If it certainly was not created, its embeds are sent
    /// as those of a post that is refused.
    async fn give_up(&mut self, record: Record, error: &DiscordError, all_4xx: bool) -> anyhow::Result<()> {
        if all_4xx {
            return self.refused_message(&record, error, false).await;
        }
        let why =
            format!("Discord confirmed it in no try of five minutes, while it answered others: {error}");
        self.bury(&record.sequences(), &Cause::new(Reason::Refused, why).if_sent(true)).await
    }

    /// Each embed of a shared post is sent alone, and once more without links;
    /// then its alerts are dead.
    async fn refused_message(
        &mut self,
        record: &Record,
        refused: &DiscordError,
        repeated: bool,
    ) -> anyhow::Result<()> {
        let sequences = record.sequences();
        tracing::warn!(channel.id = %self.channel, alerts = sequences.len(), embeds = record.embeds, links = record.links, "{refused}");
        if record.embeds > 1 {
            self.backlog.isolate(&sequences);
            return Ok(());
        }
        if record.links {
            self.backlog.isolate(&sequences);
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
