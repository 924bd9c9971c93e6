//! The rights that the user at NATS lacks. NATS does not answer a request that
//! it refuses. It sends an error to the connection, and the request would wait
//! in vain.

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use async_nats::Client;
use tokio::{sync::Notify, time::sleep};

use super::rights::ServiceRights;
use crate::admin::Readiness;

/// The readiness check that names the missing rights.
const CHECK: &str = "rights";
/// How often readiness is brought up to date.
const CHECK_EVERY: Duration = Duration::from_secs(1);
/// How long to wait after a refusal before asking for the same again.
const ASK_AGAIN: Duration = Duration::from_secs(10);
/// The same for a right without which the service does not work.
const ASK_NEEDED_AGAIN: Duration = Duration::from_secs(5);
/// How long a refusal counts. Some things are tried again only once a minute.
const COUNTS_FOR: Duration = Duration::from_secs(75);
const NEEDED_COUNTS_FOR: Duration = Duration::from_secs(10);

/// The recent refusals of NATS, by the right that would allow each. Cheap to
/// clone.
#[derive(Debug, Clone)]
pub struct MissingRights(Arc<MissingRightsInner>);

#[derive(Debug)]
struct MissingRightsInner {
    rights: ServiceRights,
    readiness: Readiness,
    refused: Mutex<BTreeMap<(Way, String), DeniedRight>>,
    changed: Notify,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Publish,
    Subscription,
}

#[derive(Debug, Clone)]
struct DeniedRight {
    needed: bool,
    last: Instant,
    /// A subject that was refused.
    subject: String,
}

impl DeniedRight {
    fn counts(&self, way: Way) -> bool {
        let counts_for = if self.needed { NEEDED_COUNTS_FOR } else { COUNTS_FOR };
        // A refused subscription stays refused until the next connection.
        way == Way::Subscription || self.last.elapsed() < counts_for
    }
}

impl MissingRights {
    pub(super) fn new(rights: ServiceRights, readiness: Readiness) -> Self {
        Self(Arc::new(MissingRightsInner {
            rights,
            readiness,
            refused: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// Whether NATS lately refused to publish this subject.
    pub fn lacks(&self, subject: &str) -> bool {
        let (right, needed) = self.0.rights.to_publish(subject);
        let ask_again = if needed { ASK_NEEDED_AGAIN } else { ASK_AGAIN };
        let refused = self.refused();
        refused.get(&(Way::Publish, right)).is_some_and(|refusal| refusal.last.elapsed() < ask_again)
    }

    /// Returns when NATS refuses to publish this subject, at once if it just
    /// did.
    pub async fn refuses(&self, subject: &str) {
        loop {
            let changed = self.0.changed.notified();
            if self.lacks(subject) {
                return;
            }
            changed.await;
        }
    }

    /// Reads an error of NATS, which may be about a subject.
    pub(super) fn note(&self, error: &str) {
        let Some((_, what)) = error.split_once("Permissions Violation for ") else { return };
        let Some(subject) = what.split('"').nth(1) else { return };
        let (way, (right, needed)) = if what.starts_with("Publish") {
            (Way::Publish, self.0.rights.to_publish(subject))
        } else {
            (Way::Subscription, self.0.rights.to_subscribe(subject))
        };
        let refusal = DeniedRight { needed, last: Instant::now(), subject: subject.to_owned() };
        self.refused().insert((way, right), refusal);
        self.report();
        self.0.changed.notify_waiters();
    }

    /// Forgets all refusals, because there is a new connection.
    pub(super) fn clear(&self) {
        self.refused().clear();
        self.0.readiness.forget(CHECK);
    }

    fn refused(&self) -> MutexGuard<'_, BTreeMap<(Way, String), DeniedRight>> {
        self.0.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self) {
        let mut refused = self.refused();
        refused.retain(|(way, _), refusal| refusal.counts(*way));
        if refused.is_empty() {
            return self.0.readiness.forget(CHECK);
        }
        let rights: Vec<String> =
            refused.keys().map(|(way, right)| format!("{way:?} to \"{right}\"")).collect();
        let words = format!(
            "the user at NATS lacks the right to: {}: bring its permissions up to date (accounts.conf)",
            rights.join(", ")
        );
        if refused.values().any(|refusal| refusal.needed) {
            self.0.readiness.set_unready(CHECK, words);
        } else {
            self.0.readiness.set_ready_saying(CHECK, format!("works, but {words}"));
        }
    }

    /// A refused subscription that is due to be tried again.
    fn due(&self) -> Option<DeniedRight> {
        let refused = self.refused();
        let mut due = refused.iter().filter(|((way, _), refusal)| {
            let ask_again = if refusal.needed { ASK_NEEDED_AGAIN } else { ASK_AGAIN };
            *way == Way::Subscription && refusal.last.elapsed() >= ask_again
        });
        due.next().map(|(_, refusal)| refusal.clone())
    }
}

/// Keeps readiness up to date. Reconnects once a refused subscription is
/// allowed, because only a new connection makes all subscriptions again.
pub(super) async fn watch(client: Client, lacks: MissingRights) {
    loop {
        sleep(CHECK_EVERY).await;
        lacks.report();
        let Some(due) = lacks.due() else { continue };
        // A second subscription to a needed subject would take messages from
        // the first.
        if due.needed || is_allowed(&client, &lacks, &due.subject).await {
            lacks.clear();
            let _ = client.force_reconnect().await;
        }
    }
}

async fn is_allowed(client: &Client, lacks: &MissingRights, subject: &str) -> bool {
    let asked = Instant::now();
    let Ok(_subscription) = client.subscribe(subject.to_owned()).await else { return false };
    if client.flush().await.is_err() {
        return false;
    }
    sleep(CHECK_EVERY).await;
    let refused = lacks.refused();
    !refused.iter().any(|((way, _), refusal)| {
        *way == Way::Subscription && refusal.subject == subject && refusal.last >= asked
    })
}
