//! The handle of a running sandbox, for tests and for the program.

use std::{sync::Arc, time::Duration};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{
    config::Config,
    faults::Fault,
    hooks::{Delivery, Hook, Target},
    server::{Hub, Server},
    update::form::Refusal,
    world::{
        Request, World,
        issue::{Activity, Issue, Substatus},
        organization::{Member, Organization, Project, Team},
        token::{Actor, Token},
    },
};

/// A running stand-in for Sentry. It stops when dropped.
#[derive(Debug)]
pub struct SandboxSentry {
    server: Server,
}

impl SandboxSentry {
    /// Starts one without organizations. It takes requests when this returns.
    ///
    /// # Panics
    /// When it cannot listen on its address.
    pub fn start(config: Config) -> Self {
        Self::try_start(config).expect("the sandbox starts")
    }

    /// Starts one.
    ///
    /// # Errors
    /// When it cannot listen on its address.
    pub fn try_start(config: Config) -> anyhow::Result<Self> {
        Ok(Self { server: Server::start(config)? })
    }

    /// Its base, `http://host:port`, for `SENTRY_URLS`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.addr)
    }

    fn hub(&self) -> &Arc<Hub> {
        &self.server.hub
    }

    fn lock<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        self.hub().lock(act)
    }

    /// The secret that signs the webhooks.
    pub fn client_secret(&self) -> String {
        self.lock(|world| world.config.client_secret.clone())
    }

    /// Adds an organization and returns its id.
    pub fn add_organization(&self, organization: Organization) -> u64 {
        let id = organization.id;
        self.lock(|world| world.organizations.insert(id, organization));
        id
    }

    /// Adds a team and returns its id.
    pub fn add_team(&self, organization: u64, mut team: Team) -> u64 {
        team.organization = organization;
        let id = team.id;
        self.lock(|world| world.teams.insert(id, team));
        id
    }

    /// Adds a member. [`Member::user`] tells the user's id.
    pub fn add_member(&self, organization: u64, mut member: Member) {
        member.organization = organization;
        self.lock(|world| world.members.push(member));
    }

    /// Adds a project and returns its id.
    pub fn add_project(&self, organization: u64, mut project: Project) -> u64 {
        project.organization = organization;
        let id = project.id;
        self.lock(|world| world.projects.insert(id, project));
        id
    }

    /// A project gets one more release.
    pub fn add_release(&self, project: u64, version: &str) {
        self.lock(|world| {
            if let Some(project) = world.projects.get_mut(&project) {
                project.releases.push(version.to_owned());
            }
        });
    }

    /// Adds a token and returns its text.
    pub fn add_token(&self, token: Token) -> String {
        let secret = token.secret.clone();
        self.lock(|world| world.tokens.push(token));
        secret
    }

    /// The token is unknown from now on.
    pub fn revoke_token(&self, secret: &str) {
        self.lock(|world| world.tokens.retain(|token| token.secret != secret));
    }

    /// A token may do this from now on, and nothing else: the integration's scopes were edited.
    pub fn set_scopes(&self, secret: &str, scopes: &[&str]) {
        self.lock(|world| {
            for token in world.tokens.iter_mut().filter(|token| token.secret == secret) {
                token.scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
            }
        });
    }

    /// Adds an issue that was there before, and returns its id. No webhook tells it.
    ///
    /// # Panics
    /// When there is no such project.
    pub fn add_issue(&self, project: u64, issue: Issue) -> u64 {
        self.lock(|world| world.add_issue(project, issue))
    }

    /// An issue arises now: as [`add_issue`](Self::add_issue), and the webhook `issue.created` follows.
    ///
    /// # Panics
    /// When there is no such project.
    pub fn raise_issue(&self, project: u64, issue: Issue) -> u64 {
        self.lock(|world| {
            let id = world.add_issue(project, issue);
            world.announce(Hook::issue(id, "created", Actor::Sentry, json!({})));
            id
        })
    }

    /// Somebody changes an issue in Sentry's own pages. `form` is the body of such a PUT.
    ///
    /// # Errors
    /// When there is no such issue, or Sentry would refuse the change.
    pub fn change_issue(&self, issue: u64, actor: Actor, form: &Value) -> anyhow::Result<()> {
        self.lock(|world| world.change_issue(issue, actor, form))
    }

    /// A resolved issue happens again.
    pub fn regress_issue(&self, issue: u64) {
        self.lock(|world| world.return_of(issue, Substatus::Regressed));
    }

    /// An archived issue happens more often than was foreseen.
    pub fn escalate_issue(&self, issue: u64) {
        self.lock(|world| world.return_of(issue, Substatus::Escalating));
    }

    /// The issue is found under the id of another from now on.
    pub fn merge_issue(&self, issue: u64, into: u64) {
        self.lock(|world| {
            if let Some(issue) = world.issues.get_mut(&issue) {
                issue.merged_into = Some(into);
            }
        });
    }

    /// Nobody finds the issue any more.
    pub fn delete_issue(&self, issue: u64) {
        self.lock(|world| {
            if let Some(issue) = world.issues.get_mut(&issue) {
                issue.deleted = true;
            }
        });
    }

    /// The events are gone: they are older than Sentry keeps them.
    pub fn expire_events(&self, issue: u64) {
        self.lock(|world| {
            if let Some(issue) = world.issues.get_mut(&issue) {
                issue.events.clear();
            }
        });
    }

    /// The issue as the API tells it now. `None`: there was never such an issue.
    pub fn issue(&self, issue: u64) -> Option<Value> {
        self.lock(|world| world.issues.get(&issue).map(|issue| world.issue_json(issue)))
    }

    /// All that happened to an issue, the earliest first. Unlike the API's, this list leaves nothing out.
    pub fn activities(&self, issue: u64) -> Vec<Activity> {
        self.lock(|world| world.issues.get(&issue).map(|issue| issue.activities.clone()).unwrap_or_default())
    }

    /// All requests to the API so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.lock(|world| world.requests.clone())
    }

    /// How often this [endpoint](crate::endpoint) was asked.
    pub fn count(&self, endpoint: &str) -> usize {
        self.lock(|world| world.requests.iter().filter(|request| request.endpoint == endpoint).count())
    }

    /// What the sandbox was asked for and does not play, in words.
    pub fn unknown_requests(&self) -> Vec<String> {
        self.lock(|world| world.unknown_requests.clone())
    }

    /// Lets something go wrong.
    pub fn add_fault(&self, fault: Fault) {
        self.lock(|world| world.faults.add(fault));
    }

    /// Nothing goes wrong any more.
    pub fn clear_faults(&self) {
        self.lock(|world| world.faults.clear());
    }

    /// Webhooks go there from now on.
    pub fn send_webhooks_to(&self, target: Target) {
        self.lock(|world| world.config.webhooks = Some(target));
    }

    /// So long after its change a webhook is sent from now on.
    pub fn delay_webhooks(&self, delay: Duration) {
        self.lock(|world| world.config.webhook_delay = delay);
    }

    /// Webhooks wait from now on until they are released.
    pub fn hold_webhooks(&self) {
        self.lock(|world| {
            world.outbox.held.get_or_insert_default();
        });
    }

    /// The webhooks that wait, such as `issue.resolved`, in the order of their changes.
    pub fn held_webhooks(&self) -> Vec<String> {
        self.lock(|world| world.outbox.held.iter().flatten().map(Hook::name).collect())
    }

    /// Sends those that wait in this order of their places in [`held_webhooks`](Self::held_webhooks), each after
    /// the answer to the one before. A place may be named twice or never. Later ones no longer wait.
    pub fn release_webhooks(&self, order: &[usize]) {
        self.lock(|world| world.release_hooks(Some(order)));
    }

    /// The webhooks that were sent, in the order in which they were answered.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.lock(|world| world.outbox.deliveries.clone())
    }
}

impl World {
    pub(crate) fn change_issue(&mut self, issue: u64, actor: Actor, form: &Value) -> anyhow::Result<()> {
        let known = self.issues.get(&issue).context("there is no such issue")?;
        let organization = self.owner(known).context("the issue belongs to nobody")?;
        let form = self.read_form(organization, &self.projects[&known.project], form);
        let form = form.map_err(|refusal| match refusal {
            Refusal::Invalid(errors) => anyhow::anyhow!("{errors}"),
            Refusal::NotPlayed(what) => anyhow::anyhow!("the sandbox does not play {what}"),
        })?;
        self.update(issue, actor, &form);
        Ok(())
    }

    /// Without an order they go as they came.
    pub(crate) fn release_hooks(&mut self, order: Option<&[usize]>) {
        let held = self.outbox.held.take().unwrap_or_default();
        let hooks = match order {
            Some(order) => order.iter().filter_map(|place| held.get(*place).cloned()).collect(),
            None => held,
        };
        self.outbox.send(Duration::ZERO, hooks);
    }
}
