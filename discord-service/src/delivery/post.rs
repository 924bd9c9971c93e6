//! Building a channel's next post, and bringing it to Discord.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use shared::{Alert, GuildId, alert::Trust, shutdown::CancellationToken, trace::TracePoint};

use super::{
    backlog::{Group, newest},
    backoff::{Backoff, News},
    ending::{expired_cause, revoked_cause, unreachable_cause},
    lane::{Interruption, Lane},
    record::{Mention, Record, log_ids, nonce},
    trace::Posting,
};
use crate::{
    authority::{Entitlement, Standing},
    dead_letters::{Cause, Reason},
    discord::{DiscordError, Refusal},
    render::{self, Embed, Folded, MAX_MESSAGE_CHARS, Style},
    trust::{Distrust, distrust},
};

/// Discord's limit for the embeds of one message.
const EMBEDS: usize = 10;
/// What each embed is cut to while more than one post waits, so that ten fit.
const CROWDED_CHARS: usize = MAX_MESSAGE_CHARS / EMBEDS;

/// How long a request in flight may take after the process was told to stop.
const LAST_MOMENT: Duration = Duration::from_millis(500);

/// When Discord is away, it is so for all lanes: one of them says so.
static UNCONFIRMED: News = News::new();

impl Lane<'_> {
    /// The next post: the oldest waiting embeds, as many as fit. `None` when
    /// none of them may be posted; they are dead letters then.
    pub(super) async fn compose(&mut self, guild: GuildId) -> Result<Option<Record>, Interruption> {
        let max_chars = if self.backlog.embeds() > EMBEDS { CROWDED_CHARS } else { MAX_MESSAGE_CHARS };
        let candidates: Vec<Group> = self.backlog.groups().take(EMBEDS).collect();
        let mut draft = Draft::default();
        for group in candidates {
            let alone = group.sequences.first().is_some_and(|first| self.backlog.is_alone(*first));
            if alone && !draft.embeds.is_empty() {
                break;
            }
            let Some(alert) = self.alert(group.latest).await? else {
                // Removed from the stream by somebody else.
                self.backlog.remove(&BTreeSet::from([group.latest]));
                return Ok(None);
            };
            if let Some(cause) = self.mention_cause(guild, alert.mention.as_ref(), &alert.project).await? {
                self.bury(&group.sequences, &cause).await?;
                continue;
            }
            let links = !self.without_links.contains(&group.latest);
            let style = Style { links, ..self.around.style.clone() };
            if !draft.add(group, alert, &style, max_chars) || alone {
                break;
            }
        }
        if draft.embeds.is_empty() {
            return Ok(None);
        }
        Ok(Some(draft.record(self)))
    }

    async fn alert(&self, sequence: u64) -> anyhow::Result<Option<Alert>> {
        if let Some(alert) = self.backlog.whole(sequence) {
            return Ok(Some(alert.clone()));
        }
        let found = self.around.queue.get(vec![sequence]).await?;
        Ok(found.first().and_then(|stored| stored.alert().ok()))
    }

    async fn mention_cause(
        &self,
        guild: GuildId,
        user: Option<&shared::UserId>,
        project: &str,
    ) -> Result<Option<Cause>, Interruption> {
        let Some(user) = user else { return Ok(None) };
        Ok(match self.around.authority.entitlement(guild, *user, project).await? {
            Entitlement::Entitled => None,
            Entitlement::NoProject => Some("the mentioned user has no project in this guild"),
            Entitlement::OtherProject(_) => Some("the mentioned user is registered to another project"),
        }
        .map(|why| Cause::new(Reason::Mention, why)))
    }

    /// Sends a recorded post until Discord has decided on it. `repeated`: it
    /// may have been sent before.
    pub(super) async fn deliver(&mut self, record: Record, mut repeated: bool) -> Result<(), Interruption> {
        let mut backoff = Backoff::new(Duration::from_millis(250), Duration::from_secs(15));
        let mut checked = !repeated;
        let posting = Posting::begin(&record.traces);
        loop {
            if self.had_to_wait().await {
                if self.around.shutdown.is_cancelled() {
                    return Err(Interruption::Stopping);
                }
                checked = false;
            }
            if !checked && let Some(cause) = self.no_longer(&record).await? {
                return Ok(self.bury(&record.sequences(), &cause.if_sent(repeated)).await?);
            }
            checked = false;
            let attempt = self.around.discord.try_create_message(self.channel, &record.body);
            let outcome = tokio::select! {
                outcome = attempt => outcome,
                // What is cut off here is repeated by a successor.
                () = leaving(&self.around.shutdown) => return Err(Interruption::Stopping),
            };
            let error = match outcome {
                Ok(Some(_)) => {
                    posting.end(true);
                    return Ok(self.posted(record).await?);
                }
                // A 429: it was not done.
                Ok(None) => continue,
                Err(DiscordError::BadToken(error)) => return Err(error.into()),
                Err(DiscordError::Unavailable(error)) => error,
                Err(refused) => {
                    posting.end(false);
                    return Ok(self.refused(record, &refused, repeated).await?);
                }
            };
            repeated = true;
            let wait = backoff.next();
            metrics::counter!("sentry_bot_post_retries_total").increment(1);
            if UNCONFIRMED.is_news() {
                tracing::warn!(channel.id = %self.channel, retry_in = ?wait, "posts are not confirmed yet, such as this channel's: {error:#}");
            } else {
                tracing::debug!(channel.id = %self.channel, retry_in = ?wait, "a post is not confirmed yet: {error:#}");
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.around.shutdown.cancelled() => return Err(Interruption::Stopping),
            }
        }
    }

    /// Why a recorded post must not be repeated, if so.
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

    async fn posted(&mut self, record: Record) -> anyhow::Result<()> {
        let sequences = record.sequences();
        let (alerts, alert_ids) = (sequences.len(), log_ids(&sequences));
        metrics::counter!("sentry_bot_posts_total").increment(1);
        metrics::counter!("sentry_bot_embeds_total").increment(record.embeds as u64);
        metrics::counter!("sentry_bot_alerts_posted_total").increment(alerts as u64);
        let folded = alerts.saturating_sub(record.embeds);
        metrics::counter!("sentry_bot_alerts_folded_total").increment(folded as u64);
        let waited_ms = chrono::Utc::now().timestamp_millis().saturating_sub(record.since_ms.0).max(0);
        metrics::histogram!("sentry_bot_delivery_seconds")
            .record(Duration::from_millis(waited_ms as u64).as_secs_f64());
        tracing::info!(channel.id = %self.channel, alert.ids = %alert_ids, alerts, embeds = record.embeds, waited_ms, "posted");
        self.confirm(record).await
    }

    async fn refused(
        &mut self,
        record: Record,
        refused: &DiscordError,
        repeated: bool,
    ) -> anyhow::Result<()> {
        match refused.refusal() {
            // A repeat of a post that somebody has deleted since.
            Some(Refusal::AlreadyPosted) => self.posted(record).await,
            Some(Refusal::Channel) => self.refused_channel(&record, refused, repeated).await,
            Some(Refusal::Message) | None => self.refused_message(&record, refused, repeated).await,
        }
    }

    async fn refused_channel(
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

/// A post while it is built.
#[derive(Default)]
struct Draft {
    embeds: Vec<Embed>,
    chars: usize,
    sequences: BTreeSet<u64>,
    mentions: BTreeSet<Mention>,
    trusts: BTreeMap<Trust, i64>,
    since_ms: Option<(i64, i64)>,
    without_links: bool,
    traces: Vec<TracePoint>,
}

impl Draft {
    /// Adds an embed; false when it does not fit any more.
    fn add(&mut self, group: Group, alert: Alert, style: &Style, max_chars: usize) -> bool {
        let trace = alert.trace;
        let mention = alert.mention.map(|user| Mention { user, project: alert.project.clone() });
        let folded = Folded {
            latest: alert,
            count: group.sequences.len() as u64,
            first_ms: group.span_ms.0,
            last_ms: group.span_ms.1,
        };
        let embed = render::embed(&folded, style, max_chars);
        if !self.embeds.is_empty() && self.chars + embed.chars > MAX_MESSAGE_CHARS {
            return false;
        }
        self.chars += embed.chars;
        self.embeds.push(embed);
        self.sequences.extend(group.sequences);
        self.mentions.extend(mention);
        let both = self.trusts.iter().chain(&group.trusts);
        self.trusts = newest(both.map(|(trust, received_ms)| (trust, *received_ms)));
        let (first, last) = self.since_ms.unwrap_or(group.since_ms);
        self.since_ms = Some((first.min(group.since_ms.0), last.max(group.since_ms.1)));
        self.without_links |= !style.links;
        self.traces.extend(trace);
        true
    }

    fn record(self, lane: &Lane<'_>) -> Record {
        let bodies: Vec<_> = self.embeds.iter().map(|embed| embed.json.clone()).collect();
        let nonce = nonce(lane.channel, &self.sequences, &bodies);
        let users = self.mentions.iter().map(|mention| mention.user).collect();
        let body = render::message(&self.embeds, &users, &nonce);
        let (trusts, since_ms) = (self.trusts.into_iter().collect(), self.since_ms.unwrap_or_default());
        let (embeds, links) = (self.embeds.len(), !self.without_links);
        let mut record = Record::new(&self.sequences, self.mentions, trusts, since_ms, embeds, links, body);
        record.traces = self.traces;
        record
    }
}
