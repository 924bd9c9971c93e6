//! The gateway as a client without a library sees it.

mod budget;
mod changes;
mod events;
mod refusals;
mod sessions;

use futures::{SinkExt, StreamExt};
use harness::wait::SOON;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, protocol::CloseFrame},
};

use crate::client::World;

const GUILDS: u64 = 1;
const GUILD_MESSAGES: u64 = 1 << 9;
const MESSAGE_CONTENT: u64 = 1 << 15;

struct Gateway(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Gateway {
    async fn connect(world: &World, query: &str) -> Self {
        let url = format!("{}/{query}", world.sandbox.url().replace("http", "ws"));
        Self(connect_async(url).await.unwrap().0)
    }

    /// Connects and reads HELLO.
    async fn open(world: &World) -> Self {
        let mut gateway = Self::connect(world, "?v=10&encoding=json").await;
        let hello = gateway.payload().await;
        assert_eq!(hello["op"], 10);
        assert!(hello["d"]["heartbeat_interval"].as_u64().unwrap() > 0);
        gateway
    }

    /// Has a session, and reads up to the last GUILD_CREATE.
    async fn session(world: &World, intents: u64, shard: [u32; 2]) -> (Self, Value) {
        let mut gateway = Self::open(world).await;
        gateway.identify(json!({ "intents": intents, "shard": shard })).await;
        let ready = gateway.event("READY").await;
        let guilds = ready["d"]["guilds"].as_array().unwrap().len();
        for _ in 0..guilds {
            gateway.event("GUILD_CREATE").await;
        }
        (gateway, ready["d"].clone())
    }

    /// Connects and resumes the session of `ready` after the event `sequence`.
    async fn resume(world: &World, ready: &Value, sequence: &Value) -> Self {
        let mut gateway = Self::open(world).await;
        let data = json!({ "token": "sandbox-token", "session_id": ready["session_id"], "seq": sequence });
        gateway.send(json!({ "op": 6, "d": data })).await;
        gateway
    }

    async fn send(&mut self, payload: Value) {
        self.0.send(Message::Text(payload.to_string())).await.unwrap();
    }

    async fn identify(&mut self, changes: Value) {
        let mut data = json!({
            "token": "sandbox-token", "intents": GUILDS,
            "properties": { "os": "linux", "browser": "test", "device": "test" },
        });
        for (name, value) in changes.as_object().unwrap() {
            data[name] = value.clone();
        }
        self.send(json!({ "op": 2, "d": data })).await;
    }

    async fn next(&mut self) -> Message {
        tokio::time::timeout(SOON, self.0.next()).await.expect("the gateway says something").unwrap().unwrap()
    }

    async fn payload(&mut self) -> Value {
        match self.next().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected a payload, got {other:?}"),
        }
    }

    async fn event(&mut self, name: &str) -> Value {
        let payload = self.payload().await;
        assert_eq!(payload["t"], name, "{payload}");
        payload
    }

    async fn close_code(&mut self) -> u16 {
        match self.next().await {
            Message::Close(Some(CloseFrame { code, .. })) => code.into(),
            other => panic!("expected a close frame, got {other:?}"),
        }
    }
}
