//! Commands that are typed without a pause on all shards, and their answers.

use std::{collections::BTreeMap, fmt, time::Duration};

use e2e::Stack;
use harness::wait::wait_for;
use shared::shutdown::CancellationToken;
use tokio::time::sleep;

use crate::scene::{LONG, Scene};

/// Between two commands.
const PACE: Duration = Duration::from_millis(100);

/// Where a command was typed, and as which message.
pub(crate) type Typed = (u64, u64);

/// What came of the commands.
#[derive(Debug)]
pub(crate) struct Answers {
    typed: usize,
    /// Commands without an answer. All were typed in a hand-over.
    lost: usize,
    /// The longest that anybody waited for an answer.
    slowest: Duration,
}

impl fmt::Display for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { typed, lost, slowest } = self;
        write!(f, "{typed} commands, {lost} lost in a hand-over, slowest answer after {slowest:.1?}")
    }
}

/// Types in one office after another until it is told to stop.
pub(crate) async fn type_on(stack: &Stack, offices: &[u64], stop: &CancellationToken) -> Vec<Typed> {
    let mut typed = Vec::new();
    for office in offices.iter().copied().cycle() {
        if stop.is_cancelled() {
            break;
        }
        let message = stack.sandbox.say(stack.owner, office, "!sentry h").expect("the owner may type");
        typed.push((office, message));
        sleep(PACE).await;
    }
    typed
}

/// Waits for the answers, and checks that no command was answered twice. Each
/// that was not typed in a hand-over must have one answer.
pub(crate) async fn check(scene: &Scene, typed: &[Typed]) -> Answers {
    let last = typed.iter().rev().take(scene.offices.len());
    wait_for("the last commands are answered", LONG, || async {
        let replies = replies(scene);
        last.clone().all(|typed| replies.contains_key(typed)).then_some(())
    })
    .await;
    let replies = replies(scene);
    let mut answers = Answers { typed: typed.len(), lost: 0, slowest: Duration::ZERO };
    for command in typed {
        let at = made_at(command.1);
        let replies = replies.get(command).map(Vec::as_slice).unwrap_or_default();
        assert!(replies.len() <= 1, "{command:?} was answered {} times", replies.len());
        match replies.first() {
            None => {
                assert!(
                    scene.hands_over_at(at),
                    "{command:?} was typed at a quiet moment and never answered"
                );
                answers.lost += 1;
            }
            Some(reply) => {
                let waited = made_at(*reply).saturating_sub(at);
                answers.slowest = answers.slowest.max(waited);
            }
        }
    }
    answers
}

/// The bot's replies to each command.
fn replies(scene: &Scene) -> BTreeMap<Typed, Vec<u64>> {
    let mut replies: BTreeMap<Typed, Vec<u64>> = BTreeMap::new();
    for &office in &scene.offices {
        for message in scene.stack.sandbox.messages(office) {
            let to = &message.json["message_reference"]["message_id"];
            if let Some(to) = to.as_str().and_then(|to| to.parse().ok()) {
                replies.entry((office, to)).or_default().push(message.id);
            }
        }
    }
    replies
}

/// When Discord made this message, since 2015: its id says so.
fn made_at(message: u64) -> Duration {
    Duration::from_millis(message >> 22)
}
