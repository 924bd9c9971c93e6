//! Building a channel's next post.

use std::collections::{BTreeMap, BTreeSet};

use shared::{Alert, GuildId, alert::Trust, trace::TracePoint};

use super::{
    backlog::{Group, newest},
    issue::{IssueKey, is_remark},
    lane::{Interruption, Lane},
    messages::{Shown, naming},
    record::{Mention, Record, nonce},
};
use crate::{
    authority::Entitlement,
    dead_letters::{Cause, Reason},
    render::{self, Change, Embed, Exhibit, Folded, History, MAX_MESSAGE_CHARS, Style},
};

/// Discord's limit for the embeds of one message.
pub(super) const EMBEDS: usize = 10;
/// What each embed is cut to while more than one post waits, so that ten fit.
const CROWDED_CHARS: usize = MAX_MESSAGE_CHARS / EMBEDS;

impl Lane<'_> {
    /// The next post: the oldest waiting embeds, as many as fit. `None` when
    /// none of them may be posted; they are dead letters then.
    pub(super) async fn compose(&mut self, guild: GuildId) -> Result<Option<Record>, Interruption> {
        let mut candidates: Vec<Group> = self.backlog.posts().take(EMBEDS + 1).collect();
        let max_chars = if candidates.len() > EMBEDS { CROWDED_CHARS } else { MAX_MESSAGE_CHARS };
        candidates.truncate(EMBEDS);
        let mut draft = Draft::default();
        for group in candidates {
            let alone = group.sequences.first().is_some_and(|first| self.backlog.is_alone(*first));
            if alone && !draft.embeds.is_empty() {
                break;
            }
            let Some(mut alert) = self.alert(group.latest).await? else {
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
            let history = self.history(guild, &alert).await?;
            self.name_issue(&mut alert, &draft).await?;
            if !draft.add(group, alert, history, &style, max_chars) || alone {
                break;
            }
        }
        if draft.embeds.is_empty() {
            return Ok(None);
        }
        Ok(Some(draft.record(self, max_chars)))
    }

    /// What is known of the issue beside the alert. One that is back says where
    /// it was told of first; one that comes after its own end says that it has ended.
    async fn history(&self, guild: GuildId, alert: &Alert) -> anyhow::Result<History> {
        let own = Change::of(alert);
        let is_return = own.as_ref().is_some_and(Change::is_return);
        let mut history = History::default();
        if let Some(issue) = IssueKey::of(alert).filter(|_| is_return || alert.kind == "issue.created")
            && let Some((message, shown)) = self.first_about(&issue).await?
        {
            history = shown.of_issue(&issue).map(|told| told.folded.history.clone()).unwrap_or_default();
            let url = format!("https://discord.com/channels/{guild}/{}/{message}", self.channel);
            history.earlier = is_return.then_some(url);
        }
        if let Some(own) = own {
            history.add(&own);
        }
        Ok(history)
    }

    async fn first_about(&self, issue: &IssueKey) -> anyhow::Result<Option<(u64, Shown)>> {
        let messages = &self.around.messages;
        for message in messages.entry(self.channel, issue).await?.into_iter().flat_map(|entry| entry.messages)
        {
            if let Some(shown) = messages.shown(self.channel, message).await? {
                return Ok(Some((message, shown)));
            }
        }
        Ok(None)
    }

    /// Gives a remark what this post or an earlier message shows of its issue: the
    /// title, and the link where it has none of its own.
    async fn name_issue(&self, alert: &mut Alert, draft: &Draft) -> anyhow::Result<()> {
        let Some(issue) = IssueKey::of(alert).filter(|_| is_remark(alert)) else { return Ok(()) };
        let earlier = match naming(&draft.exhibits, &issue) {
            Some(_) => None,
            None => self.first_about(&issue).await?,
        };
        let earlier = earlier.as_ref().and_then(|(_, shown)| shown.naming(&issue));
        if let Some(known) = naming(&draft.exhibits, &issue).or(earlier) {
            alert.title = known.title.clone().or_else(|| alert.title.take());
            alert.url = alert.url.take().or_else(|| known.url.clone());
        }
        Ok(())
    }

    pub(super) async fn alert(&self, sequence: u64) -> anyhow::Result<Option<Alert>> {
        if let Some(alert) = self.backlog.whole(sequence) {
            return Ok(Some(alert.clone()));
        }
        let found = self.around.queue.get(vec![sequence]).await?;
        Ok(found.first().and_then(|stored| stored.alert().ok()))
    }

    pub(super) async fn mention_cause(
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
}

/// A post while it is built.
#[derive(Default)]
struct Draft {
    embeds: Vec<Embed>,
    exhibits: Vec<Exhibit>,
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
    fn add(&mut self, group: Group, alert: Alert, history: History, style: &Style, max_chars: usize) -> bool {
        let trace = alert.trace;
        let mention = alert.mention.map(|user| Mention { user, project: alert.project.clone() });
        let folded = Folded {
            latest: alert,
            count: group.sequences.len() as u64,
            first_ms: group.span_ms.0,
            last_ms: group.span_ms.1,
            history,
        };
        let embed = render::embed(&folded, style, max_chars);
        let exhibit = Exhibit::new(folded, style.links, &embed);
        if !self.embeds.is_empty() && self.chars + exhibit.room() > MAX_MESSAGE_CHARS {
            return false;
        }
        self.chars += exhibit.room();
        self.embeds.push(embed);
        self.exhibits.push(exhibit);
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

    fn record(self, lane: &Lane<'_>, max_chars: usize) -> Record {
        let bodies: Vec<_> = self.embeds.iter().map(|embed| embed.json.clone()).collect();
        let nonce = nonce(lane.channel, &self.sequences, &bodies);
        let users = self.mentions.iter().map(|mention| mention.user).collect();
        let body = render::message(&self.embeds, &users, &nonce);
        let (trusts, since_ms) = (self.trusts.into_iter().collect(), self.since_ms.unwrap_or_default());
        let (embeds, links) = (self.embeds.len(), !self.without_links);
        let shown = Shown::new(max_chars, self.exhibits);
        let record = Record::new(&self.sequences, self.mentions, trusts, since_ms, embeds, links, body);
        record.showing(shown).tracing(self.traces)
    }
}
