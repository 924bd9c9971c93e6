//! The endpoints that the sandbox plays.

use super::{Call, Outcome, applications, channels, commands, guilds, messages};
use crate::{interactions::answers, snowflake, world::World};

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// The bot with its token.
    Bot,
    /// Any client that knows the interaction's token, which is in the path.
    Interaction,
    /// Anyone.
    Open,
}

/// One endpoint.
pub(super) struct Endpoint {
    method: &'static str,
    template: &'static str,
    pub(super) access: Access,
    pub(super) run: fn(&mut World, &Call) -> Outcome,
}

impl Endpoint {
    /// Its method and template, which names it in the statistics.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

const fn bot(
    method: &'static str,
    template: &'static str,
    run: fn(&mut World, &Call) -> Outcome,
) -> Endpoint {
    Endpoint { method, template, access: Access::Bot, run }
}

const fn interaction(
    method: &'static str,
    template: &'static str,
    run: fn(&mut World, &Call) -> Outcome,
) -> Endpoint {
    Endpoint { method, template, access: Access::Interaction, run }
}

#[rustfmt::skip]
static ENDPOINTS: &[Endpoint] = &[
    bot("POST", "/channels/{channel_id}/messages", messages::create),
    bot("GET", "/channels/{channel_id}/messages", messages::list),
    bot("GET", "/channels/{channel_id}/messages/{message_id}", messages::get),
    bot("PATCH", "/channels/{channel_id}/messages/{message_id}", messages::edit),
    bot("DELETE", "/channels/{channel_id}/messages/{message_id}", messages::delete),
    bot("GET", "/channels/{channel_id}", channels::get),
    bot("POST", "/channels/{channel_id}/typing", channels::typing),
    bot("GET", "/channels/{channel_id}/thread-members/{user_id}", channels::thread_member),
    bot("GET", "/guilds/{guild_id}", guilds::get),
    bot("GET", "/guilds/{guild_id}/channels", guilds::channels),
    bot("GET", "/guilds/{guild_id}/threads/active", guilds::threads),
    bot("GET", "/guilds/{guild_id}/roles", guilds::roles),
    bot("GET", "/guilds/{guild_id}/members/{user_id}", guilds::member),
    bot("GET", "/users/@me", guilds::current_user),
    bot("GET", "/users/@me/guilds", guilds::current_user_guilds),
    bot("POST", "/users/@me/channels", channels::open_private),
    bot("GET", "/users/{user_id}", guilds::user),
    Endpoint { method: "GET", template: "/gateway", access: Access::Open, run: applications::gateway },
    bot("GET", "/gateway/bot", applications::gateway_bot),
    bot("GET", "/applications/@me", applications::current),
    bot("GET", "/oauth2/applications/@me", applications::current),
    bot("GET", "/applications/{application_id}/commands", commands::list),
    bot("PUT", "/applications/{application_id}/commands", commands::replace),
    bot("POST", "/applications/{application_id}/commands", commands::create),
    bot("GET", "/applications/{application_id}/commands/{command_id}", commands::get),
    bot("PATCH", "/applications/{application_id}/commands/{command_id}", commands::edit),
    bot("DELETE", "/applications/{application_id}/commands/{command_id}", commands::delete),
    bot("GET", "/applications/{application_id}/guilds/{guild_id}/commands", commands::list),
    bot("PUT", "/applications/{application_id}/guilds/{guild_id}/commands", commands::replace),
    bot("POST", "/applications/{application_id}/guilds/{guild_id}/commands", commands::create),
    interaction("POST", "/interactions/{interaction_id}/{token}/callback", answers::callback),
    interaction("POST", "/webhooks/{application_id}/{token}", answers::follow_up),
    interaction("GET", "/webhooks/{application_id}/{token}/messages/@original", answers::get),
    interaction("PATCH", "/webhooks/{application_id}/{token}/messages/@original", answers::edit),
    interaction("DELETE", "/webhooks/{application_id}/{token}/messages/@original", answers::delete),
    interaction("GET", "/webhooks/{application_id}/{token}/messages/{message_id}", answers::get),
    interaction("PATCH", "/webhooks/{application_id}/{token}/messages/{message_id}", answers::edit),
    interaction("DELETE", "/webhooks/{application_id}/{token}/messages/{message_id}", answers::delete),
];

/// The result of looking a path up.
pub(super) enum Match {
    Found {
        endpoint: &'static Endpoint,
        ids: Vec<(&'static str, u64)>,
        token: String,
    },
    /// The endpoint is known, but this part of its path is not an id.
    BadId {
        name: &'static str,
        text: String,
    },
    Unknown,
}

/// Finds the endpoint of a path below `/api/v10`.
pub(super) fn find(method: &str, path: &str) -> Match {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    ENDPOINTS
        .iter()
        .filter(|endpoint| endpoint.method == method)
        .find_map(|endpoint| fit(endpoint, &parts))
        .unwrap_or(Match::Unknown)
}

fn fit(endpoint: &'static Endpoint, parts: &[&str]) -> Option<Match> {
    let template: Vec<&'static str> = endpoint.template.trim_start_matches('/').split('/').collect();
    let same = |(want, have): (&&str, &&str)| want.starts_with('{') && !have.is_empty() || want == have;
    if template.len() != parts.len() || !template.iter().zip(parts).all(same) {
        return None;
    }
    let (mut ids, mut token) = (Vec::new(), String::new());
    for (want, have) in template.into_iter().zip(parts) {
        let Some(name) = want.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else { continue };
        if name == "token" {
            token = (*have).to_owned();
        } else if let Some(id) = snowflake::parse(have) {
            ids.push((name, id));
        } else {
            return Some(Match::BadId { name, text: (*have).to_owned() });
        }
    }
    Some(Match::Found { endpoint, ids, token })
}
