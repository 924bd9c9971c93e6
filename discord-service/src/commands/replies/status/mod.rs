//! What `status` and `test` answer.

use std::time::Duration;

use serde_json::{Value, json};
use shared::{ChannelId, refusal::Refusal};

use super::{KeptRules, Reply, ReplyTexts, fields, mention, quoted, remedies};
use crate::{
    closure::Closure,
    dead_letters::DeadLetter,
    diagnosis::{Findings, SampleOutcome, WaitingSummary},
    render,
    rules::{ChannelRules, Decision},
};

/// Closed channels that are shown: as many as a field holds.
const MAX_CLOSED: usize = 2;
/// Refusals that show the rule that was broken.
const DETAILED: usize = 5;

impl ReplyTexts<'_> {
    /// `status`: what is known of the channel at this time (milliseconds since 1970).
    pub(in crate::commands) fn status(
        &self,
        channel: ChannelId,
        authorized: bool,
        findings: &Findings,
        rules: &KeptRules,
        now_ms: i64,
    ) -> Reply {
        let inline = |name: &str, value: String| json!({"name": name, "value": value, "inline": true});
        let time = |ms: Option<i64>| ms.map_or_else(|| fields::NONE.to_owned(), |ms| at(ms, now_ms));
        let mut fields = vec![
            inline("Last Received (UTC)", time(findings.last_received_ms())),
            inline("Last Posted (UTC)", time(findings.tally.posted_ms)),
            inline("Received", fields::count(findings.received())),
            inline("Posted", fields::count(findings.tally.posted)),
            inline("Waiting", waiting(&findings.waiting, now_ms)),
            inline("Dead Letters", fields::count(findings.dead.kept)),
        ];
        fields.extend(Self::sorted(rules, &findings.rule_counts, now_ms));
        // What is open again and has nothing to follow needs no line.
        let closure = findings.closure.as_ref();
        if let Some(closure) = closure.filter(|closure| closure.is_closed() || findings.follows > 0) {
            let value = format!("{}\n{}", closed(closure, findings.follows, now_ms), quoted(closure.words()));
            fields.push(json!({"name": "Blocked by Discord", "value": value}));
        }
        let problems = self.problems(findings);
        let none = json!({"name": "Not Arrived", "value": fields::NONE});
        fields.extend(problems.iter().map(|problem| problem.field(now_ms)));
        fields.extend(problems.is_empty().then_some(none));
        fields.truncate(fields::MOST);
        let mut embed = self.embed("SENTRY STATUS", fields);
        embed["description"] = match authorized {
            true => format!("<#{channel}> is authorized."),
            false => format!(
                "<#{channel}> is not authorized, so nothing is posted there. Use {} with this channel.",
                self.names.of("channel authorize")
            ),
        }
        .into();
        Reply::Embed(embed)
    }

    /// One line for each of these channels that is closed.
    pub(in crate::commands) fn closed(
        &self,
        channels: &[(ChannelId, Closure, usize)],
        now_ms: i64,
    ) -> Option<Value> {
        let lines = channels.iter().filter(|(_, closure, follows)| closure.is_closed() || *follows > 0).map(
            |(channel, closure, follows)| {
                format!("<#{channel}>: {} {}", closed(closure, *follows, now_ms), quoted(closure.words()))
            },
        );
        let mut lines: Vec<String> = lines.collect();
        let more = lines.len().saturating_sub(MAX_CLOSED);
        lines.truncate(MAX_CLOSED);
        let more = if more == 0 { String::new() } else { format!("\nand {more} more") };
        (!lines.is_empty()).then(|| json!({"name": "Blocked by Discord", "value": lines.join("\n") + &more}))
    }

    /// `test`. `rules` are the channel's.
    pub(in crate::commands) fn tested(
        &self,
        outcome: &SampleOutcome,
        rules: &ChannelRules,
        now_ms: i64,
    ) -> Reply {
        match outcome {
            SampleOutcome::Posted(after) => format!("Sent a sample alert: it was posted after {}", took(*after)),
            SampleOutcome::Sorted(decision) => {
                format!("Sent a sample alert: {}", sorted(*decision, rules))
            }
            SampleOutcome::Dead(letter) => format!(
                "Sent a sample alert, but it cannot be posted. {}\n{}",
                remedies::of_dead_letter(letter, &self.names),
                quoted(&letter.detail)
            ),
            SampleOutcome::Waits(since, waits) => format!(
                "Sent a sample alert, but it was not posted within {}. Waiting: {}. Discord may be away, or this channel \
                 gets more alerts than Discord takes. The alert follows as soon as it can. {} says more.",
                took(*since),
                waiting(waits, now_ms),
                self.names.of("status")
            ),
        }
        .into()
    }

    /// The last refusals of each kind, then the last dead letters, each newest first; equal
    /// neighbours are one.
    fn problems(&self, findings: &Findings) -> Vec<Problem> {
        let refusals =
            findings.refusals.iter().enumerate().map(|(n, refusal)| self.refused(refusal, n < DETAILED));
        let dead = findings.dead.letters.iter().map(|letter| self.dead(letter));
        let mut problems: Vec<Problem> = Vec::new();
        for problem in refusals.chain(dead) {
            match problems.last_mut() {
                Some(last) if (last.what, &last.words) == (problem.what, &problem.words) => {
                    last.times = last.times.saturating_add(problem.times);
                }
                _ => problems.push(problem),
            }
        }
        problems
    }

    fn refused(&self, refusal: &Refusal, detailed: bool) -> Problem {
        let mut words = remedies::of_refusal(refusal.reason, &self.names);
        if let Some(detail) = refusal.detail.as_ref().filter(|_| detailed) {
            words += &format!("\n{}", quoted(detail));
        }
        Problem { what: "Refused", at_ms: refusal.at_ms, times: refusal.times, words }
    }

    fn dead(&self, letter: &DeadLetter) -> Problem {
        let remedy = remedies::of_dead_letter(letter, &self.names);
        let words = format!("{remedy}\n{}", quoted(&letter.detail));
        Problem { what: "Dead Letter", at_ms: letter.died_ms, times: 1, words }
    }
}

/// Alerts that did not arrive, for one reason.
struct Problem {
    what: &'static str,
    /// When it was so for the last time.
    at_ms: i64,
    times: u64,
    words: String,
}

impl Problem {
    fn field(&self, now_ms: i64) -> Value {
        let times = if self.times > 1 { format!(" ×{}", self.times) } else { String::new() };
        let at = render::utc(self.at_ms).unwrap_or_default();
        let name = format!("{}{times}: {at}, {}", self.what, ago(self.at_ms, now_ms));
        json!({"name": name, "value": self.words})
    }
}

/// What rules decided about an alert. A reader knows a rule by its place.
fn sorted(decision: Decision, rules: &ChannelRules) -> String {
    let rule = |id| match rules.rules.iter().position(|rule| rule.id == id) {
        Some(index) => format!("rule {}", index + 1),
        None => "a rule".to_owned(),
    };
    match decision {
        Decision::Mute(number) => format!("mute {number} kept it quiet"),
        Decision::Drop(id) => format!("{} dropped it", rule(id)),
        Decision::Route { rule: id, target, .. } => format!("{} sent it to {}", rule(id), mention(&target)),
        Decision::Keep { .. } => "it was posted".to_owned(),
    }
}

/// Since when, and what follows.
fn closed(closure: &Closure, follows: usize, now_ms: i64) -> String {
    if !closure.is_closed() {
        return format!("Discord lets the bot post again, and {}.", letters(follows, "follow"));
    }
    let since = closure.since_ms.map(|since| format!("Blocked for {}. ", span(now_ms.saturating_sub(since))));
    let rest = match (follows, closure.gone) {
        (0, _) => String::new(),
        (_, true) => format!(" {} here.", letters(follows, "stay")),
        (_, false) => format!(" {} too.", letters(follows, "follow")),
    };
    let since = since.unwrap_or_default();
    format!("{since}Discord does not let the bot post in this channel. {}.{rest}", closure.remedy())
}

/// So many dead letters do this.
fn letters(count: usize, verb: &str) -> String {
    match count {
        1 => format!("1 dead letter {verb}s"),
        1_000.. => format!("1000 dead letters or more {verb}"),
        _ => format!("{count} dead letters {verb}"),
    }
}

fn waiting(waiting: &WaitingSummary, now_ms: i64) -> String {
    match (waiting.alerts, waiting.oldest_ms) {
        (0, _) => fields::NONE.to_owned(),
        (alerts, Some(oldest)) => format!("{alerts}, the oldest for {}", span(now_ms.saturating_sub(oldest))),
        (alerts, None) => alerts.to_string(),
    }
}

fn at(ms: i64, now_ms: i64) -> String {
    format!("`{}`, {}", render::utc(ms).unwrap_or_default(), ago(ms, now_ms))
}

fn ago(ms: i64, now_ms: i64) -> String {
    format!("{} ago", span(now_ms.saturating_sub(ms)))
}

/// A time in its largest unit, rounded down; clocks that disagree make none.
fn span(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn took(time: Duration) -> String {
    match time.as_millis() {
        ms @ 0..1_000 => format!("{ms} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests;
