//! The servers of one test, and stores that use them.

use std::{sync::Arc, time::Duration};

use clap::Parser as _;
use discord_service::{
    settings::Settings,
    store::{CachedStore, FirestoreStore, NatsStore, ProjectSlug, Store},
};
use harness::{
    firestore::{FirestoreEmulator, FirestoreProject},
    nats::NatsServer,
};
use shared::{ChannelId, GuildId, UserId};

pub(crate) const GUILD: GuildId = GuildId::new(800_000_000_000_000_001);
pub(crate) const OTHER_GUILD: GuildId = GuildId::new(800_000_000_000_000_002);
pub(crate) const CHANNEL: ChannelId = ChannelId::new(900_000_000_000_000_001);
pub(crate) const OTHER_CHANNEL: ChannelId = ChannelId::new(900_000_000_000_000_002);
pub(crate) const ALICE: UserId = UserId::new(700_000_000_000_000_001);
pub(crate) const BOB: UserId = UserId::new(700_000_000_000_000_002);

pub(crate) struct World {
    pub(crate) nats: NatsServer,
    arguments: Vec<String>,
}

impl World {
    pub(crate) async fn nats() -> Self {
        let nats = NatsServer::start().await;
        let arguments = vec!["--store=nats".to_owned(), format!("--nats-url={}", nats.url())];
        Self { nats, arguments }
    }

    /// With an empty database; none where the emulator is not installed.
    pub(crate) async fn firestore() -> Option<Self> {
        let emulator = FirestoreEmulator::shared().await?;
        Some(Self::firestore_at(&emulator.host(), &emulator.project()).await)
    }

    pub(crate) async fn firestore_at(host: &str, project: &FirestoreProject) -> Self {
        let nats = NatsServer::start().await;
        let arguments = vec![
            "--store=firestore".to_owned(),
            format!("--nats-url={}", nats.url()),
            format!("--google-cloud-project={}", project.name()),
            format!("--firestore-emulator-host={host}"),
        ];
        Self { nats, arguments }
    }

    /// As discord-service is started for this world.
    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    pub(crate) fn settings(&self) -> Settings {
        settings(&self.arguments)
    }

    /// A store as another process would open it, without a cache.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        store(&self.settings()).await
    }

    /// The same with a cache, and a client of its own.
    pub(crate) async fn cached(&self, time_to_live: Duration) -> CachedStore {
        let client = client(&self.settings()).await;
        // So that NATS has seen the subscription before anything changes.
        let cached = CachedStore::new(self.store().await, client.clone(), time_to_live).await.unwrap();
        harness::wait::wait_for("NATS answers", harness::wait::SOON, || async {
            client.request("$JS.API.INFO", "".into()).await.ok()
        })
        .await;
        cached
    }
}

pub(crate) fn settings(arguments: &[String]) -> Settings {
    let program = "discord-service".to_owned();
    Settings::parse_from(std::iter::once(&program).chain(arguments))
}

pub(crate) async fn store(settings: &Settings) -> Arc<dyn Store> {
    if settings.uses_firestore() {
        Arc::new(FirestoreStore::new(settings))
    } else {
        Arc::new(NatsStore::new(client(settings).await, settings.common.nats.clone()))
    }
}

/// A client as the service makes it; connected, if NATS is there.
pub(crate) async fn client(settings: &Settings) -> async_nats::Client {
    let (client, _) = shared::bus::connect("test", &settings.common.nats, &Default::default()).await.unwrap();
    let _ = tokio::time::timeout(Duration::from_millis(500), async {
        while client.connection_state() != async_nats::connection::State::Connected {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
    client
}

pub(crate) fn slug(text: &str) -> ProjectSlug {
    text.parse().expect("a slug")
}
