//! What `replay` answers.

use super::{Reply, ReplyTexts, was_closed};
use crate::dead_letters::Replayed;

impl ReplyTexts<'_> {
    /// `replay`, of this channel. `closed`: why Discord refused posts there, if it did.
    pub(in crate::commands) fn replaying(&self, replayed: Replayed, closed: Option<&str>) -> Reply {
        let mut text = match replayed.alerts {
            0 if replayed.ended_early => "I cannot replay now.".to_owned(),
            0 => "There is nothing to replay in this channel.".to_owned(),
            1 => "Replaying 1 alert".to_owned(),
            alerts => format!("Replaying {alerts} alerts"),
        };
        match replayed.unreadable {
            0 => {}
            1 => text += "\nI cannot read 1 dead letter. It stays.",
            unreadable => text += &format!("\nI cannot read {unreadable} dead letters. They stay."),
        }
        if replayed.ended_early {
            let replay = self.names.of("replay");
            text += &format!("\nThe queue is full. Use {replay} again for the rest, after these are posted.");
        }
        // Only a dead letter that goes back opens the channel.
        if let Some(why) = closed.filter(|_| replayed.alerts > 0) {
            text += &was_closed(why);
        }
        text.into()
    }
}
