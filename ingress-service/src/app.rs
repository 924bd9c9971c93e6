//! The whole service: what it binds, what runs beside it, and how it stops.

use std::{net::SocketAddr, time::Duration};

use actix_web::{App, HttpServer, dev::Server, http::KeepAlive, web};
use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusHandle;
use shared::{
    admin::{self, Readiness},
    bus,
    shutdown::CancellationToken,
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    backstop::Backstop,
    certificate::Certificates,
    payload,
    queue::Queue,
    report::Reporter,
    settings::Settings,
    sources::Sources,
    tls,
    webhook::{Webhooks, receive},
};

/// The longest TLS handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(3);
/// The longest wait for a request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection is kept for the rest of a body that was not read, so
/// that the sender gets to read its answer.
const LINGER: Duration = Duration::from_secs(2);
/// Connections of one worker, those in their handshake among them; further ones
/// wait to be accepted. Each may hold a body in memory.
const MAX_CONNECTIONS: usize = 512;
/// How long requests still come after readiness was seen to fail: until all who
/// balance the load have heard of it.
const NOTICE: Duration = Duration::from_secs(3);
/// The name under which readiness reports that the process ends.
const CHECK: &str = "running";

/// The service, bound to its ports.
pub struct Application {
    server: Server,
    admin: Server,
    address: SocketAddr,
    admin_address: SocketAddr,
    certificates: Certificates,
    webhooks: web::Data<Webhooks>,
    readiness: Readiness,
    grace: Duration,
}

impl Application {
    /// Binds the listeners. NATS may be away: webhooks are answered 503 until
    /// it is there.
    ///
    /// # Errors
    /// `SettingsError` for settings that cannot be used, and when a port is taken.
    pub async fn build(settings: Settings, metrics: PrometheusHandle) -> anyhow::Result<Self> {
        payload::prepare();
        let certificates = Certificates::start(&settings)?;
        let readiness = Readiness::default();
        readiness.set_ready(CHECK);
        let (admin_address, admin) = admin::serve(settings.admin_addr, readiness.clone(), metrics)?;
        let nats = bus::connect("ingress-service", &settings.common.nats, &readiness).await?;
        let grace = settings.common.shutdown_grace();
        let webhooks = web::Data::new(Webhooks {
            sources: Sources::new(
                settings.common.runtime_mode,
                &settings.allowed_sources,
                settings.trusted_proxies.clone(),
            ),
            max_body: settings.max_body_bytes,
            verdict_timeout: settings.verdict_timeout(),
            queue: Queue::new(nats, settings.common.nats.clone(), readiness.clone()),
            backstop: Backstop::default(),
            reporter: Reporter::default(),
        });
        let (address, server) = serve(settings.ingress_addr, webhooks.clone(), &certificates, grace)?;
        tracing::info!(%address, admin = %admin_address, mode = settings.common.runtime_mode.name(), "listening");
        Ok(Self { server, admin, address, admin_address, certificates, webhooks, readiness, grace })
    }

    /// The port of the webhooks.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// The port of `/healthz`, `/readyz` and `/metrics`.
    pub const fn admin_port(&self) -> u16 {
        self.admin_address.port()
    }

    /// Serves until `stop` is cancelled, then finishes what is in flight.
    ///
    /// # Errors
    /// When a listener ends by itself.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let admin = self.admin.handle();
        let _admin = AbortOnDropHandle::new(tokio::spawn(self.admin));
        let _certificates = AbortOnDropHandle::new(tokio::spawn(self.certificates.keep_fresh()));
        let webhooks = self.webhooks;
        let _streams = AbortOnDropHandle::new(tokio::spawn(async move { webhooks.queue.prepare().await }));
        let handle = self.server.handle();
        let mut server = tokio::spawn(self.server);
        tokio::select! {
            ended = &mut server => {
                ended.context("listener")?.context("listener")?;
                anyhow::bail!("the listener ended by itself");
            }
            () = stop.cancelled() => {}
        }
        // Whoever was told that it is not ready sends nothing.
        if self.readiness.report().0 {
            self.readiness.set_unready(CHECK, "stopping");
            self.readiness.until_seen_failing(self.grace / 2).await;
            tokio::time::sleep(notice(self.grace)).await;
        }
        // Closes the listener and waits for what is in flight.
        handle.stop(true).await;
        tracing::info!("stopped");
        server.await.context("listener")?.context("Failed to end the listener")?;
        admin.stop(false).await;
        Ok(())
    }
}

fn serve(
    address: SocketAddr,
    webhooks: web::Data<Webhooks>,
    certificates: &Certificates,
    grace: Duration,
) -> anyhow::Result<(SocketAddr, Server)> {
    let acceptor = tls::acceptor(certificates.current()).context("Failed to set up TLS")?;
    let server =
        HttpServer::new(move || App::new().app_data(webhooks.clone()).default_service(web::to(receive)))
            .tls_handshake_timeout(HANDSHAKE_WITHIN)
            .client_request_timeout(HEAD_WITHIN)
            .client_disconnect_timeout(LINGER)
            .tcp_nodelay(true)
            // Sentry connects anew each time, and actix has no time limit for the head
            // of a connection's second request.
            .keep_alive(KeepAlive::Disabled)
            .max_connections(MAX_CONNECTIONS)
            .max_connection_rate(MAX_CONNECTIONS)
            .shutdown_timeout((grace / 2).saturating_sub(notice(grace)).as_secs().max(1))
            .disable_signals()
            .bind_openssl(address, acceptor)
            .with_context(|| format!("INGRESS_ADDR: cannot listen on {address}"))?;
    let address = server.addrs().first().copied().unwrap_or(address);
    Ok((address, server.run()))
}

fn notice(grace: Duration) -> Duration {
    NOTICE.min(grace / 4)
}
