//! Many pods of discord-service that come, go, die and freeze under load.
//!
//! `make test` runs the scenes with fast leases; `SOAK=1` with the default
//! `LEASE_TTL_SECS`, more channels and longer. `SEED=…` repeats the churn.

mod churn;
mod commands;
mod deaths;
mod load;
mod owners;
mod scale;
mod scene;
mod times;
