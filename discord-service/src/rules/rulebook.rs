//! Changes of a channel's rules and mutes in the store.

use std::sync::Arc;

use anyhow::anyhow;
use shared::ChannelId;

use super::{ChannelRules, VERSION};
use crate::store::{Store, StoreError, WRITE_ATTEMPTS, after_conflict};

/// How many commands a channel's rules remember. A command comes again within seconds.
const COMMANDS: usize = 32;

/// The rules and mutes of all channels. Every change is one compare-and-set, so that
/// two admins on two pods do not undo each other's work. Cheap to clone.
#[derive(Clone)]
pub struct Rulebook(Arc<dyn Store>);

impl Rulebook {
    /// Keeps them in this store.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self(store)
    }

    /// [`Self::change`] for the command with this id. A pod that goes on for another one
    /// may carry it out again. Then nothing changes, and there is no answer.
    ///
    /// # Errors
    /// As [`Self::change`].
    pub async fn change_once<T: Send>(
        &self,
        channel: ChannelId,
        command: u64,
        edit: impl Fn(&mut ChannelRules) -> T + Send + Sync,
    ) -> Result<Option<T>, StoreError> {
        self.change(channel, |rules| {
            if rules.commands.contains(&command) {
                return None;
            }
            let former = rules.clone();
            let answer = edit(rules);
            if *rules != former {
                rules.commands.push(command);
                rules.commands.drain(..rules.commands.len().saturating_sub(COMMANDS));
            }
            Some(answer)
        })
        .await
    }

    /// Lets `edit` change the channel's rules, and returns its answer. It runs again if
    /// somebody else changed them meanwhile.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be done now. It may have been done all the same.
    pub async fn change<T: Send>(
        &self,
        channel: ChannelId,
        edit: impl Fn(&mut ChannelRules) -> T + Send + Sync,
    ) -> Result<T, StoreError> {
        for attempt in 0..WRITE_ATTEMPTS {
            let former = self.0.rules_now(channel).await?;
            let mut latest = ChannelRules::clone(&former);
            let answer = edit(&mut latest);
            if latest == *former {
                return Ok(answer);
            }
            latest.v = VERSION;
            if self.0.replace_rules(channel, &former, &latest).await? {
                return Ok(answer);
            }
            after_conflict(attempt).await;
        }
        Err(anyhow!("others kept changing the rules of channel {channel}").into())
    }
}
