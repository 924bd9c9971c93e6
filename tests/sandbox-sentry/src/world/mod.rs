//! Everything that the sandbox's Sentry knows.

pub(crate) mod event;
pub(crate) mod issue;
pub(crate) mod organization;
pub(crate) mod serialize;
pub(crate) mod token;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use self::{
    issue::Issue,
    organization::{Member, Organization, Project, Team},
    token::Token,
};
use crate::{config::Config, faults::Faults, hooks::Outbox, ratelimit::Windows};

/// A request to the API that the sandbox received.
#[derive(Debug, Clone, Serialize)]
pub struct Request {
    /// Such as `PUT`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// What follows the question mark.
    pub query: String,
    /// The header `Authorization`, as it came.
    pub authorization: Option<String>,
    /// The body, if it is JSON.
    pub body: Value,
    /// The status of the answer. `None`: there was none.
    pub status: Option<u16>,
    /// The endpoint, such as `PUT /organizations/{organization}/issues/{issue}/`.
    pub endpoint: String,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) config: Config,
    /// The base of all links.
    pub(crate) links: String,
    pub(crate) organizations: BTreeMap<u64, Organization>,
    pub(crate) projects: BTreeMap<u64, Project>,
    pub(crate) teams: BTreeMap<u64, Team>,
    pub(crate) members: Vec<Member>,
    pub(crate) issues: BTreeMap<u64, Issue>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) faults: Faults,
    pub(crate) windows: Windows,
    pub(crate) requests: Vec<Request>,
    /// What the sandbox does not play and was asked for, in words.
    pub(crate) unknown_requests: Vec<String>,
    pub(crate) outbox: Outbox,
}

impl World {
    pub(crate) fn new(config: Config, own: &str, outbox: Outbox) -> Self {
        Self {
            links: config.links.clone().unwrap_or_else(|| own.to_owned()),
            config,
            organizations: BTreeMap::new(),
            projects: BTreeMap::new(),
            teams: BTreeMap::new(),
            members: Vec::new(),
            issues: BTreeMap::new(),
            tokens: Vec::new(),
            faults: Faults::default(),
            windows: Windows::default(),
            requests: Vec::new(),
            unknown_requests: Vec::new(),
            outbox,
        }
    }

    /// # Panics
    /// When there is no such project.
    pub(crate) fn add_issue(&mut self, project: u64, mut issue: Issue) -> u64 {
        assert!(self.projects.contains_key(&project), "there is no project {project}");
        issue.project = project;
        issue.number = 1 + self.issues.values().filter(|issue| issue.project == project).count();
        let id = issue.id;
        self.issues.insert(id, issue);
        id
    }

    pub(crate) fn short_id(&self, issue: &Issue) -> String {
        let prefix = self.projects.get(&issue.project).map(Project::prefix).unwrap_or_default();
        format!("{prefix}-{}", issue.number)
    }

    /// The organization of an issue.
    pub(crate) fn owner(&self, issue: &Issue) -> Option<&Organization> {
        self.organizations.get(&self.projects.get(&issue.project)?.organization)
    }

    /// The issue of an organization by its id or short id. A merged one is found as that which it was
    /// merged into (`get_group_with_redirect` in `src/sentry/models/group.py`).
    pub(crate) fn find_issue(&self, organization: u64, id_or_short_id: &str) -> Option<u64> {
        let named = |issue: &&Issue| {
            let name = issue.id.to_string() == id_or_short_id
                || self.short_id(issue).eq_ignore_ascii_case(id_or_short_id);
            name && self.owner(issue).is_some_and(|owner| owner.id == organization)
        };
        let mut issue = self.issues.values().find(named)?;
        while let Some(id) = issue.merged_into {
            issue = self.issues.get(&id)?;
        }
        (!issue.deleted).then_some(issue.id)
    }

    /// The member who is this user.
    pub(crate) fn user(&self, organization: u64, user: u64) -> Option<&Member> {
        self.members.iter().find(|member| member.organization == organization && member.user == Some(user))
    }

    /// The token that a request showed.
    pub(crate) fn token(&self, secret: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.secret == secret)
    }
}
