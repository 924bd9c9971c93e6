//! What an alert has in common with others that wait beside it.

use std::{collections::BTreeSet, sync::Arc};

use shared::{
    Alert, ChannelId,
    alert::{Ping, Routing, Stranded},
};

use crate::trust::Admission;

/// On what an alert was let in, and what rules made of it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Origin {
    pub(super) admission: Admission,
    pub(super) ping: Option<Ping>,
    pub(super) stranded: Option<Stranded>,
}

impl Origin {
    pub(super) fn routing(&self) -> Routing {
        Routing { home: self.admission.home, ping: self.ping, stranded: self.stranded, ..Routing::default() }
    }
}

/// Each origin once: a backlog of a million alerts has only some.
#[derive(Debug, Default)]
pub(super) struct Origins(BTreeSet<Arc<Origin>>);

impl Origins {
    /// That of this alert.
    pub(super) fn of(&mut self, alert: &Alert) -> Arc<Origin> {
        let Routing { home, ping, stranded, .. } = alert.routing;
        let admission = Admission { home, trust: alert.trust.clone() };
        let origin = Origin { admission, ping, stranded };
        if let Some(known) = self.0.get(&origin) {
            return Arc::clone(known);
        }
        let new = Arc::new(origin);
        self.0.insert(Arc::clone(&new));
        new
    }

    /// The homes of the alerts that wait.
    pub(super) fn homes(&self) -> BTreeSet<ChannelId> {
        // The set itself holds one of each.
        let waiting = self.0.iter().filter(|origin| Arc::strong_count(origin) > 1);
        waiting.filter_map(|origin| origin.admission.home).collect()
    }
}
