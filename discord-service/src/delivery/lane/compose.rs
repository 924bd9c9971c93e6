//! Builds a channel's next post.

use std::collections::{BTreeMap, BTreeSet};

use shared::{Alert, ChannelId, GuildId, trace::TracePoint};

use super::{
    Lane,
    history::{history, name_issue},
    interruption::Interruption,
    permission::mention_cause,
};
use crate::{
    delivery::{
        backlog::{Group, newest},
        messages::ShownMessage,
        record::{Content, Mention, Record, nonce},
    },
    render::{self, Embed, Exhibit, Folded, History, Layout, MAX_MESSAGE_CHARS, Mentions, Style},
    stack_trace::StackTrace,
    trust::Admission,
};

/// Discord's limit for the embeds of one message.
pub(super) const MAX_EMBEDS: usize = 10;
/// The length of each embed while more than one post waits, so that ten fit.
const CROWDED_CHARS: usize = MAX_MESSAGE_CHARS / MAX_EMBEDS;

impl Lane<'_> {
    /// Builds the next post from the oldest waiting embeds, as many as fit.
    /// `None` if none of them may be posted, and all are dead letters now.
    pub(super) async fn compose(&mut self, guild: GuildId) -> Result<Option<Record>, Interruption> {
        let mut candidates: Vec<Group> = self.inbox.backlog().posts().take(MAX_EMBEDS + 1).collect();
        let crowded = candidates.len() > MAX_EMBEDS;
        let alone = |group: &Group| {
            group.sequences.first().is_some_and(|first| self.inbox.backlog().is_alone(*first))
        };
        let before_alone = candidates.iter().position(alone).unwrap_or(MAX_EMBEDS);
        candidates.truncate(before_alone.clamp(1, MAX_EMBEDS));
        let layout = self.services.style.layout.among(candidates.len());
        let compact = layout == Layout::Compact;
        let max_chars = if crowded || compact { CROWDED_CHARS } else { MAX_MESSAGE_CHARS };
        let mut draft = PostDraft::default();
        for group in candidates {
            let Some(mut alert) = self.inbox.alert(group.latest).await? else {
                // Somebody else has removed it from the stream.
                self.inbox.backlog_mut().remove(&BTreeSet::from([group.latest]));
                return Ok(None);
            };
            self.services.names.note(self.channel, &alert);
            let mention = alert.mention.as_ref();
            if let Some(cause) = mention_cause(self.services, guild, mention, &alert.project).await? {
                self.bury(&group.sequences, &cause).await?;
                continue;
            }
            let links = self.inbox.has_links(group.latest);
            let style = Style { layout, links, ..self.services.style.clone() };
            let history = history(self.services, self.channel, guild, &alert).await?;
            name_issue(self.services, self.channel, &mut alert, &draft.exhibits).await?;
            alert.routing.stranded = group.stranded;
            if !draft.add(group, alert, history, &style, max_chars) {
                break;
            }
        }
        if compact && self.services.style.layout.among(draft.embeds.len()) != layout {
            // Others are dead letters now, and those that are left have room for more.
            return Ok(None);
        }
        Ok((!draft.embeds.is_empty()).then(|| draft.record(self.channel, max_chars)))
    }
}

/// A post while it is built.
#[derive(Default)]
struct PostDraft {
    embeds: Vec<Embed>,
    exhibits: Vec<Exhibit>,
    chars: usize,
    sequences: BTreeSet<u64>,
    mentions: BTreeSet<Mention>,
    admissions: BTreeMap<Admission, i64>,
    since_ms: Option<(i64, i64)>,
    without_links: bool,
    traces: Vec<TracePoint>,
    /// That of the only embed.
    stack_trace: Option<StackTrace>,
}

impl PostDraft {
    /// Adds an embed. `false` if it does not fit.
    fn add(&mut self, group: Group, alert: Alert, history: History, style: &Style, max_chars: usize) -> bool {
        let trace = alert.trace;
        let mention = alert.mention.map(|user| Mention { user, project: alert.project.clone() });
        let mut folded = Folded {
            latest: alert,
            count: group.sequences.len() as u64,
            first_ms: group.span_ms.0,
            last_ms: group.span_ms.1,
            history,
        };
        let embed = render::embed(&folded, style, max_chars);
        let stack_trace = StackTrace::of(&folded.latest);
        // No embed shows them: they would take room in the bucket of messages.
        folded.latest.callers.clear();
        let exhibit = Exhibit::new(folded, style, &embed);
        if !self.embeds.is_empty() && self.chars + exhibit.room() > MAX_MESSAGE_CHARS {
            return false;
        }
        self.stack_trace = stack_trace.filter(|_| self.embeds.is_empty());
        self.chars += exhibit.room();
        self.embeds.push(embed);
        self.exhibits.push(exhibit);
        self.sequences.extend(group.sequences);
        self.mentions.extend(mention);
        let both = self.admissions.iter().chain(&group.admissions);
        self.admissions = newest(both.map(|(on, received_ms)| (on, *received_ms)));
        let (first, last) = self.since_ms.unwrap_or(group.since_ms);
        self.since_ms = Some((first.min(group.since_ms.0), last.max(group.since_ms.1)));
        self.without_links |= !style.links;
        self.traces.extend(trace);
        true
    }

    fn record(self, channel: ChannelId, max_chars: usize) -> Record {
        let bodies: Vec<_> = self.embeds.iter().map(|embed| embed.json.clone()).collect();
        let nonce = nonce(channel, &self.sequences, &bodies);
        let mentions = Mentions::of(self.exhibits.iter().map(|exhibit| &exhibit.folded.latest));
        let body = render::message(&self.embeds, &mentions, &nonce);
        let content = Content {
            sequences: self.sequences,
            mentions: self.mentions,
            admissions: self.admissions,
            since_ms: self.since_ms.unwrap_or_default(),
            embeds: self.embeds.len(),
            links: !self.without_links,
            body,
        };
        let shown = ShownMessage::new(max_chars, self.exhibits);
        Record::new(content).showing(shown).offering(self.stack_trace).tracing(self.traces)
    }
}
