//! The bot's end of the webhooks: a server with a certificate that nobody else trusts.

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use harness::{
    authority::Authority,
    wait::{SOON, wait_for},
};
use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod};
use sandbox_sentry::{Target, Trust};
use serde_json::Value;

/// One webhook as it came.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    headers: Vec<(String, String)>,
    pub(crate) raw: Vec<u8>,
    pub(crate) body: Value,
}

impl Webhook {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Such as `issue.resolved`.
    pub(crate) fn kind(&self) -> String {
        format!("{}.{}", self.header("sentry-hook-resource"), self.body["action"].as_str().unwrap())
    }
}

/// Takes webhooks, and stops when it is dropped.
pub(crate) struct Receiver {
    url: String,
    authority: Authority,
    received: Arc<Mutex<Vec<Webhook>>>,
    server: ServerHandle,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let authority = Authority::new();
        let files = authority.server(directory.path());
        let mut tls = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
        tls.set_private_key_file(files.key, SslFiletype::PEM).unwrap();
        tls.set_certificate_chain_file(files.certificate).unwrap();
        let received: Arc<Mutex<Vec<Webhook>>> = Arc::default();
        let list = received.clone();
        let server = HttpServer::new(move || {
            let list = list.clone();
            let take = move |request: HttpRequest, raw: web::Bytes| {
                list.lock().unwrap().push(read(&request, &raw));
                async { HttpResponse::Ok().finish() }
            };
            App::new().default_service(web::to(take))
        });
        let server = server.workers(1).disable_signals().bind_openssl("127.0.0.1:0", tls).unwrap();
        let url = format!("https://{}/sentry-bot/channel?id=1", server.addrs()[0]);
        let running = server.run();
        let server = running.handle();
        tokio::spawn(running);
        Self { url, authority, received, server }
    }

    /// What the sandbox needs to reach it.
    pub(crate) fn target(&self) -> Target {
        Target::new(&self.url, Trust::Authorities(self.authority.pem())).unwrap()
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The first webhook, when it is there.
    pub(crate) async fn next(&self) -> Webhook {
        wait_for("a webhook arrives", SOON, || async { self.received().into_iter().next() }).await
    }

    /// The same, with the system's authorities only.
    pub(crate) fn distrusted(&self) -> Target {
        Target::new(&self.url, Trust::System).unwrap()
    }

    pub(crate) fn received(&self) -> Vec<Webhook> {
        self.received.lock().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

fn read(request: &HttpRequest, raw: &[u8]) -> Webhook {
    let header =
        |(name, value): (&actix_web::http::header::HeaderName, &actix_web::http::header::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
    let headers = request.headers().iter().map(header).collect();
    Webhook { headers, raw: raw.to_vec(), body: serde_json::from_slice(raw).unwrap() }
}
