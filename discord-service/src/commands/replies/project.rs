//! Replies about the projects of users.

use serde_json::json;
use shared::{ChannelId, UserId};

use super::{Reply, ReplyTexts, code, fields};
use crate::store::{ProjectSlug, Registration};

impl ReplyTexts<'_> {
    /// `project`: the user's own.
    pub(in crate::commands) fn project(&self, slug: Option<&str>) -> Reply {
        let register = self.names.example("project register", "slug", "project-name-slug");
        let usage = format!("{register}\n{}", self.names.of("project revoke"));
        let registered = slug.map_or_else(|| fields::NONE.to_owned(), code);
        let fields = vec![
            json!({"name": "Usage", "value": usage}),
            json!({"name": "Registered Project", "value": registered}),
        ];
        Reply::Embed(self.embed("SENTRY PROJECT REGISTRATION", fields))
    }

    /// `project register`, with the URL that mentions the user when the public URL is
    /// known. A `secured` channel would refuse it without the token.
    pub(in crate::commands) fn registered(
        &self,
        (channel, secured): (ChannelId, bool),
        user: UserId,
        slug: &ProjectSlug,
        outcome: Registration,
    ) -> Reply {
        let first = match outcome {
            Registration::Taken(owner) => {
                return format!("Sentry project: `{slug}` is already registered to <@{owner}>").into();
            }
            Registration::Registered => format!("Registered Sentry project: `{slug}`"),
        };
        match self.webhook_url(channel) {
            None => first,
            Some(_) if secured => {
                format!("{first}\nTo be mentioned, add this to the URL in Sentry, for this project alone: `&mention={user}`")
            }
            Some(url) => {
                format!("{first}\nTo be mentioned, use this URL in Sentry, for this project alone: `{url}&mention={user}`")
            }
        }
        .into()
    }
}

/// `project revoke`.
pub(in crate::commands) fn project_revoked(slug: Option<&str>) -> Reply {
    match slug {
        Some(slug) => format!("Revoked Sentry project: {}", code(slug)).into(),
        None => "You have no project to be revoked".into(),
    }
}
