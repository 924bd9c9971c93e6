//! What `ingress-service` and `discord-service` must agree on, and nothing
//! else. That is the alert, the names on the bus, the verdict, and how a
//! process starts, reports and stops.

pub mod admin;
pub mod alert;
pub mod bus;
pub mod clock;
pub mod healthcheck;
pub mod ids;
pub mod kv;
pub mod mode;
pub mod process;
pub mod refusal;
pub mod sentry_ip_ranges;
pub mod settings;
pub mod shutdown;
pub mod telemetry;
pub mod text;
pub mod trace;
pub mod trust;
pub mod verdict;
pub mod wire;

pub use alert::Alert;
pub use ids::{ChannelId, GuildId, RoleId, UserId};
pub use mode::RuntimeMode;
