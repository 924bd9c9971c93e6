//! Every reply and every refusal of the commands, as Discord receives them: the
//! sandbox Discord, a real nats-server, and the store in it.

mod channel;
mod failures;
mod gateway;
mod help;
mod load;
mod permission;
mod project;
mod registration;
mod slash;
mod stage;
mod status;
mod trust;
