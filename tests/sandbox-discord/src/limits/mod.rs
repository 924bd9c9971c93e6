//! Every limit that Discord sets on what a bot sends. Sources: Discord's
//! reference, "Message", "Embed Limits", "Component Reference", "Application
//! Commands".

pub(crate) mod commands;
pub(crate) mod components;
pub(crate) mod embeds;
pub(crate) mod links;
pub(crate) mod mentions;
pub(crate) mod message;
pub(crate) mod modals;
pub(crate) mod values;
