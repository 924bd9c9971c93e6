//! Edits as a small model that is walked through exhaustively, as in
//! `protocol_tests`: it crashes after every step, and Discord answers in every
//! way. What is posted, edited, remembered and removed is decided by the real code.

use std::collections::{BTreeMap, BTreeSet};

use shared::{Alert, ChannelId, alert::Details};

use super::*;
use crate::{
    dead_letters::{Cause, Reason},
    delivery::{
        backlog::Backlog,
        choices::Choices,
        queue::Removal,
        record::{Resume, State, nonce},
    },
    render::{Embed, Exhibit, Folded, History},
};

/// Two issues that share a message, and what becomes of them.
const ALERTS: [(&str, &str); 6] = [
    ("a", "error"),
    ("b", "error"),
    ("a", "issue.resolved"),
    ("b", "issue.archived"),
    ("a", "issue.unresolved"),
    ("b", "issue.assigned"),
];

struct Crash;

fn alert(sequence: u64) -> Alert {
    let (issue, kind) = ALERTS[sequence as usize - 1];
    // Sentry tells of the last change first: the order on the bus is not theirs.
    let at = if kind == "issue.archived" { 100 } else { sequence as i64 };
    let how = (kind == "issue.unresolved").then(|| "regression".to_owned());
    let details = Details { actor: Some(format!("actor {sequence}")), how, ..Details::default() };
    let issue_id = Some(issue.to_owned());
    Alert { issue_id, details, ..Alert::new(kind, "backend", ChannelId::new(1), at) }
}

fn issue_of(sequence: u64) -> IssueKey {
    IssueKey::of(&alert(sequence)).expect("it names one")
}

/// What survives a crash, and who may crash.
struct World<'a> {
    choices: &'a mut Choices,
    stream: BTreeSet<u64>,
    record: Option<Record>,
    entries: BTreeMap<IssueKey, Entry>,
    remembered: BTreeMap<u64, Shown>,
    /// Discord's messages, also those that somebody deleted: what was posted in each.
    posted: BTreeMap<u64, BTreeSet<u64>>,
    /// What those show that still stand.
    standing: BTreeMap<u64, Shown>,
    nonces: BTreeMap<String, u64>,
    /// Dead letters, and whether they say that they may have been posted.
    dead: BTreeMap<u64, bool>,
    /// Changes that were told by an edit.
    edited: BTreeSet<u64>,
}

impl World<'_> {
    /// A step is done.
    fn survive(&mut self) -> Result<(), Crash> {
        if self.choices.evil(2) == 0 { Ok(()) } else { Err(Crash) }
    }

    /// From the start of a process to its crash, or until nothing waits.
    fn live(&mut self) -> Result<(), Crash> {
        let mut backlog = Backlog::default();
        for &sequence in &self.stream {
            backlog.insert(sequence, alert(sequence));
        }
        if let Some(record) = self.record.clone() {
            let stands = record.first().is_some_and(|first| self.stream.contains(&first));
            match record.resume(stands) {
                Resume::Remove => self.remove(&record.sequences(), &mut backlog)?,
                Resume::Repeat => self.deliver(record, true, &mut backlog)?,
                Resume::Bury(cause) => self.bury_decided(&record.sequences(), &cause, &mut backlog)?,
            }
        }
        while !backlog.is_empty() {
            self.sort(&mut backlog);
            let issue = backlog.changes().map(|(issue, _)| issue).find(|i| self.entries.contains_key(i));
            let post = backlog.posts().next().is_some();
            let record = match (post, issue) {
                (true, None) => self.post(&backlog),
                (true, Some(_)) if self.choices.pick(2) == 0 => self.post(&backlog),
                (_, Some(issue)) => match self.edit(issue, &mut backlog)? {
                    Some(record) => record,
                    None => continue,
                },
                (false, None) => unreachable!("what waits for nothing is posted"),
            };
            self.record = Some(record.clone());
            self.survive()?;
            self.deliver(record, false, &mut backlog)?;
        }
        Ok(())
    }

    fn sort(&self, backlog: &mut Backlog) {
        let (due, waiting) = (backlog.issues_to_post(), backlog.changes().map(|(issue, _)| issue));
        for issue in waiting.collect::<BTreeSet<_>>() {
            if !self.entries.contains_key(&issue) && !due.contains(&issue) {
                backlog.post_oldest_change(issue);
            }
        }
    }

    fn post(&self, backlog: &Backlog) -> Record {
        let groups: Vec<Group> = backlog.posts().take(2).collect();
        let exhibits = groups.iter().map(|group| {
            let latest = alert(group.latest);
            let mut history = History::default();
            if let Some(own) = Change::of(&latest) {
                let entry = self.entries.get(&issue_of(group.latest));
                let mut told = entry.into_iter().flat_map(|entry| &entry.messages);
                let told =
                    told.find_map(|message| self.remembered.get(message)?.of_issue(issue_of(group.latest)));
                history = told.map(|told| told.folded.history.clone()).unwrap_or_default();
                history.add(&own);
            }
            let folded = Folded { latest, count: 1, first_ms: 0, last_ms: 0, history };
            Exhibit::new(
                folded,
                true,
                &Embed { json: serde_json::Value::Null, chars: 9, link: None, label: "" },
            )
        });
        let shown = Shown::new(600, exhibits.collect());
        let sequences = groups.into_iter().flat_map(|group| group.sequences).collect();
        Record::new(&sequences, BTreeSet::new(), Vec::new(), (0, 0), 2, true, "body".into()).showing(shown)
    }

    fn edit(&mut self, issue: IssueKey, backlog: &mut Backlog) -> Result<Option<Record>, Crash> {
        let known = self.entries.get(&issue).into_iter().flat_map(|entry| &entry.messages);
        let known = known.filter_map(|id| Some((*id, self.remembered.get(id)?.clone())));
        let messages: Vec<(u64, Shown)> = known.collect();
        if messages.is_empty() {
            self.entries.remove(&issue);
            self.survive()?;
            return Ok(None);
        }
        let changes = waiting(BTreeSet::from([issue]), backlog);
        let Some(mut plan) = Plan::of(messages, &changes) else {
            let told: BTreeSet<u64> = told_by_edit(&changes).collect();
            match told.is_empty() {
                true => backlog.post_oldest_change(issue),
                false => self.remove(&told, backlog)?,
            }
            self.edited.extend(told);
            return Ok(None);
        };
        let alone = |other: &IssueKey| {
            *other != issue && self.entries.get(other).is_some_and(|entry| entry.messages == [plan.message])
        };
        let others = plan.shown.issues().into_iter().filter(alone).collect();
        plan.join(&waiting(others, backlog));
        let record = Record::new(&plan.told, BTreeSet::new(), Vec::new(), (0, 0), 0, false, "body".into());
        Ok(Some(record.editing(plan.message).showing(plan.shown)))
    }

    fn deliver(&mut self, record: Record, mut repeated: bool, backlog: &mut Backlog) -> Result<(), Crash> {
        loop {
            match self.choices.evil(5) {
                // Done, and answered unless it crashes first.
                0 => match self.act(&record) {
                    Some(message) => {
                        self.survive()?;
                        self.remember(&record, message)?;
                        return self.confirm(record, backlog);
                    }
                    None => return self.forget(&record),
                },
                // Done, but no answer.
                1 => drop(self.act(&record)),
                // Not done, and no answer.
                2 => {}
                // Somebody deleted the message.
                3 => drop(record.edits.map(|message| self.standing.remove(&message))),
                // Revoked meanwhile, or refused for good.
                _ => return self.bury(&record.sequences(), repeated, backlog),
            }
            repeated = true;
            self.survive()?;
        }
    }

    /// What Discord does; `None` when there is nothing to edit any more.
    fn act(&mut self, record: &Record) -> Option<u64> {
        let shown = record.shown.clone().expect("it is to be remembered");
        if let Some(message) = record.edits {
            return self.standing.get_mut(&message).map(|standing| *standing = shown).map(|()| message);
        }
        let nonce = nonce(ChannelId::new(1), &record.sequences(), &[]);
        let next = self.nonces.len() as u64 + 1;
        let message = *self.nonces.entry(nonce).or_insert(next);
        if self.posted.insert(message, record.sequences()).is_none() {
            self.standing.insert(message, shown);
        }
        Some(message)
    }

    fn forget(&mut self, record: &Record) -> Result<(), Crash> {
        self.remembered.remove(&record.edits.expect("a post does not need a message"));
        self.survive()
    }

    fn remember(&mut self, record: &Record, message: u64) -> Result<(), Crash> {
        let shown = record.shown.clone().expect("it is to be remembered");
        if record.edits.is_none() {
            let known = |issue: &IssueKey| self.entries.get(issue).cloned();
            let entries: Vec<_> = shown.entries(message, known).collect();
            if entries.is_empty() {
                return Ok(());
            }
            self.remembered.insert(message, shown);
            self.survive()?;
            for (issue, entry) in entries {
                self.entries.insert(issue, entry);
                self.survive()?;
            }
            return Ok(());
        }
        self.edited.extend(record.sequences());
        self.remembered.insert(message, shown);
        self.survive()
    }

    fn bury(&mut self, sequences: &BTreeSet<u64>, sent: bool, backlog: &mut Backlog) -> Result<(), Crash> {
        let cause = Cause::new(Reason::Revoked, "revoked").if_sent(sent);
        self.record = Some(Record::dead(sequences, cause.clone()));
        self.survive()?;
        self.bury_decided(sequences, &cause, backlog)
    }

    fn bury_decided(
        &mut self,
        sequences: &BTreeSet<u64>,
        cause: &Cause,
        backlog: &mut Backlog,
    ) -> Result<(), Crash> {
        for sequence in sequences.intersection(&self.stream.clone()) {
            self.dead.entry(*sequence).or_insert(cause.may_have_been_posted);
        }
        self.survive()?;
        self.remove(sequences, backlog)
    }

    fn confirm(&mut self, mut record: Record, backlog: &mut Backlog) -> Result<(), Crash> {
        record.state = State::Posted;
        let noted_first = self.choices.pick(2) == 0;
        if noted_first {
            self.record = Some(record.clone());
            self.survive()?;
        }
        self.remove(&record.sequences(), backlog)?;
        self.record = Some(record);
        self.survive()
    }

    fn remove(&mut self, sequences: &BTreeSet<u64>, backlog: &mut Backlog) -> Result<(), Crash> {
        let Removal { below, single } = Removal::of(sequences, backlog.first_outside(sequences));
        if let Some(below) = below {
            self.stream.retain(|sequence| *sequence >= below);
            self.survive()?;
        }
        for sequence in single {
            self.stream.remove(&sequence);
            self.survive()?;
        }
        backlog.remove(sequences);
        Ok(())
    }

    fn check(&self) {
        assert!(self.stream.is_empty());
        for sequence in 1..=ALERTS.len() as u64 {
            let posts = self.posted.values().filter(|alerts| alerts.contains(&sequence)).count();
            let dead = self.dead.get(&sequence);
            let is_change = alert(sequence).kind.starts_with("issue.") && sequence != 5;
            let right = match dead {
                None if is_change => posts == 1 || self.edited.contains(&sequence),
                None => posts == 1,
                Some(true) => posts <= 1,
                Some(false) => posts == 0,
            };
            assert!(right, "{sequence}: {posts} posts, dead: {dead:?}, edited: {:?}", self.edited);
            self.check_shown(sequence);
        }
    }

    /// Every message in which the issue is kept up to date shows this or newer,
    /// unless it was told in one that somebody deleted.
    fn check_shown(&self, sequence: u64) {
        let Some(change) = Change::of(&alert(sequence)).filter(|_| !self.dead.contains_key(&sequence)) else {
            return;
        };
        let issue = issue_of(sequence);
        for message in self.entries.get(&issue).into_iter().flat_map(|entry| &entry.messages) {
            if let (Some(standing), Some(kept)) = (self.standing.get(message), self.remembered.get(message)) {
                let unsure = self.dead.values().any(|sent| *sent);
                assert!(unsure || standing == kept, "message {message} shows what is not remembered");
                let told = !standing.clone().add(issue, &change);
                assert!(
                    told || self.standing.len() < self.posted.len(),
                    "{message} does not show {sequence}"
                );
            }
        }
    }
}

fn waiting(issues: BTreeSet<IssueKey>, backlog: &Backlog) -> Vec<Waiting> {
    let changes = backlog.changes_of(&issues).into_iter().map(|(issue, class, group)| {
        let change = Change::of(&alert(group.latest)).expect("it is one");
        Waiting { issue, class, group, change, mention: None }
    });
    changes.collect()
}

fn history(choices: &mut Choices, already: u64) -> World<'_> {
    let mut world = World {
        choices,
        stream: (1..=already).collect(),
        record: None,
        entries: BTreeMap::new(),
        remembered: BTreeMap::new(),
        posted: BTreeMap::new(),
        standing: BTreeMap::new(),
        nonces: BTreeMap::new(),
        dead: BTreeMap::new(),
        edited: BTreeSet::new(),
    };
    let mut come = already;
    loop {
        let lived = world.live();
        if come < ALERTS.len() as u64 {
            come += 1;
            world.stream.insert(come);
        } else if lived.is_ok() {
            return world;
        }
    }
}

#[test]
fn no_crash_loses_or_doubles_a_change_or_lets_an_older_one_stand() {
    let mut histories = 0;
    // All come at once; or one after another, each to another process.
    for (already, evils) in [(ALERTS.len() as u64, 2), (2, 1)] {
        let mut choices = Choices::new(evils);
        loop {
            history(&mut choices, already).check();
            histories += 1;
            if !choices.next() {
                break;
            }
        }
    }
    assert!(histories > 1_000, "{histories}");
}
