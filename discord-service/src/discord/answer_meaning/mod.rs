//! What an answer of Discord means: the one table, for every request.
//!
//! Only answers that Discord's application is known to give say something about a
//! channel, a message or an interaction. Its edge, a firewall and a proxy answer
//! 403 and 404 too: such an answer passes, and nothing may be ended because of it.
//! <https://docs.discord.com/developers/topics/opcodes-and-status-codes#json>

use reqwest::Method;

use super::{codes, error::DiscordRefusal, route::Route};

/// What was asked, as far as the meaning of an answer depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// To create a message in a channel.
    Post,
    /// To change a message of a channel.
    Edit,
    /// To show something: a channel, a guild, a member, a user.
    LookUp,
    /// To take or to change the answer to an interaction, whose token stands in
    /// for the bot's.
    Interaction,
    /// To write anything else.
    Write,
}

impl Asked {
    pub(super) fn by(route: &Route) -> Self {
        match (route.method(), route.template()) {
            _ if route.has_own_token() => Self::Interaction,
            (&Method::POST, "/channels/{id}/messages") => Self::Post,
            (&Method::PATCH, template) if template.starts_with("/channels/{id}/messages/") => Self::Edit,
            (&Method::GET, _) => Self::LookUp,
            _ => Self::Write,
        }
    }
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It was done.
    Done,
    /// It was not done, and may be asked again when the rate limits let it.
    Limited,
    /// Asking the same again is answered the same.
    Refused(DiscordRefusal),
    /// Perhaps the bot's token is not valid: Discord must be asked.
    PerhapsBadToken,
    /// It says nothing about what was asked.
    Passing {
        /// It certainly was not done.
        answered_4xx: bool,
    },
}

impl Meaning {
    /// The table. `code`: the JSON error code in the body, where there is one.
    pub(super) fn of(asked: Asked, status: u16, content_type: Option<&str>, code: Option<u32>) -> Self {
        // A page or a line of text comes from something in front of Discord.
        let code = code.filter(|_| content_type.is_none_or(is_json));
        let passing = Self::Passing { answered_4xx: matches!(status, 400..=499) && status != 408 };
        match (status, code) {
            (200..=299, _) => Self::Done,
            (429, _) => Self::Limited,
            (400..=499, Some(code)) if is_passing(code) => passing,
            // 408 is about the connection.
            (400..=407 | 409..=499, code) => {
                if let Some(refusal) = refusal(asked, status, code) {
                    Self::Refused(refusal)
                } else if asked != Asked::Interaction && is_about_token(status, code) {
                    Self::PerhapsBadToken
                } else {
                    passing
                }
            }
            _ => passing,
        }
    }
}

fn is_json(content_type: &str) -> bool {
    content_type.to_ascii_lowercase().contains("json")
}

/// Codes that are about Discord's own state, whatever the status.
const fn is_passing(code: u32) -> bool {
    matches!(
        code,
        codes::SENDING_DISABLED
            | codes::FEATURE_DISABLED
            | codes::RESOURCE_LIMITED
            | codes::EDGE_ERROR
            | codes::OVERLOADED
    )
}

const fn is_about_token(status: u16, code: Option<u32>) -> bool {
    matches!((status, code), (401, Some(0)) | (_, Some(codes::UNAUTHORIZED)))
}

const fn refusal(asked: Asked, status: u16, code: Option<u32>) -> Option<DiscordRefusal> {
    match asked {
        Asked::Post => refused_post(status, code),
        Asked::Edit => refused_edit(status, code),
        Asked::LookUp => refused_look_up(status, code),
        Asked::Interaction => refused_interaction(status, code),
        Asked::Write => refused_write(status, code),
    }
}

const fn refused_post(status: u16, code: Option<u32>) -> Option<DiscordRefusal> {
    match code {
        // A repeated nonce, of a message that was deleted since.
        Some(codes::UNKNOWN_MESSAGE) => Some(DiscordRefusal::AlreadyPosted),
        Some(codes::NO_MESSAGES_HERE | codes::LOCKED_THREAD) => Some(DiscordRefusal::Channel),
        _ => refused_write(status, code),
    }
}

const fn refused_edit(status: u16, code: Option<u32>) -> Option<DiscordRefusal> {
    match (status, code) {
        (_, Some(codes::UNKNOWN_MESSAGE | codes::NOT_OUR_MESSAGE | codes::ARCHIVED_THREAD)) => {
            Some(DiscordRefusal::MessageGone)
        }
        (_, Some(codes::LOCKED_THREAD)) => Some(DiscordRefusal::Channel),
        (_, code) if is_out_of_reach(code) => Some(DiscordRefusal::Channel),
        // About a token, whatever the status.
        (_, Some(codes::UNAUTHORIZED)) => None,
        (404, _) => Some(DiscordRefusal::MessageGone),
        _ => refused_write(status, code),
    }
}

const fn refused_look_up(status: u16, code: Option<u32>) -> Option<DiscordRefusal> {
    match (status, code) {
        (_, code) if is_out_of_reach(code) => Some(DiscordRefusal::Channel),
        (404, Some(codes::UNKNOWN_MEMBER | codes::UNKNOWN_USER)) => Some(DiscordRefusal::Unknown),
        // Invalid form body: an id that no snowflake can have.
        (400, Some(codes::INVALID_FORM_BODY)) => Some(DiscordRefusal::Unknown),
        _ => None,
    }
}

const fn refused_interaction(status: u16, code: Option<u32>) -> Option<DiscordRefusal> {
    match (status, code) {
        (401, Some(_))
        | (
            _,
            Some(
                codes::UNKNOWN_WEBHOOK
                | codes::UNKNOWN_INTERACTION
                | codes::ALREADY_ACKNOWLEDGED
                | codes::INVALID_WEBHOOK_TOKEN,
            ),
        ) => Some(DiscordRefusal::InteractionOver),
        (_, Some(codes::UNKNOWN_MESSAGE)) => Some(DiscordRefusal::MessageGone),
        _ => refused_message(status, code),
    }
}

const fn refused_write(status: u16, code: Option<u32>) -> Option<DiscordRefusal> {
    if is_out_of_reach(code) {
        return Some(DiscordRefusal::Channel);
    }
    refused_message(status, code)
}

/// What was sent cannot be taken.
const fn refused_message(status: u16, code: Option<u32>) -> Option<DiscordRefusal> {
    match (status, code) {
        (
            _,
            Some(
                codes::EMPTY_MESSAGE
                | codes::INVALID_FORM_BODY
                | codes::BLOCKED_BY_AUTOMOD
                | codes::HARMFUL_LINK,
            ),
        ) => Some(DiscordRefusal::Message),
        (_, None | Some(0 | codes::UNAUTHORIZED)) => None,
        (400, Some(_)) => Some(DiscordRefusal::Message),
        _ => None,
    }
}

/// The channel, or its guild, is gone or closed to the bot.
const fn is_out_of_reach(code: Option<u32>) -> bool {
    matches!(
        code,
        Some(
            codes::UNKNOWN_CHANNEL
                | codes::UNKNOWN_GUILD
                | codes::MISSING_ACCESS
                | codes::MISSING_PERMISSIONS
        )
    )
}

#[cfg(test)]
mod tests;
