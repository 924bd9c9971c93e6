//! Every reply and every refusal of the commands, as Discord receives them: the
//! sandbox Discord, a real nats-server, and the store in it.

mod buttons;
mod channel;
mod claims;
mod failures;
mod gateway;
mod help;
mod load;
mod mutes;
mod permission;
mod places;
mod project;
mod registration;
mod rule_refusals;
mod rules;
mod secure;
mod slash;
mod stage;
mod status;
mod trust;
