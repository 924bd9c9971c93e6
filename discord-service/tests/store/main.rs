//! What the store promises, in both stores: a real nats-server and Google's own
//! Firestore emulator.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod away;
mod cache;
mod cluster;
mod keys;
mod open;
mod predecessor;
mod promises;
mod race;
mod relay;
mod rules;
mod trust;
mod world;

/// Makes a test of each function for each store.
macro_rules! in_both_stores {
    ($($behaviour:ident),* $(,)?) => {
        mod nats {
            $(#[tokio::test]
            async fn $behaviour() {
                super::$behaviour(crate::world::World::nats().await).await;
            })*
        }

        mod firestore {
            $(#[tokio::test]
            async fn $behaviour() {
                if let Some(world) = crate::world::World::firestore().await {
                    super::$behaviour(world).await;
                }
            })*
        }
    };
}
pub(crate) use in_both_stores;
