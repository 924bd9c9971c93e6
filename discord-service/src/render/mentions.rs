//! Whom a message mentions.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::{Alert, RoleId, UserId, alert::Ping};

/// Whom a message mentions, by the URLs of its alerts and by rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mentions {
    users: BTreeSet<UserId>,
    roles: BTreeSet<RoleId>,
}

impl Mentions {
    /// Those of a message that shows these alerts.
    pub fn of<'a>(alerts: impl IntoIterator<Item = &'a Alert>) -> Self {
        let mut mentions = Self::default();
        for alert in alerts {
            mentions.users.extend(alert.mention);
            match alert.routing.ping {
                Some(Ping::User(user)) => drop(mentions.users.insert(user)),
                Some(Ping::Role(role)) => drop(mentions.roles.insert(role)),
                None => {}
            }
        }
        mentions
    }

    /// The text that mentions them, if there are any.
    pub(super) fn content(&self) -> Option<String> {
        let users = self.users.iter().map(|user| format!("<@{user}>"));
        let all: Vec<_> = users.chain(self.roles.iter().map(|role| format!("<@&{role}>"))).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    /// What lets Discord ping exactly these.
    pub(super) fn allowed(&self) -> Value {
        let users: Vec<_> = self.users.iter().map(UserId::to_string).collect();
        let mut allowed = json!({ "parse": [], "users": users });
        if !self.roles.is_empty() {
            allowed["roles"] = self.roles.iter().map(RoleId::to_string).collect();
        }
        allowed
    }
}
