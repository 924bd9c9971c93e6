//! Replies about the projects of users.

use serde_json::json;
use shared::{ChannelId, UserId};

use super::{Replies, Reply, code, fields};
use crate::store::{ProjectSlug, Registration};

impl Replies {
    /// `project`: the user's own.
    pub(in crate::commands) fn project(&self, slug: Option<&str>) -> Reply {
        let prefix = &self.prefix;
        let usage = format!("`{prefix} project register project-name-slug`\n`{prefix} project revoke`");
        let registered = slug.map_or_else(|| fields::NONE.to_owned(), code);
        let fields = vec![
            json!({"name": "Usage", "value": usage}),
            json!({"name": "Registered Project", "value": registered}),
        ];
        Reply::Embed(self.embed("SENTRY PROJECT REGISTRATION", fields))
    }

    /// `project register`, with the URL that mentions the user when the public
    /// URL is known.
    pub(in crate::commands) fn registered(
        &self,
        channel: ChannelId,
        user: UserId,
        slug: &ProjectSlug,
        outcome: Registration,
    ) -> Reply {
        match (outcome, self.webhook_url(channel)) {
            (Registration::Taken(owner), _) => {
                format!("Sentry project: `{slug}` is already registered to <@{owner}>").into()
            }
            (Registration::Registered, None) => format!("Registered Sentry project: `{slug}`").into(),
            (Registration::Registered, Some(url)) => format!(
                "Registered Sentry project: `{slug}`\n\
                 URL whose alerts mention you here: `{url}&mention={user}`"
            )
            .into(),
        }
    }
}

/// `project revoke`.
pub(in crate::commands) fn project_revoked(slug: Option<&str>) -> Reply {
    match slug {
        Some(slug) => format!("Revoked Sentry project: {}", code(slug)).into(),
        None => "You have no project to be revoked".into(),
    }
}
