//! From the stream to Discord: one lane per channel, so that no channel waits
//! for another.
//!
//! An alert goes through here like this. The `dispatcher` hears that it was
//! stored, or finds it when it looks through the stream, and wakes the lane of its
//! channel. The `lane` reads it into its `backlog`, where alerts that share an
//! embed come together, and decides what comes next: a post, or an edit of an
//! earlier message about the same issue. What is to be sent goes first into the
//! `journal` as a `record`, then to Discord. Once Discord has confirmed it, the
//! lane removes the alert from the `queue`, or makes it a dead letter if Discord
//! refused it. `messages` remembers what each message shows, for later edits.

mod backlog;
mod backlog_memory;
mod backoff;
mod dispatcher;
mod fold;
mod issue;
mod issue_index;
mod journal;
mod lane;
mod messages;
mod ports;
mod queue;
mod record;
mod recovery;
mod trace;

pub use self::dispatcher::Delivery;
