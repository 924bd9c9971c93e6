//! Double-entry bookkeeping: every alert that was accepted is shown once or is
//! a dead letter once, in the order in which its channel's alerts were sent.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    time::Duration,
};

use sentry_sender::{Webhook, body::Exception};

use crate::Stack;

/// What was sent to one channel under one title.
#[derive(Debug, Default, Clone, Copy)]
struct Sent {
    /// Its place among the channel's titles.
    place: usize,
    /// Answered with 2xx.
    accepted: u64,
    /// Answered otherwise, or not at all: it may be in the queue all the same.
    uncertain: u64,
}

/// Where one title came out.
#[derive(Debug, Default, Clone, Copy)]
struct Found {
    shown: u64,
    dead: u64,
    /// Dead letters that may stand in Discord as well.
    either: u64,
}

/// Everything that a test sent. Shared between its senders.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<BTreeMap<u64, BTreeMap<String, Sent>>>);

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
        let mut channels = self.0.lock().expect("no panic while held");
        let titles = channels.entry(channel).or_default();
        let place = titles.len();
        let sent = titles.entry(title.to_owned()).or_insert(Sent { place, ..Sent::default() });
        sent.accepted += u64::from(accepted);
        sent.uncertain += u64::from(!accepted);
    }

    /// How many alerts were accepted.
    pub fn accepted(&self) -> u64 {
        let channels = self.0.lock().expect("no panic while held");
        channels.values().flat_map(BTreeMap::values).map(|sent| sent.accepted).sum()
    }

    /// Waits until nothing waits any more, and then checks the books.
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
        let channels = self.0.lock().expect("no panic while held").clone();
        let mut wrong = Vec::new();
        for (channel, sent) in channels {
            let mut found: BTreeMap<String, Found> = BTreeMap::new();
            let shown = stack.shown(channel);
            for embed in &shown {
                found.entry(embed.title.clone()).or_default().shown += embed.count;
            }
            for letter in dead.iter().filter(|letter| letter.channel == channel.to_string()) {
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
            if !places.is_sorted() {
                wrong.push(format!("out of order in {channel}: {places:?}"));
            }
        }
        wrong
    }
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
