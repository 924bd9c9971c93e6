//! What discord-service would mirror for the ingress.

use std::io::Write as _;

use async_nats::jetstream::{self, kv};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use clap::Parser as _;
use harness::nats::NatsServer;
use ingress_service::settings::IngressSettings;
use sha2::{Digest as _, Sha256};
use shared::{
    ChannelId,
    bus::{self, Role},
    trust::{ChannelTrust, ClientSecret, SecretKey, SecretsKeys, TokenKey, VERSION},
    verdict::Verdict,
    wire,
};
use tempfile::NamedTempFile;

use super::TestApp;

/// `SECRETS_KEY` in a file: keys that consist of these bytes.
#[derive(Debug)]
pub struct KeysFile(NamedTempFile);

impl KeysFile {
    pub fn of(bytes: &[u8]) -> Self {
        let mut file = NamedTempFile::new().expect("a file");
        let keys: Vec<_> = bytes.iter().map(|&byte| BASE64_STANDARD.encode([byte; 32])).collect();
        file.write_all(keys.join(",").as_bytes()).expect("written");
        Self(file)
    }

    pub fn path(&self) -> &str {
        self.0.path().to_str().expect("a plain path")
    }

    /// A secret sealed under the first of the keys.
    pub fn seal(&self, channel: u64, id: &str, secret: &str) -> SecretKey {
        let settings = settings(&["--secrets-key-file", self.path()]);
        let keys = SecretsKeys::from_settings(&settings.common).expect("readable").expect("given");
        let secret = ClientSecret::from(secret.as_bytes().to_vec());
        let sealed = keys.seal(ChannelId::new(channel), &secret).expect("sealed");
        SecretKey { id: id.into(), sealed }
    }
}

/// A record that the ingress of this build understands.
pub fn record(secured: bool, tokens: &[&str], secrets: Vec<SecretKey>) -> ChannelTrust {
    let token =
        |token: &&str| TokenKey { id: format!("of {token}"), sha256: hex::encode(Sha256::digest(token)) };
    ChannelTrust { v: VERSION, secured, secured_ms: 0, tokens: tokens.iter().map(token).collect(), secrets }
}

/// The bucket, made as the services make it.
pub async fn bucket(nats: &NatsServer) -> kv::Store {
    let js = jetstream::new(nats.client().await);
    bus::ensure(&js, &settings(&[]).common.nats, Role::Ingress).await.expect("made");
    js.get_key_value(wire::TRUST).await.expect("it is there")
}

/// Mirrors what the channel trusts.
pub async fn mirror(nats: &NatsServer, channel: u64, record: &ChannelTrust) {
    let record = serde_json::to_vec(record).expect("it serializes");
    bucket(nats).await.put(channel.to_string(), record.into()).await.expect("written");
}

/// An ingress in development mode that knows these channels, with every one
/// authorized.
pub async fn start(keys: &KeysFile, records: &[(u64, ChannelTrust)]) -> TestApp {
    start_alone(keys, records).await.decide(|_| Some(Verdict::Accepted)).await
}

/// The same without a discord-service.
pub async fn start_alone(keys: &KeysFile, records: &[(u64, ChannelTrust)]) -> TestApp {
    let nats = NatsServer::start().await;
    for (channel, record) in records {
        mirror(&nats, *channel, record).await;
    }
    let arguments = ["--runtime-mode", "development", "--secrets-key-file", keys.path()];
    let app = TestApp::launch(nats, &arguments).await;
    app.wait_until_ready().await;
    app
}

/// Now, in seconds since 1970, as Sentry says it.
pub fn now() -> String {
    chrono::Utc::now().timestamp().to_string()
}

pub fn settings(arguments: &[&str]) -> IngressSettings {
    IngressSettings::try_parse_from(std::iter::once(&"ingress-service").chain(arguments)).expect("right")
}
