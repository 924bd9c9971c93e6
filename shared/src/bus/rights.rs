//! What each service must be allowed to do at NATS. An account with a user for
//! each service grants it: `k8s/components/nats-cluster/accounts.conf`.

use super::{Role, stream_table::StreamSpec};
use crate::wire;

/// One right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Right {
    /// The subject, with NATS's wildcards.
    pub(super) subject: String,
    /// Whether alerts can be neither stored nor posted without it.
    pub(super) needed: bool,
}

/// What one service may do.
#[derive(Debug)]
pub(super) struct ServiceRights {
    pub(super) publish: Vec<Right>,
    pub(super) subscribe: Vec<Right>,
}

impl ServiceRights {
    /// The rights of the service of this name, with the streams of `table`.
    pub(super) fn of(service: &str, table: &[StreamSpec]) -> Self {
        if service == "ingress-service" { ingress(table) } else { discord() }
    }

    /// The right to publish to this subject, and whether it is needed.
    pub(super) fn to_publish(&self, subject: &str) -> (String, bool) {
        find(&self.publish, subject)
    }

    /// The right to subscribe to this subject, and whether it is needed.
    pub(super) fn to_subscribe(&self, subject: &str) -> (String, bool) {
        find(&self.subscribe, subject)
    }
}

fn find(rights: &[Right], subject: &str) -> (String, bool) {
    let matching = |right: &&Right| matches(right.subject.split(' ').next().unwrap_or_default(), subject);
    let useful = rights.iter().filter(matching).find(|right| !right.needed);
    match useful.or_else(|| rights.iter().find(matching)) {
        Some(right) => (right.subject.clone(), right.needed),
        None => (subject.to_owned(), true),
    }
}

fn needed(subject: impl Into<String>) -> Right {
    Right { subject: subject.into(), needed: true }
}

fn useful(subject: impl Into<String>) -> Right {
    Right { subject: subject.into(), needed: false }
}

fn ingress(table: &[StreamSpec]) -> ServiceRights {
    let mut publish = vec![
        useful(wire::VERDICT),
        needed(wire::ALERTS_SUBJECTS),
        useful("$KV.refusals.>"),
        useful("$KV.seen.>"),
        useful("$JS.API.INFO"),
        // Reads which channels were ever authorized, from any replica and from
        // the leader.
        useful("$JS.API.DIRECT.GET.KV_channels.$KV.channels.*"),
        useful("$JS.API.STREAM.MSG.GET.KV_channels"),
        // Reads whether a request came before, and Sentry's addresses, from the
        // leader.
        useful("$JS.API.STREAM.MSG.GET.KV_seen"),
        useful("$JS.API.STREAM.MSG.GET.KV_sources"),
        // Follows the bucket "trust", and answers NATS's flow control.
        needed("$JS.API.CONSUMER.CREATE.KV_trust"),
        needed("$JS.API.CONSUMER.CREATE.KV_trust.*.$KV.trust.>"),
        useful("$JS.API.CONSUMER.DELETE.KV_trust.*"),
        useful("$JS.FC.KV_trust.>"),
    ];
    for entry in table.iter().filter(|entry| entry.is_made_by(Role::Ingress)) {
        let name = &entry.config.name;
        let info = format!("$JS.API.STREAM.INFO.{name}");
        publish.push(if entry.needed { needed(info) } else { useful(info) });
        // The other service makes it too.
        publish.push(useful(format!("$JS.API.STREAM.CREATE.{name}")));
    }
    ServiceRights { publish, subscribe: vec![needed("_INBOX.ingress-service.>")] }
}

fn discord() -> ServiceRights {
    let publish = [
        // Verdicts.
        needed("_INBOX.ingress-service.>"),
        useful(wire::STORE_CHANGED),
        useful(wire::REOPENING),
        // For the commands "test" and "replay".
        useful(wire::ALERTS_SUBJECTS),
        needed(wire::DEAD_LETTERS_SUBJECTS),
        needed("$KV.channel-list.*.*"),
        // Without the first, rules cannot be made. Without the second, none that sends
        // alerts on: the command asks.
        useful("$KV.channel-rules.*"),
        useful("$KV.routed.>"),
        needed("$KV.channel-trust.*"),
        needed("$KV.channels.*"),
        needed("$KV.lanes.>"),
        needed("$KV.leases.>"),
        useful("$KV.messages.>"),
        useful("$KV.sources.*"),
        useful("$KV.stack_traces.*.*"),
        needed("$KV.trust.*"),
        needed("$KV.user-projects.*"),
        useful("$JS.API.INFO"),
        needed("$JS.API.DIRECT.GET.>"),
        useful("$JS.API.STREAM.CREATE.*"),
        needed("$JS.API.STREAM.INFO.*"),
        needed("$JS.API.STREAM.MSG.DELETE.*"),
        needed("$JS.API.STREAM.MSG.GET.*"),
        needed("$JS.API.STREAM.PURGE.*"),
        // Without this the streams stay as an older build made them.
        useful("$JS.API.STREAM.UPDATE.*"),
    ];
    let subscribe = [
        needed("_INBOX.discord-service.>"),
        // Without this the sweep finds the alerts, two seconds later.
        useful(wire::STORED_SUBJECTS),
        useful(wire::STORE_CHANGED),
        useful(wire::REOPENING),
        needed("$KV.leases.>"),
        needed(format!("{} {}", wire::VERDICT, wire::VERDICT_GROUP)),
    ];
    ServiceRights { publish: publish.into(), subscribe: subscribe.into() }
}

/// Whether `pattern` covers a subject, which may have wildcards itself.
pub(super) fn matches(pattern: &str, subject: &str) -> bool {
    let (mut pattern, mut subject) = (pattern.split('.'), subject.split('.'));
    loop {
        match (pattern.next(), subject.next()) {
            (Some(">"), Some(_)) | (None, None) => return true,
            (Some("*"), Some(token)) if token != ">" => {}
            (Some(wanted), Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
}
