//! Where changes of issues belong: wherever this channel's messages of the issue are.
//! A change whose issue has none makes a new message, so rules decide about it.

use std::collections::BTreeSet;

use shared::Alert;

use super::{
    BATCH, Inbox, Sorter,
    places::{Leaving, Place, Placement, Stay, place_news},
};
use crate::{delivery::issue::IssueKey, rules::ChannelRules};

impl Sorter<'_> {
    /// Finds out where the next changes belong. All news that comes before them has
    /// left.
    pub(super) async fn place_changes(&mut self, inbox: &mut Inbox<'_>) -> anyhow::Result<()> {
        let Some(rules) = inbox.places().rules().cloned() else { return Ok(()) };
        let changes = inbox.unknown(BATCH);
        if changes.is_empty() {
            return Ok(());
        }
        let posts = inbox.backlog().issues_to_post();
        for (sequence, alert) in inbox.alerts(changes).await? {
            let place = match IssueKey::of(&alert) {
                Some(issue) => self.place_change(&rules, &alert, &issue, posts.contains(&issue)).await?,
                None => place_news(&rules, &alert),
            };
            inbox.move_to(sequence, alert, place);
        }
        Ok(())
    }

    /// `will_be_here`: a post of the issue waits here.
    async fn place_change(
        &mut self,
        rules: &ChannelRules,
        alert: &Alert,
        issue: &IssueKey,
        will_be_here: bool,
    ) -> anyhow::Result<Place> {
        let messages = &self.services.messages;
        let targets = if alert.routing.home.is_none() && rules.last_rule > 0 {
            self.issues.targets(messages.bucket(), issue).await?
        } else {
            BTreeSet::new()
        };
        let by_rule = place_news(rules, alert);
        if targets.is_empty() && matches!(by_rule, Place::Here(_)) {
            return Ok(by_rule);
        }
        // A copy that only edits ends in its target where no message of the issue is.
        let quiet = match by_rule {
            Place::Away(Leaving::Mute(mute)) => Some(mute),
            _ => None,
        };
        let is_here = will_be_here || messages.entry(self.channel, issue).await?.is_some();
        let stay = match by_rule {
            Place::Here(stay) => stay,
            _ if quiet.is_some() => Stay::Quiet(quiet),
            _ => Stay::Placed(Placement::default()),
        };
        Ok(match (targets.is_empty(), is_here) {
            (true, true) => Place::Here(stay),
            (true, false) => by_rule,
            (false, _) => Place::Away(Leaving::Follow { targets, stays: is_here.then_some(stay), quiet }),
        })
    }
}
