//! How long a shard waits before its next connection, and when it gives a
//! session up. Pure.

use std::time::Duration;

use rand::Rng as _;

/// The waits after connections in vain double from this …
const SHORTEST: Duration = Duration::from_secs(1);
/// … to this where no IDENTIFY was spent …
const LONGEST: Duration = Duration::from_secs(30);
/// … and to this where one was: 720 a day, where Discord takes 1,000.
const LONGEST_IN_VAIN: Duration = Duration::from_secs(120);
/// A session that was up for so long is resumed at once.
const SETTLED: Duration = Duration::from_secs(5);
/// Others wait a little, so that a gateway that closes at once is not asked without
/// end. So do new sessions, which also wait for their slot.
const BRIEF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(1));
/// So many RESUMEs in a row may stay without an answer before the session is given up …
const UNRESUMED_TRIES: u32 = 3;
/// … or this many connections in a row fail, for about a minute. While nothing
/// can be reached, the session may still be good, but its address may not.
const UNREACHED_TRIES: u32 = 6;

/// What came of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionOutcome {
    /// READY or RESUMED came; the shard was up for so long.
    Up(Duration),
    /// It ended before the bot could greet.
    Unreached,
    /// RESUME was not answered.
    Unresumed,
    /// RESUME was answered: there is no such session any more.
    SessionOver,
    /// An IDENTIFY was spent, and READY did not come.
    InVain,
}

/// What is to happen before the next connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NextConnection {
    /// The session is given up.
    pub(super) gives_up: bool,
    /// The shortest wait and the longest.
    wait: (Duration, Duration),
}

impl NextConnection {
    /// A wait that differs between shards and pods.
    pub(super) fn wait(self) -> Duration {
        rand::rng().random_range(self.wait.0..=self.wait.1)
    }
}

/// The connections in a row that came to nothing, by how. One that was up ends
/// every row.
#[derive(Debug, Default)]
pub(super) struct ReconnectBackoff {
    unreached: u32,
    unresumed: u32,
    in_vain: u32,
}

impl ReconnectBackoff {
    /// Counts the connection that has just ended. `resumes`: its session can go on.
    pub(super) fn note(&mut self, outcome: ConnectionOutcome, resumes: bool) -> NextConnection {
        let (mut gives_up, wait) = match outcome {
            ConnectionOutcome::Up(lasted) => {
                *self = Self::default();
                let at_once = resumes && lasted >= SETTLED;
                (false, if at_once { (Duration::ZERO, Duration::ZERO) } else { BRIEF })
            }
            ConnectionOutcome::Unreached => {
                self.unreached += 1;
                (self.unreached >= UNREACHED_TRIES, backoff(self.unreached, LONGEST))
            }
            ConnectionOutcome::Unresumed => {
                (self.unreached, self.unresumed) = (0, self.unresumed + 1);
                (self.unresumed >= UNRESUMED_TRIES, backoff(self.unresumed, LONGEST))
            }
            ConnectionOutcome::SessionOver => {
                (self.unreached, self.unresumed) = (0, 0);
                (false, BRIEF)
            }
            ConnectionOutcome::InVain => {
                (self.unreached, self.in_vain) = (0, self.in_vain + 1);
                (false, backoff(self.in_vain, LONGEST_IN_VAIN))
            }
        };
        gives_up &= resumes;
        if gives_up {
            self.unresumed = 0;
        }
        NextConnection { gives_up, wait }
    }
}

/// Doubles with each failure; the shorter half is left to chance.
fn backoff(failures: u32, longest: Duration) -> (Duration, Duration) {
    let wait = SHORTEST.saturating_mul(1 << failures.clamp(1, 8)).min(longest);
    (wait / 2, wait)
}

/// The wait before something is asked again that costs nothing but a request.
pub(super) fn ask_again(failures: u32) -> Duration {
    NextConnection { gives_up: false, wait: backoff(failures, LONGEST) }.wait()
}

#[cfg(test)]
mod tests;
