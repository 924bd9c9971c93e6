//! Where changes of issues belong: wherever this channel's messages of the issue are.
//! A change whose issue has none makes a new message, so rules decide about it.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use shared::{Alert, ChannelId};

use super::{
    BATCH, Inbox, Sorter,
    places::{Leaving, Place, Placement, Stay, place_news},
};
use crate::{delivery::issue::IssueKey, rules::ChannelRules};

/// How many issues are looked up at once.
const IN_FLIGHT: usize = 64;

/// Where the messages of some issues are.
#[derive(Default)]
struct Whereabouts {
    targets: BTreeMap<IssueKey, BTreeSet<ChannelId>>,
    here: BTreeSet<IssueKey>,
}

impl Sorter<'_> {
    /// Finds out where the next changes belong. All news that comes before them has
    /// left.
    pub(super) async fn place_changes(&mut self, inbox: &mut Inbox<'_>) -> anyhow::Result<()> {
        let Some(rules) = inbox.places().rules().cloned() else { return Ok(()) };
        let changes = inbox.unknown(BATCH);
        if changes.is_empty() {
            return Ok(());
        }
        let now_ms = (self.services.now_ms)();
        let alerts = inbox.alerts(changes).await?;
        let known = self.whereabouts(inbox, &rules, &alerts, now_ms).await?;
        for (sequence, alert) in alerts {
            let place = match IssueKey::of(&alert) {
                Some(issue) => known.place(&rules, &alert, &issue, now_ms),
                None => place_news(&rules, &alert, now_ms),
            };
            inbox.move_to(sequence, alert, place);
        }
        Ok(())
    }

    /// Looks up the issues of these changes, as far as their places depend on it.
    async fn whereabouts(
        &mut self,
        inbox: &Inbox<'_>,
        rules: &ChannelRules,
        changes: &[(u64, Alert)],
        now_ms: i64,
    ) -> anyhow::Result<Whereabouts> {
        let named = || changes.iter().filter_map(|(_, alert)| Some((alert, IssueKey::of(alert)?)));
        let own = named().filter(|(alert, _)| alert.routing.home.is_none() && rules.last_rule > 0);
        let own = own.map(|(_, issue)| issue).collect();
        let (services, channel) = (self.services, self.channel);
        let targets = self.issues.targets(services.messages.bucket(), &own).await?;
        let elsewhere = |issue: &IssueKey| targets.get(issue).is_some_and(|targets| !targets.is_empty());
        let away = |alert: &Alert| !matches!(place_news(rules, alert, now_ms), Place::Here(_));
        let asked = named().filter(|(alert, issue)| elsewhere(issue) || away(alert));
        let asked: BTreeSet<IssueKey> = asked.map(|(_, issue)| issue).collect();
        let posts = inbox.backlog().issues_to_post();
        let asked = asked.into_iter().map(|issue| {
            let waits = posts.contains(&issue);
            async move {
                let is_here = waits || services.messages.entry(channel, &issue).await?.is_some();
                anyhow::Ok(is_here.then_some(issue))
            }
        });
        let asked: Vec<_> = asked.collect();
        let here: Vec<Option<IssueKey>> = stream::iter(asked).buffered(IN_FLIGHT).try_collect().await?;
        Ok(Whereabouts { targets, here: here.into_iter().flatten().collect() })
    }
}

impl Whereabouts {
    fn place(&self, rules: &ChannelRules, alert: &Alert, issue: &IssueKey, now_ms: i64) -> Place {
        let own = alert.routing.home.is_none();
        let targets = self.targets.get(issue).filter(|_| own).cloned().unwrap_or_default();
        let by_rule = place_news(rules, alert, now_ms);
        // A copy that only edits ends in its target where no message of the issue is.
        let quiet = match by_rule {
            Place::Away(Leaving::Mute(mute)) => Some(mute),
            _ => None,
        };
        let is_here = self.here.contains(issue);
        let stay = match by_rule {
            Place::Here(stay) => stay,
            _ if quiet.is_some() => Stay::Quiet(quiet),
            _ => Stay::Placed(Placement::default()),
        };
        match (targets.is_empty(), is_here) {
            (true, true) => Place::Here(stay),
            (true, false) => by_rule,
            (false, _) => Place::Away(Leaving::Follow { targets, stays: is_here.then_some(stay), quiet }),
        }
    }
}
