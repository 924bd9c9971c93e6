//! Double-entry bookkeeping. Every accepted alert is shown once or is a dead
//! letter once, in the order in which its channel's alerts were sent. The
//! message about an issue shows its last change.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sentry_sender::{Webhook, body::Exception};

use crate::{Dead, Stack, issue_change};

/// What was sent to one channel under one title.
#[derive(Debug, Default, Clone, Copy)]
struct Sent {
    /// Its place among the channel's titles.
    place: usize,
    /// Answered with 2xx.
    accepted: u64,
    /// Answered otherwise, or not at all. It may still be in the queue.
    uncertain: u64,
}

/// Where one title came out.
#[derive(Debug, Default, Clone, Copy)]
struct Found {
    shown: u64,
    dead: u64,
    /// Dead letters that Discord may show too.
    either: u64,
}

/// Everything that a test sent. Shared between its senders.
#[derive(Debug, Default)]
pub struct Ledger {
    alerts: Mutex<BTreeMap<u64, BTreeMap<String, Sent>>>,
    changes: Mutex<BTreeMap<(u64, String), Vec<Change>>>,
    /// Channels whose alerts may be shown in another order.
    disordered: Mutex<BTreeSet<u64>>,
    /// Whether a change may have a message of its own.
    posted_changes: AtomicBool,
}

/// A change of an issue, by an actor of its own.
#[derive(Debug, Clone)]
struct Change {
    actor: String,
    /// Answered with 2xx. If not, it may still be in the queue.
    accepted: bool,
}

impl Ledger {
    /// Sends one alert and notes how it was answered. Alerts with the same
    /// title are of one issue.
    pub async fn send(&self, stack: &Stack, channel: u64, title: &str) -> Option<u16> {
        let webhook = Webhook::legacy(Exception::new(title).issue(title).json());
        let status = stack.try_send(channel, &webhook).await.map(|reply| reply.status);
        self.note(channel, title, status.is_some_and(|status| (200..300).contains(&status)));
        status
    }

    /// Notes an alert that went another way.
    pub fn note(&self, channel: u64, title: &str, accepted: bool) {
        let mut channels = self.alerts.lock().expect("no panic while held");
        let titles = channels.entry(channel).or_default();
        let place = titles.len();
        let sent = titles.entry(title.to_owned()).or_insert(Sent { place, ..Sent::default() });
        sent.accepted += u64::from(accepted);
        sent.uncertain += u64::from(!accepted);
    }

    /// Sends that somebody resolved or archived the issue of this title, and
    /// notes the answer. An alert about the issue was accepted before.
    pub async fn change(&self, stack: &Stack, channel: u64, title: &str, action: &str) -> Option<u16> {
        let number: usize = self.changes.lock().expect("no panic while held").values().map(Vec::len).sum();
        let actor = format!("actor-{number}");
        let webhook = issue_change(title, title, action, &actor);
        let status = stack.try_send(channel, &webhook).await.map(|reply| reply.status);
        let accepted = status.is_some_and(|status| (200..300).contains(&status));
        let mut all = self.changes.lock().expect("no panic while held");
        all.entry((channel, title.to_owned())).or_default().push(Change { actor, accepted });
        status
    }

    /// From now on the order in this channel does not matter. A channel that
    /// was closed shows the alerts of that time after the latest ones.
    pub fn excuse_order(&self, channel: u64) {
        self.disordered.lock().expect("no panic while held").insert(channel);
    }

    /// From now on a change may have a message of its own, because edits fail
    /// for long.
    pub fn changes_may_be_posted(&self) {
        self.posted_changes.store(true, Ordering::Relaxed);
    }

    /// How many alerts were accepted.
    pub fn accepted(&self) -> u64 {
        let channels = self.alerts.lock().expect("no panic while held");
        channels.values().flat_map(BTreeMap::values).map(|sent| sent.accepted).sum()
    }

    /// Waits until the queue is empty, then checks the books.
    ///
    /// # Panics
    /// When they do not balance, with what is wrong.
    pub async fn settle(&self, stack: &Stack, limit: Duration) {
        stack.until_drained(limit).await;
        let wrong = self.errors(stack).await;
        assert!(wrong.is_empty(), "{} entries are wrong:\n{}", wrong.len(), first_lines(&wrong));
        stack.assert_clean();
    }

    async fn errors(&self, stack: &Stack) -> Vec<String> {
        let dead = stack.dead_letters().await;
        let channels = self.alerts.lock().expect("no panic while held").clone();
        let mut wrong = self.wrong_changes(stack);
        for letter in dead.iter().filter(|letter| is_change(letter)) {
            wrong.push(format!("a change is dead: {letter:?}"));
        }
        for (channel, sent) in channels {
            let mut found: BTreeMap<String, Found> = BTreeMap::new();
            let shown = stack.shown(channel);
            for embed in &shown {
                found.entry(embed.title.clone()).or_default().shown += embed.count;
            }
            let letters = dead.iter().filter(|letter| !is_change(letter));
            for letter in letters.filter(|letter| letter.channel == channel.to_string()) {
                if letter.detail.is_empty() {
                    wrong.push(format!("{letter:?} does not say why"));
                }
                let found = found.entry(letter.title.clone().unwrap_or_default()).or_default();
                *if letter.may_have_been_posted { &mut found.either } else { &mut found.dead } += 1;
            }
            let titles: BTreeSet<&String> = sent.keys().chain(found.keys()).collect();
            for title in titles {
                let sent = sent.get(title).copied().unwrap_or_default();
                let found = found.get(title).copied().unwrap_or_default();
                if !balances(sent, found) {
                    wrong.push(format!("{title:?} in {channel}: {sent:?}, {found:?}"));
                }
            }
            let places: Vec<usize> = shown
                .iter()
                .filter_map(|embed| sent.get(&embed.title))
                // One that was not answered in time may be stored at any later time.
                .filter(|sent| (sent.accepted, sent.uncertain) == (1, 0))
                .map(|sent| sent.place)
                .collect();
            let excused = self.disordered.lock().expect("no panic while held").contains(&channel);
            if !excused && !places.is_sorted() {
                wrong.push(format!("out of order in {channel}: {places:?}"));
            }
        }
        wrong
    }

    /// The first message about each issue shows the last accepted change, or a
    /// later one with an unknown answer.
    fn wrong_changes(&self, stack: &Stack) -> Vec<String> {
        let changes = self.changes.lock().expect("no panic while held").clone();
        let mut wrong = Vec::new();
        for ((channel, title), changes) in changes {
            let last = changes.iter().rposition(|change| change.accepted).unwrap_or(0);
            let shown = stack.shown(channel);
            let first = shown.iter().find(|embed| embed.title == title);
            let status = first.and_then(|embed| embed.status.as_deref()).unwrap_or_default();
            let posted = self.posted_changes.load(Ordering::Relaxed);
            let told = |change: &Change| {
                let words = format!(" by {}", change.actor);
                status.contains(&format!("{words} ·"))
                    || posted
                        && stack
                            .sandbox
                            .messages(channel)
                            .iter()
                            .any(|message| message.json.to_string().contains(&words))
            };
            if !changes[last..].iter().any(told) {
                wrong.push(format!("{title:?} in {channel} shows {status:?} and not {:?}", changes[last]));
            }
        }
        wrong
    }
}

fn is_change(letter: &Dead) -> bool {
    letter.kind.as_deref().is_some_and(|kind| kind.starts_with("issue."))
}

fn balances(sent: Sent, found: Found) -> bool {
    let certain = found.shown + found.dead;
    certain <= sent.accepted + sent.uncertain && certain + found.either >= sent.accepted
}

fn first_lines(lines: &[String]) -> String {
    lines.iter().take(20).cloned().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_balance_only_when_every_accepted_alert_came_out_once() {
        let sent = |accepted, uncertain| Sent { place: 0, accepted, uncertain };
        let found = |shown, dead, either| Found { shown, dead, either };
        assert!(balances(sent(3, 0), found(2, 1, 0)));
        assert!(!balances(sent(3, 0), found(2, 0, 0)), "one is lost");
        assert!(!balances(sent(3, 0), found(3, 1, 0)), "one is doubled");
        assert!(balances(sent(3, 0), found(2, 0, 1)));
        assert!(balances(sent(3, 0), found(3, 0, 1)), "a dead letter that may have been posted was");
        assert!(balances(sent(2, 1), found(2, 0, 0)) && balances(sent(2, 1), found(3, 0, 0)));
        assert!(!balances(sent(0, 0), found(1, 0, 0)), "nobody sent it");
    }
}
