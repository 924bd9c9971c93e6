//! What all lanes share.

use std::{sync::Arc, time::Duration};

use shared::shutdown::CancellationToken;

use crate::{
    closure::Pauses,
    dead_letters::LetterStream,
    delivery::{
        backlog_memory::BacklogMemory,
        messages::Messages,
        ports::{AccessApi, AlertStream, AuthorityApi, KeyValue, MessageApi, NameKeeper, StackTraceKeeper},
        retry_turns::RetryTurns,
    },
    render::Style,
};

/// The ports and settings that all lanes of the process share.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) queue: Arc<dyn AlertStream>,
    pub(crate) retry_turns: Arc<RetryTurns>,
    /// How many waiting alerts all lanes together keep in memory.
    pub(crate) memory: BacklogMemory,
    pub(crate) dead_letters: Arc<dyn LetterStream>,
    pub(crate) lanes_bucket: Arc<dyn KeyValue>,
    pub(crate) messages: Messages,
    /// The bucket of the ids of routed alerts that are done.
    pub(crate) routed: Arc<dyn KeyValue>,
    pub(crate) stack_traces: Arc<dyn StackTraceKeeper>,
    pub(crate) names: Arc<dyn NameKeeper>,
    pub(crate) authority: Arc<dyn AuthorityApi>,
    pub(crate) discord: Arc<dyn MessageApi>,
    pub(crate) access: Arc<dyn AccessApi>,
    /// The pauses between tries of a closed channel.
    pub(crate) pauses: Pauses,
    /// How many alerts may wait for a channel.
    pub(crate) backlog_max: usize,
    pub(crate) style: Style,
    /// Older alerts become dead letters.
    pub(crate) max_age: Duration,
    /// The wall clock by which mutes end, in milliseconds since 1970.
    pub(crate) now_ms: fn() -> i64,
    /// Cancelled when Discord refuses the bot's token.
    pub(crate) bad_token: CancellationToken,
}
