//! A small receiver of Sentry's envelopes, in place of the operator's own
//! Sentry (<https://develop.sentry.dev/sdk/data-model/envelopes/>).

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, dev::ServerHandle, web};
use serde_json::Value;

/// Takes reports, and stops when it is dropped.
#[derive(Debug)]
pub struct SentryReceiver {
    address: std::net::SocketAddr,
    items: Arc<Mutex<Vec<Item>>>,
    server: ServerHandle,
}

/// One item of an envelope.
#[derive(Debug, Clone)]
pub struct Item {
    /// `event`, `transaction`, …
    pub kind: String,
    /// What it says.
    pub json: Value,
}

impl SentryReceiver {
    /// Starts one on a free port of loopback.
    pub fn start() -> Self {
        let items: Arc<Mutex<Vec<Item>>> = Arc::default();
        let received = items.clone();
        let server = HttpServer::new(move || {
            let received = received.clone();
            let take = move |body: web::Bytes| {
                received.lock().expect("no panic while held").extend(parse(&body));
                async { HttpResponse::Ok().json(serde_json::json!({})) }
            };
            App::new().app_data(web::PayloadConfig::new(16 << 20)).default_service(web::to(take))
        });
        let server =
            server.workers(1).disable_signals().bind("127.0.0.1:0").expect("loopback has a free port");
        let address = server.addrs()[0];
        let running = server.run();
        let server = running.handle();
        tokio::spawn(running);
        Self { address, items, server }
    }

    /// What `SENTRY_DSN` is set to.
    pub fn dsn(&self) -> String {
        format!("http://0123456789abcdef0123456789abcdef@{}/1", self.address)
    }

    /// All that was received of this kind.
    pub fn items(&self, kind: &str) -> Vec<Value> {
        let items = self.items.lock().expect("no panic while held");
        items.iter().filter(|item| item.kind == kind).map(|item| item.json.clone()).collect()
    }
}

impl Drop for SentryReceiver {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

/// An envelope is lines of JSON: its own header, then header and payload of each item.
fn parse(envelope: &[u8]) -> Vec<Item> {
    let mut lines = envelope.split(|byte| *byte == b'\n').skip(1);
    let mut items = Vec::new();
    while let (Some(header), Some(payload)) = (lines.next(), lines.next()) {
        let header: Value = serde_json::from_slice(header).expect("an item's header is JSON");
        let kind = header["type"].as_str().expect("an item has a type").to_owned();
        items.push(Item { kind, json: serde_json::from_slice(payload).unwrap_or_default() });
    }
    items
}
