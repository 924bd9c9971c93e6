//! Secured channels over the real binaries, as their admins and Sentry use them:
//! two pods of each service, commands in Discord, webhooks over verified TLS, and
//! signatures by Python.

mod scene;
mod signatures;
mod tokens;
mod waiting;
