//! `mute` and `unmute`, and the button that does the latter.

use chrono::{DateTime, SecondsFormat, Utc};
use shared::ChannelId;

use super::{Asker, ChannelArgument, CommandError, Commands, Reply, replies};
use crate::{
    commands::parse::NewMute,
    rules::{Mute, words},
};

/// The button below the answer to `mute`. It names the mute, and a press checks all
/// that the command checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) struct UnmuteButton {
    pub(in crate::commands) home: ChannelId,
    pub(in crate::commands) number: u64,
}

impl UnmuteButton {
    const PREFIX: &str = "unmute:";

    /// The button with this custom id, if it is one.
    pub(in crate::commands) fn read(custom_id: &str) -> Option<Self> {
        let (home, number) = custom_id.strip_prefix(Self::PREFIX)?.split_once(':')?;
        Some(Self { home: home.parse().ok()?, number: number.parse().ok()? })
    }

    /// Its custom id.
    pub(in crate::commands) fn custom_id(self) -> String {
        format!("{}{}:{}", Self::PREFIX, self.home, self.number)
    }
}

impl Commands {
    pub(super) async fn mute(&self, by: Asker, home: ChannelId, new: NewMute) -> Result<Reply, CommandError> {
        if !self.store.channels(by.guild).await?.contains(&home) {
            return Ok(self.replies(by.form).authorize_first(home));
        }
        let made_ms = Utc::now().timestamp_millis();
        let NewMute { scope, for_ms, reason } = new;
        let until_ms = made_ms.saturating_add(for_ms);
        let mute = Mute { number: 0, scope, until_ms, reason, by: by.user, made_ms };
        // Counts outlive lost rules. Mutes that they still name keep their numbers.
        let counts = self.diagnosis.rule_counts(home).await.map_err(CommandError::Nats)?;
        let counted = counts.mutes.keys().next_back().copied().unwrap_or_default();
        let made = self.rulebook.change_once(home, by.command, |rules| {
            rules.last_mute = rules.last_mute.max(counted);
            rules.add_mute(mute.clone())
        });
        let number = match made.await? {
            None => return Ok(self.replies(by.form).done_before()),
            Some(Ok(number)) => number,
            Some(Err(_)) => return Ok(self.replies(by.form).too_many_mutes(home)),
        };
        let mute = Mute { number, ..mute };
        // A reason is for the channel.
        let until = DateTime::from_timestamp_millis(until_ms).unwrap_or_default();
        let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
        let made = format!("{}, number {number}, until {until}", words::scope(&mute.scope));
        self.audit(by, home, "a mute was made", &made);
        Ok(replies::muted(home, &mute))
    }

    pub(super) async fn unmute(
        &self,
        by: Asker,
        home: ChannelId,
        number: u64,
    ) -> Result<Reply, CommandError> {
        let now_ms = Utc::now().timestamp_millis();
        let removed =
            self.rulebook.change(home, |rules| (rules.remove_mute(number), number <= rules.last_mute));
        Ok(match removed.await? {
            (Some(mute), _) if mute.runs(now_ms) => {
                self.audit(by, home, "a mute was ended", &words::scope(&mute.scope));
                replies::unmuted(number)
            }
            (Some(_), _) | (None, true) => replies::unmuted_before(number),
            (None, false) => replies::no_such_mute(home, number),
        })
    }

    /// Ends a mute for somebody who pressed its button. The outer error says that it
    /// cannot be done now, and the inner one that this person may not.
    pub(in crate::commands) async fn press_unmute(
        &self,
        by: Asker,
        UnmuteButton { home, number }: UnmuteButton,
    ) -> Result<Result<Reply, Reply>, CommandError> {
        if !self.manages_messages_here(by).await? {
            return Ok(Err(replies::no_permission()));
        }
        Ok(match self.postable(by, &ChannelArgument::Id(home)).await? {
            Ok(_) => Ok(self.unmute(by, home, number).await?),
            Err(refusal) => Err(refusal),
        })
    }
}
