//! From the stream to Discord: one lane per channel, so that no channel waits
//! for another.
//!
//! The `dispatcher` hears of a stored alert, or finds it in a sweep, and wakes
//! the lane of its channel. The `lane` reads the alert into its `backlog`,
//! which groups the alerts of one embed. It decides what comes next: a post, or
//! an edit of an earlier message about the issue. The request goes into the
//! `journal` as a `record`, and then to Discord.
//!
//! Once Discord has confirmed it, the lane removes the alert from the `queue`.
//! If Discord refuses it, the alert becomes a dead letter. `messages` remembers
//! what each message shows, for later edits.

mod backlog;
mod backlog_memory;
mod backoff;
mod dispatcher;
mod fold;
mod hop_id;
mod issue;
mod issue_index;
mod journal;
mod known_names;
mod lane;
mod messages;
mod ports;
mod queue;
mod record;
mod retry_turns;
mod routed_issues;
mod trace;

pub(crate) use self::hop_id::PREFIX as HOP_PREFIX;
pub use self::{
    dispatcher::Delivery,
    known_names::{KnownNames, NameBook},
};
