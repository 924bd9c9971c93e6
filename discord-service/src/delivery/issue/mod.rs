//! Which issue an alert is about.
//!
//! Sentry sends one issue under different hosts, and some of its releases send
//! it without a link. So the host does not count, and a part that one webhook
//! leaves out matches any value in another.

use std::collections::HashMap;

use sha2::{Digest as _, Sha256};
use shared::{Alert, alert::UNKNOWN_PROJECT};
use url::Url;

/// First labels of sentry.io's own hosts, which name no organization.
const OWN_HOSTS: [&str; 9] = ["www", "us", "us2", "eu", "de", "control", "api", "app", "ingest"];

/// An issue of one channel: its id, and its project and organization if known,
/// all as hashes. Two unequal keys may still be one issue: see
/// [`IssueKey::is`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct IssueKey {
    id: [u8; 16],
    pub(super) project: Option<u64>,
    pub(super) organization: Option<u64>,
    /// Its name in older builds, from its id and the host of its link.
    former: [u8; 16],
}

impl IssueKey {
    /// The issue of this alert, if it names one.
    pub(crate) fn of(alert: &Alert) -> Option<Self> {
        let id = format!("{}{}", id_space(&alert.kind), alert.issue_id.as_deref()?);
        let url = alert.url.as_deref().and_then(|url| Url::parse(url.trim()).ok());
        let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
        let port = url.as_ref().and_then(Url::port).unwrap_or_default();
        let project = (alert.project != UNKNOWN_PROJECT).then(|| number(&alert.project));
        let organization = url.as_ref().and_then(organization).map(|slug| number(&slug));
        Some(Self { id: hash(&id), project, organization, former: hash(&format!("{host}\0{port}\0{id}")) })
    }

    /// Whether the two may be one issue. They have the same id, and no project
    /// or organization that both know differs.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.id == other.id && self.agrees(other.project, other.organization)
    }

    /// Whether an issue with the same id, this project and this organization
    /// may be this one.
    pub(super) fn agrees(&self, project: Option<u64>, organization: Option<u64>) -> bool {
        let agree = |one: Option<u64>, other: Option<u64>| one.is_none() || other.is_none() || one == other;
        agree(self.project, project) && agree(self.organization, organization)
    }

    /// A text that all issues share which may be this one, and few others.
    pub(super) fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// The same text as older builds wrote it.
    pub(super) fn former(&self) -> String {
        hex::encode(self.former)
    }
}

/// What keeps the ids of metric alerts and uptime checks apart from those of issues.
fn id_space(kind: &str) -> &'static str {
    match kind.split('.').next() {
        Some("metric_alert") => "metric alert ",
        Some("uptime") => "uptime check ",
        _ => "",
    }
}

/// Whether this says that what its id names began, perhaps again: the newest such
/// message is kept up to date beside the first.
pub(super) fn is_beginning(alert: &Alert) -> bool {
    matches!(
        alert.kind.as_str(),
        "issue.created"
            | "metric_alert.critical"
            | "metric_alert.warning"
            | "metric_alert.open"
            | "uptime.down"
    )
}

/// Some issues, to ask whether another may be one of them.
#[derive(Debug, Default)]
pub(crate) struct Issues(HashMap<[u8; 16], Vec<IssueKey>>);

impl Issues {
    pub(crate) fn insert(&mut self, issue: IssueKey) {
        let same_id = self.0.entry(issue.id).or_default();
        if !same_id.contains(&issue) {
            same_id.push(issue);
        }
    }

    pub(crate) fn contains(&self, issue: &IssueKey) -> bool {
        self.0.get(&issue.id).is_some_and(|same_id| same_id.iter().any(|one| one.is(issue)))
    }
}

impl FromIterator<IssueKey> for Issues {
    fn from_iter<T: IntoIterator<Item = IssueKey>>(issues: T) -> Self {
        let mut all = Self::default();
        issues.into_iter().for_each(|issue| all.insert(issue));
        all
    }
}

/// The organization that this link names: in its path, or as a subdomain of
/// sentry.io.
pub(super) fn organization(url: &Url) -> Option<String> {
    let mut path = url.path_segments().into_iter().flatten();
    let named = path.find(|part| *part == "organizations").and_then(|_| path.next());
    let named = named.filter(|slug| !slug.is_empty());
    let of_host = || {
        let label = url.host_str()?.strip_suffix(".sentry.io")?;
        (!label.contains('.') && !OWN_HOSTS.contains(&label)).then_some(label)
    };
    named.or_else(of_host).map(str::to_lowercase)
}

/// Whether this alert names its issue by the id alone, because Sentry sends no
/// title and no link.
pub(super) fn is_remark(alert: &Alert) -> bool {
    alert.kind.starts_with("comment.") || alert.kind.starts_with("seer.")
}

fn hash(text: &str) -> [u8; 16] {
    let digest = Sha256::digest(text);
    let mut hash = [0; 16];
    hash.copy_from_slice(&digest[..16]);
    hash
}

fn number(text: &str) -> u64 {
    let digest = Sha256::digest(text);
    let mut number = [0; 8];
    number.copy_from_slice(&digest[..8]);
    u64::from_le_bytes(number)
}

#[cfg(test)]
mod tests;
