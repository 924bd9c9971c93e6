//! Secured channels with the real binaries, as admins and Sentry use them.
//! There are two pods of each service, commands in Discord, webhooks over
//! verified TLS, and signatures by Python.

mod scene;
mod signatures;
mod tokens;
mod waiting;
