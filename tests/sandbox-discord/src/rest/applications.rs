//! The bot's application, and where its gateway is.

use serde_json::{Value, json};

use super::{Call, Outcome, Reply};
use crate::world::World;

/// Application flags that say MESSAGE_CONTENT is granted (to a bot in fewer than 100 guilds).
const MESSAGE_CONTENT_LIMITED: u64 = 1 << 19;

pub(super) fn gateway(_world: &mut World, call: &Call) -> Outcome {
    Reply::ok(json!({ "url": gateway_url(&call.host) }))
}

pub(super) fn gateway_bot(world: &mut World, call: &Call) -> Outcome {
    let (total, day) = (world.config.identifies_a_day, world.config.clocks.identify_day);
    let (used, reset_after) = world.sessions.day.used(day);
    Reply::ok(json!({
        "url": gateway_url(&call.host),
        "shards": world.config.shards,
        "session_start_limit": {
            "total": total,
            "remaining": total.saturating_sub(used),
            "reset_after": reset_after.as_millis(),
            "max_concurrency": world.config.max_concurrency,
        },
    }))
}

pub(super) fn current(world: &mut World, _call: &Call) -> Outcome {
    Reply::ok(json!({
        "id": world.bot.to_string(),
        "name": world.config.bot.name,
        "icon": null,
        "description": "",
        "summary": "",
        "rpc_origins": [],
        "bot_public": true,
        "bot_require_code_grant": false,
        "verify_key": "0".repeat(64),
        "owner": null,
        "team": null,
        "flags": world.application_flags(),
        "bot": world.user_json(world.bot),
        "approximate_guild_count": world.guilds.len(),
        "redirect_uris": [],
        "interactions_endpoint_url": null,
        "role_connections_verification_url": null,
        "integration_types_config": { "0": {} },
    }))
}

/// The gateway is at the same host and port as the REST API.
pub(crate) fn gateway_url(host: &str) -> String {
    format!("ws://{host}")
}

impl World {
    pub(crate) fn application_flags(&self) -> Value {
        let flags = if self.config.message_content { MESSAGE_CONTENT_LIMITED } else { 0 };
        flags.into()
    }
}
