//! The checks once nothing waits: every accepted alert is shown once, or is a
//! dead letter once.

use std::collections::BTreeMap;

use shared::Alert;

use super::world::{FakeState, Name};
use crate::{dead_letters::DeadLetter, delivery::messages::ShownMessage};

#[derive(Debug, Default, Clone, Copy)]
struct EventCount {
    accepted: u64,
    shown: u64,
    dead: u64,
    /// Dead letters which say that they may have been posted.
    either: u64,
}

impl FakeState {
    pub(super) fn dead(&self) -> Vec<DeadLetter> {
        self.letters.values().map(|(_, letter)| serde_json::from_slice(letter).expect("a letter")).collect()
    }

    /// Counts events by title. `nonces_pass`: Discord may have forgotten a nonce,
    /// so that what it never confirmed may be shown twice.
    pub(super) fn check_events(&self, accepted: &[Alert], nonces_pass: bool) {
        assert!(self.stream.is_empty(), "something still waits");
        let mut found: BTreeMap<String, EventCount> = BTreeMap::new();
        for alert in accepted.iter().filter(|alert| alert.kind == "error") {
            found.entry(alert.title.clone().expect("a title")).or_default().accepted += 1;
        }
        for embed in self.messages.values().flat_map(|message| &message.embeds) {
            let text = embed.to_string();
            if let Some((_, found)) = found.iter_mut().find(|(title, _)| text.contains(title.as_str())) {
                found.shown += count(&text);
            }
        }
        for letter in self.dead() {
            // What cannot be read is counted by its test.
            let Some(alert) = letter.alert else { continue };
            if alert.kind == "error" {
                let found = found.entry(alert.title.expect("a title")).or_default();
                *if letter.may_have_been_posted { &mut found.either } else { &mut found.dead } += 1;
            }
        }
        for (title, found) in found {
            let certain = found.shown + found.dead;
            assert!(certain + found.either >= found.accepted, "{title} is lost: {found:?}");
            assert!(nonces_pass || certain <= found.accepted, "{title} is doubled: {found:?}");
            assert!(found.dead + found.either <= found.accepted, "{title} has too many letters: {found:?}");
        }
    }

    /// Each message with a button has something to show.
    pub(super) fn check_stack_traces(&self) {
        for (id, _) in self.messages.iter().filter(|(_, message)| message.embeds.len() == 1) {
            assert!(self.stack_traces.contains(id), "the button of {id} has nothing to show");
        }
    }

    /// Every change of an issue was shown at some time, or was older than what
    /// was shown, or is a dead letter. The bucket remembers of each message
    /// what it shows.
    pub(super) fn check_changes(&self, accepted: &[Alert]) {
        assert!(self.stream.is_empty(), "something still waits");
        let dead = self.dead();
        for alert in accepted.iter().filter(|alert| alert.kind != "error") {
            let actor = alert.details.actor.clone().expect("an actor");
            let told = self.seen.iter().any(|shown| shown.contains(&actor));
            let newer = accepted.iter().any(|other| {
                let same = (&other.issue_id, other.kind == "issue.assigned")
                    == (&alert.issue_id, alert.kind == "issue.assigned");
                let actor = other.details.actor.as_deref().unwrap_or("nobody at all");
                same && other.timestamp_ms >= alert.timestamp_ms
                    && other.event_id != alert.event_id
                    && self.seen.iter().any(|shown| shown.contains(actor))
            });
            let letters = dead.iter().filter(|letter| {
                letter.alert.as_ref().is_some_and(|letter| letter.event_id == alert.event_id)
            });
            let letters = letters.count();
            assert!(letters <= 1, "{actor} has {letters} dead letters");
            assert!(told || newer || letters == 1, "{actor} is lost");
        }
        let unsure = dead.iter().any(|letter| letter.may_have_been_posted);
        for ((_, key), (_, value)) in self.buckets.iter().filter(|((name, _), _)| *name == Name::Messages) {
            let Some((message, value)) = key.split_once(".message.").zip(value.as_ref()) else { continue };
            let message = &self.messages[&message.1.parse().expect("a number")];
            let shown: ShownMessage = serde_json::from_slice(value).expect("what a message shows");
            let body = shown.body(&super::style());
            let same = body["embeds"].as_array().map(Vec::as_slice) == Some(&message.embeds[..]);
            assert!(same || unsure || !message.exists, "{key} is remembered as what it does not show");
        }
    }
}

/// How many alerts an embed shows.
fn count(embed: &str) -> u64 {
    let Some((_, after)) = embed.split_once('×') else { return 1 };
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("× is followed by a number")
}
