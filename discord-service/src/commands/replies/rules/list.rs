//! `rule list`.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use shared::ChannelId;

use super::{super::fields, Reply, ReplyTexts, TargetProblem, mention};
use crate::rules::{
    ChannelRules, Mute, Rule,
    counts::{Hit, RuleCounts},
    shadowed_by, words,
};

/// Fields of the longest lists. With all of them an embed keeps below Discord's 6,000
/// characters.
const MAX_RULE_FIELDS: usize = 3;
const MAX_MUTE_FIELDS: usize = 2;

/// The rules and mutes of a channel, as the store has them.
#[derive(Debug, Default)]
pub(in crate::commands) struct KeptRules {
    pub(in crate::commands) rules: Arc<ChannelRules>,
    /// Whether the store has lost the rules. Alerts wait until somebody adds one.
    pub(in crate::commands) lost: bool,
}

impl ReplyTexts<'_> {
    /// The rules of a channel, and its mutes that run at this time (milliseconds since
    /// 1970).
    pub(in crate::commands) fn rules(
        &self,
        home: ChannelId,
        KeptRules { rules, lost }: &KeptRules,
        counts: &RuleCounts,
        problems: &BTreeMap<ChannelId, TargetProblem>,
        now_ms: i64,
    ) -> Reply {
        let lines: Vec<_> =
            (0..rules.rules.len()).map(|place| rule_line(&rules.rules, place, counts, problems)).collect();
        let mutes = running(rules, now_ms).map(|mute| mute_line(mute, counts)).collect::<Vec<_>>();
        let mut embed = self.embed("SENTRY RULES", Vec::new());
        let (home, add) = (mention(&home), self.names.slash("rule add"));
        let description = match lines.is_empty() {
            _ if *lost => {
                format!("The rules of {home} were lost, so its alerts wait. Add a rule with {add}.")
            }
            true => format!("{home} has no rules: every alert stays there. Add one with {add}."),
            false => format!("Rules of {home}. The first one that matches an alert decides."),
        };
        embed["description"] = description.into();
        let fields = fields::pages("Rules", &lines, MAX_RULE_FIELDS).into_iter().chain(fields::pages(
            "Mutes",
            &mutes,
            MAX_MUTE_FIELDS,
        ));
        embed["fields"] = fields.collect::<Vec<_>>().into();
        Reply::Embed(embed)
    }

    /// What rules and mutes did with the alerts of a channel, as fields of `status`. There
    /// are none where there is nothing to say.
    pub(in super::super) fn sorted(kept: &KeptRules, counts: &RuleCounts, now_ms: i64) -> Vec<Value> {
        let KeptRules { rules, lost } = kept;
        let RuleCounts { routed, dropped, muted, .. } = counts;
        let mutes: Vec<_> = running(rules, now_ms).map(|mute| mute_line(mute, counts)).collect();
        if !lost && rules.rules.is_empty() && mutes.is_empty() && [routed, dropped, muted] == [&0; 3] {
            return Vec::new();
        }
        let counts = [("Routed", routed), ("Dropped by Rules", dropped), ("Muted", muted)];
        let counts =
            counts.map(|(name, count)| json!({"name": name, "value": fields::count(*count), "inline": true}));
        let waits = "They were lost, so the alerts wait until you add one.";
        let lost = lost.then(|| json!({"name": "Rules", "value": waits}));
        counts.into_iter().chain(lost).chain(fields::pages("Muted Now", &mutes, 1)).collect()
    }
}

fn running(rules: &ChannelRules, now_ms: i64) -> impl Iterator<Item = &Mute> {
    rules.mutes.iter().filter(move |mute| mute.runs(now_ms))
}

/// The rule at this place, from 0.
fn rule_line(
    rules: &[Rule],
    place: usize,
    counts: &RuleCounts,
    problems: &BTreeMap<ChannelId, TargetProblem>,
) -> String {
    let (number, (earlier, rule)) = (place + 1, (&rules[..place], &rules[place]));
    let problem = rule.target().and_then(|target| problems.get(&target));
    let problem = problem.map_or("", TargetProblem::in_list);
    let shadow = shadowed_by(earlier, &rule.conditions);
    let shadow = shadow.map(|all| format!(" (never applies: rule {all} takes all)")).unwrap_or_default();
    let (words, by, hits) = (words::rule(rule), words::user(rule.by), hits(&counts.rules, rule.id));
    format!("**{number}** {words}{problem}{shadow}, by {by} · {hits}")
}

fn mute_line(mute: &Mute, counts: &RuleCounts) -> String {
    format!("**{}** {} · {}", mute.number, words::mute(mute), hits(&counts.mutes, mute.number))
}

/// How many alerts it decided, and when the last of them came.
fn hits(counts: &BTreeMap<u64, Hit>, id: u64) -> String {
    match counts.get(&id) {
        None | Some(Hit { count: 0, .. }) => "no alerts yet".to_owned(),
        Some(Hit { count: 1, last_ms }) => format!("1 alert, {}", ago(*last_ms)),
        Some(Hit { count, last_ms }) => format!("{count} alerts, the last {}", ago(*last_ms)),
    }
}

/// Discord's client goes on counting.
fn ago(ms: i64) -> String {
    format!("<t:{}:R>", ms.div_euclid(1_000))
}
