//! What Discord says of a guild, its channels and its members, and what follows
//! for permissions. Commands and delivery ask here.

mod api_objects;
mod bot_access;
mod channel;
mod facts;
mod lookups;
mod mentioned;
pub(crate) mod permissions;

pub(crate) use self::{
    bot_access::BotAccess,
    channel::{Channel, ChannelArgument, Kind, Missing},
    facts::{Facts, FactsError},
    lookups::Unanswered,
    mentioned::Mentioned,
};
