//! The write-ahead protocol as a small model that is walked through
//! exhaustively: it crashes after every step, up to so many times in one
//! history, and Discord answers in every way. What to post, what to write down,
//! what to do with a record that was found and how to remove alerts is decided
//! by the real code; only NATS and Discord are modelled. Edits are gone through
//! in `edit_tests`.

use std::collections::{BTreeMap, BTreeSet};

use shared::{Alert, ChannelId};

use crate::{
    dead_letters::{Cause, Reason},
    delivery::{
        backlog::Backlog,
        choices::Choices,
        queue::Removal,
        record::{Record, Resume, State, nonce},
    },
};

/// Embeds in a post of the model: few, so that holes stay behind it.
const EMBEDS: usize = 2;
/// Alerts that become dead letters at once.
const CHUNK: usize = 2;
/// The issues of the alerts: those of a post do not stand side by side.
const ALERTS: [&str; 5] = ["a", "b", "a", "c", "b"];

struct Crash;

/// What survives a crash, and who may crash.
#[derive(Default)]
struct World<'a> {
    choices: Option<&'a mut Choices>,
    stream: BTreeMap<u64, &'static str>,
    record: Option<Record>,
    nonces: BTreeMap<String, usize>,
    messages: Vec<BTreeSet<u64>>,
    /// Dead letters, and whether they say that they may have been posted.
    dead: BTreeMap<u64, bool>,
    /// Alerts of posts of which NATS knows that Discord confirmed them.
    confirmed: BTreeSet<u64>,
}

impl World<'_> {
    fn evil(&mut self, options: usize) -> usize {
        self.choices.as_mut().map_or(0, |choices| choices.evil(options))
    }

    /// A step is done.
    fn survive(&mut self) -> Result<(), Crash> {
        if self.evil(2) == 0 { Ok(()) } else { Err(Crash) }
    }

    fn post(&mut self, sequences: &BTreeSet<u64>) {
        assert!(self.confirmed.is_disjoint(sequences), "sent again although it was known to be posted");
        let nonce = nonce(ChannelId::new(1), sequences, &[]);
        if !self.nonces.contains_key(&nonce) {
            self.nonces.insert(nonce, self.messages.len());
            self.messages.push(sequences.clone());
        }
    }

    fn backlog(&self) -> Backlog {
        let mut backlog = Backlog::default();
        for (sequence, issue) in &self.stream {
            backlog.insert(*sequence, alert(issue));
        }
        backlog
    }

    /// From the start of a process to its crash, or until nothing waits.
    fn live(&mut self) -> Result<(), Crash> {
        let mut backlog = self.backlog();
        if let Some(record) = self.record.clone() {
            let stands = record.first().is_some_and(|first| self.stream.contains_key(&first));
            match record.resume(stands) {
                Resume::Remove => self.remove(&record.sequences(), &mut backlog)?,
                Resume::Repeat => self.deliver(record, true, &mut backlog)?,
                Resume::Bury(cause) => self.bury_decided(&record.sequences(), &cause, &mut backlog)?,
            }
        }
        while !backlog.is_empty() {
            // Revoked, and authorized again by the next time that somebody asks.
            if self.evil(2) > 0 {
                self.bury(&backlog.sequences().collect(), false, &mut backlog)?;
                continue;
            }
            let sequences: BTreeSet<u64> =
                backlog.posts().take(EMBEDS).flat_map(|group| group.sequences).collect();
            let record =
                Record::new(&sequences, BTreeSet::new(), Vec::new(), (0, 0), EMBEDS, true, "body".into());
            self.record = Some(record.clone());
            self.survive()?;
            self.deliver(record, false, &mut backlog)?;
        }
        Ok(())
    }

    fn deliver(&mut self, record: Record, mut repeated: bool, backlog: &mut Backlog) -> Result<(), Crash> {
        let sequences = record.sequences();
        loop {
            match self.evil(4) {
                // Created, and answered unless it crashes first.
                0 => {
                    self.post(&sequences);
                    self.survive()?;
                    return self.confirm(record, backlog);
                }
                // Created, but no answer.
                1 => self.post(&sequences),
                // Not created, and no answer.
                2 => {}
                // Revoked meanwhile, or refused for good.
                _ => return self.bury(&sequences, repeated, backlog),
            }
            repeated = true;
            self.survive()?;
        }
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
        let all: Vec<u64> = sequences.iter().copied().collect();
        for chunk in all.chunks(CHUNK) {
            for sequence in chunk {
                if !self.stream.contains_key(sequence) {
                    continue;
                }
                // Repeated, it has the same id and is not stored again.
                self.dead.entry(*sequence).or_insert(cause.may_have_been_posted);
                self.survive()?;
            }
            self.remove(&chunk.iter().copied().collect(), backlog)?;
        }
        Ok(())
    }

    /// The note and the removal go on side by side: the note comes before any
    /// of the removal's steps, or after all.
    fn confirm(&mut self, mut record: Record, backlog: &mut Backlog) -> Result<(), Crash> {
        let sequences = record.sequences();
        record.state = State::Posted;
        let removal = self.removal(&sequences, backlog);
        let noted_at = self.choices.as_mut().map_or(0, |choices| choices.pick(removal.len() + 1));
        for (step, remove) in removal.iter().map(Some).chain([None]).enumerate() {
            if step == noted_at {
                self.record = Some(record.clone());
                self.confirmed.extend(&sequences);
                self.survive()?;
            }
            if let Some(remove) = remove {
                self.stream.retain(|sequence, _| !remove.contains(sequence));
                self.confirmed.extend(&sequences);
                self.survive()?;
            }
        }
        backlog.remove(&sequences);
        Ok(())
    }

    fn remove(&mut self, sequences: &BTreeSet<u64>, backlog: &mut Backlog) -> Result<(), Crash> {
        for remove in self.removal(sequences, backlog) {
            self.stream.retain(|sequence, _| !remove.contains(sequence));
            self.survive()?;
        }
        backlog.remove(sequences);
        Ok(())
    }

    /// What disappears in each step of a removal.
    fn removal(&self, sequences: &BTreeSet<u64>, backlog: &Backlog) -> Vec<BTreeSet<u64>> {
        let Removal { below, single } = Removal::of(sequences, backlog.first_outside(sequences));
        let purged = below.map(|below| self.stream.keys().copied().filter(|s| *s < below).collect());
        purged.into_iter().chain(single.into_iter().map(|sequence| BTreeSet::from([sequence]))).collect()
    }

    fn posts_of(&self, sequence: u64) -> usize {
        self.messages.iter().filter(|message| message.contains(&sequence)).count()
    }
}

fn alert(issue: &str) -> Alert {
    Alert { issue_id: Some(issue.to_owned()), ..Alert::new("error", "backend", ChannelId::new(1), 0) }
}

/// Lives and dies until nothing waits. One more alert comes with each life.
/// `window_passes`: Discord has forgotten the nonces after each crash.
fn history(choices: &mut Choices, window_passes: bool) -> (usize, World<'_>) {
    let mut world = World { choices: Some(choices), ..World::default() };
    world.stream = (1..).zip(ALERTS).collect();
    let mut alerts = ALERTS.len();
    while world.live().is_err() {
        if window_passes {
            world.nonces.clear();
        }
        alerts += 1;
        world.stream.insert(alerts as u64, "a");
    }
    (alerts, world)
}

#[test]
fn no_crash_loses_or_doubles_an_alert_within_the_nonce_window() {
    let mut choices = Choices::new(3);
    let mut histories = 0;
    loop {
        let (alerts, world) = history(&mut choices, false);
        assert!(world.stream.is_empty());
        for sequence in 1..=alerts as u64 {
            let posts = world.posts_of(sequence);
            let right = match world.dead.get(&sequence) {
                None => posts == 1,
                Some(true) => posts <= 1,
                Some(false) => posts == 0,
            };
            assert!(right, "{sequence}: {posts} posts, dead: {:?}", world.dead.get(&sequence));
        }
        histories += 1;
        if !choices.next() {
            break;
        }
    }
    assert!(histories > 10_000, "{histories}");
}

#[test]
fn after_the_nonce_window_nothing_is_lost_and_only_what_was_never_confirmed_is_doubled() {
    let mut choices = Choices::new(2);
    loop {
        let (alerts, world) = history(&mut choices, true);
        for sequence in 1..=alerts as u64 {
            let posts = world.posts_of(sequence);
            assert!(posts > 0 || world.dead.contains_key(&sequence), "{sequence} is lost");
        }
        assert!(world.stream.is_empty());
        if !choices.next() {
            break;
        }
    }
}
