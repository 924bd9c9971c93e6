//! Organizations with their projects, teams and members.

use serde_json::{Value, json};

use crate::id;

/// An organization with one internal integration.
#[derive(Debug, Clone)]
pub struct Organization {
    pub(crate) id: u64,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) open_membership: bool,
    /// The integration's uuid as an app, its installation's, and its proxy user.
    pub(crate) app: String,
    pub(crate) installation: String,
    pub(crate) proxy_user: u64,
}

impl Organization {
    /// An organization with open membership.
    pub fn new(slug: impl Into<String>) -> Self {
        let slug = slug.into();
        Self {
            id: id::next(),
            name: slug.clone(),
            slug,
            open_membership: true,
            app: id::uuid(),
            installation: id::uuid(),
            proxy_user: id::next(),
        }
    }

    /// The name that people read.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// An issue can be assigned only to the teams of its project and their members.
    #[must_use]
    pub const fn closed_membership(mut self) -> Self {
        self.open_membership = false;
        self
    }

    pub(crate) fn is_named(&self, id_or_slug: &str) -> bool {
        self.slug == id_or_slug || self.id.to_string() == id_or_slug
    }
}

/// A project, in which issues arise.
#[derive(Debug, Clone)]
pub struct Project {
    pub(crate) id: u64,
    pub(crate) organization: u64,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) platform: String,
    pub(crate) releases: Vec<String>,
    pub(crate) teams: Vec<u64>,
}

impl Project {
    /// A Python project without releases and teams.
    pub fn new(slug: impl Into<String>) -> Self {
        let slug = slug.into();
        let (name, platform) = (slug.clone(), "python".to_owned());
        Self {
            id: id::next(),
            organization: 0,
            slug,
            name,
            platform,
            releases: Vec::new(),
            teams: Vec::new(),
        }
    }

    /// The name that people read.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// One more release, later than the others.
    #[must_use]
    pub fn release(mut self, version: impl Into<String>) -> Self {
        self.releases.push(version.into());
        self
    }

    /// A team that owns the project.
    #[must_use]
    pub fn team(mut self, team: u64) -> Self {
        self.teams.push(team);
        self
    }

    /// The prefix of short ids.
    pub(crate) fn prefix(&self) -> String {
        self.slug.to_uppercase()
    }

    /// As issues name it.
    pub(crate) fn brief(&self) -> Value {
        json!({ "id": self.id.to_string(), "name": self.name, "slug": self.slug, "platform": self.platform })
    }

    pub(crate) fn is_named(&self, id_or_slug: &str) -> bool {
        self.slug == id_or_slug || self.id.to_string() == id_or_slug
    }
}

/// A team.
#[derive(Debug, Clone)]
pub struct Team {
    pub(crate) id: u64,
    pub(crate) organization: u64,
    pub(crate) slug: String,
    pub(crate) users: Vec<u64>,
}

impl Team {
    /// A team of nobody.
    pub fn new(slug: impl Into<String>) -> Self {
        Self { id: id::next(), organization: 0, slug: slug.into(), users: Vec::new() }
    }

    /// A user who is in the team, by their user id.
    #[must_use]
    pub fn user(mut self, user: u64) -> Self {
        self.users.push(user);
        self
    }

    pub(crate) fn json(&self) -> Value {
        json!({
            "id": self.id.to_string(), "slug": self.slug, "name": self.slug,
            "isMember": false, "memberCount": self.users.len(), "avatar": null,
        })
    }
}

/// A member of an organization. Sentry gives the membership and the user an id each.
#[derive(Debug, Clone)]
pub struct Member {
    pub(crate) id: u64,
    pub(crate) organization: u64,
    pub(crate) user: Option<u64>,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) active: bool,
}

impl Member {
    /// A person who has joined.
    pub fn new(name: impl Into<String>, email: impl Into<String>) -> Self {
        let user = Some(id::next());
        Self { id: id::next(), organization: 0, user, name: name.into(), email: email.into(), active: true }
    }

    /// Somebody who was invited and has not joined: they have no user.
    pub fn invited(email: impl Into<String>) -> Self {
        let email = email.into();
        Self { user: None, ..Self::new(email.clone(), email) }
    }

    /// Their account is switched off: they are not listed, and get no issue.
    #[must_use]
    pub const fn deactivated(mut self) -> Self {
        self.active = false;
        self
    }

    /// The user's id, which issues are assigned to. An invited member has none.
    pub const fn user(&self) -> Option<u64> {
        self.user
    }

    /// As `OrganizationMemberSerializer` writes it
    /// (`src/sentry/api/serializers/models/organization_member/base.py`).
    pub(crate) fn json(&self) -> Value {
        let user = self.user.map(|id| user_json(id, &self.name, &self.email, self.active));
        json!({
            "id": self.id.to_string(), "email": self.email, "name": self.name, "user": user,
            "orgRole": "member", "role": "member", "roleName": "Member",
            "pending": self.user.is_none(), "expired": false, "inviteStatus": "approved",
            "flags": {
                "sso:linked": false, "sso:invalid": false,
                "member-limit:restricted": false, "idp:provisioned": false,
            },
        })
    }
}

/// As `UserSerializer` writes it (`src/sentry/users/api/serializers/user.py`).
pub(crate) fn user_json(id: u64, name: &str, email: &str, active: bool) -> Value {
    json!({
        "id": id.to_string(), "name": name, "username": email, "email": email,
        "isActive": active, "isManaged": false, "has2fa": false,
    })
}
