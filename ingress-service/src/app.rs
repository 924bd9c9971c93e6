//! The whole service: what it binds, what runs beside it, and how it stops.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{dev::Server, web};
use anyhow::Context as _;
use metrics_exporter_prometheus::PrometheusHandle;
use shared::{
    admin::{self, Readiness},
    bus, clock,
    shutdown::CancellationToken,
    trust::SecretsKeys,
};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    connection::{certificate::Certificates, limits::ConnectionLimits, open_files, tls},
    deadlines::shutdown_notice,
    listener::{self, Listening},
    openapi, payload,
    queue::AlertQueue,
    refusal_notes::RefusalNotes,
    request::{body_memory::BodyMemory, services::RequestServices},
    settings::IngressSettings,
    sources::Sources,
    trust::TrustCopy,
    verdict::VerdictClient,
};

/// The readiness check that fails once the process ends.
const CHECK: &str = "running";

/// The service, bound to its ports.
pub struct Application {
    server: Server,
    admin: Server,
    address: SocketAddr,
    admin_address: SocketAddr,
    certificates: Certificates,
    services: web::Data<RequestServices>,
    readiness: Readiness,
    grace: Duration,
}

impl Application {
    /// Binds the listeners. NATS may be away. Webhooks are answered 503 until
    /// it is back.
    ///
    /// # Errors
    /// `SettingsError` for a setting that cannot be used; another error for a
    /// port that is taken.
    pub async fn build(settings: IngressSettings, metrics: PrometheusHandle) -> anyhow::Result<Self> {
        let secrets_keys = SecretsKeys::from_settings(&settings.common)?;
        bus::check(&settings.common.nats)?;
        clock::start();
        payload::prepare();
        let certificates = Certificates::start(&settings)?;
        let readiness = Readiness::default();
        readiness.set_ready(CHECK);
        let (admin_address, admin) =
            admin::serve(settings.admin_addr, readiness.clone(), metrics, Some(openapi::DOCUMENT))?;
        let (nats, lacks) = bus::connect("ingress-service", &settings.common.nats, &readiness).await?;
        let grace = settings.common.shutdown_grace();
        let sources = Arc::new(Sources::new(
            settings.common.runtime_mode,
            &settings.allowed_sources,
            settings.trusted_proxies.clone(),
        ));
        let accepted = open_files::accepted();
        let timeouts = settings.answer_timeouts;
        let keep_alive = Duration::from_secs(settings.keep_alive_secs);
        let services = web::Data::new(RequestServices {
            connections: ConnectionLimits::new(Arc::clone(&sources), accepted, !keep_alive.is_zero()),
            body_memory: BodyMemory::default(),
            sources,
            max_body: settings.max_body_bytes,
            timeouts,
            trust: TrustCopy::new(secrets_keys, readiness.clone()),
            verdicts: VerdictClient::new(nats.clone(), settings.verdict_timeout(), timeouts.store).await?,
            queue: AlertQueue::new((nats, lacks), settings.common.nats.clone(), readiness.clone()),
            log: Arc::default(),
            refusal_notes: RefusalNotes::default(),
        });
        let acceptor = tls::acceptor(certificates.current()).context("cannot set up TLS")?.build();
        let stop_within = (grace / 2).saturating_sub(shutdown_notice(grace)).as_secs().max(1);
        let listening =
            Listening { address: settings.ingress_addr, acceptor, accepted, keep_alive, stop_within };
        let (address, server) = listener::bind(listening, services.clone())?;
        tracing::info!(%address, admin = %admin_address, mode = settings.common.runtime_mode.name(), "listening");
        Ok(Self { server, admin, address, admin_address, certificates, services, readiness, grace })
    }

    /// The port of the webhooks.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// The port of `/healthz`, `/readyz`, `/metrics` and `/openapi.json`.
    pub const fn admin_port(&self) -> u16 {
        self.admin_address.port()
    }

    /// Serves until `stop` is cancelled, then finishes the requests in flight.
    ///
    /// # Errors
    /// When a listener ends by itself.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let admin = self.admin.handle();
        let _admin = AbortOnDropHandle::new(tokio::spawn(self.admin));
        let _certificates = AbortOnDropHandle::new(tokio::spawn(self.certificates.keep_fresh()));
        let services = self.services.clone();
        let _trust = AbortOnDropHandle::new(tokio::spawn(async move {
            services.trust.follow(services.queue.nats()).await;
        }));
        let services = self.services.clone();
        let following = async move { services.sources.follow(services.queue.nats()).await };
        let _sources = AbortOnDropHandle::new(tokio::spawn(following));
        let services = self.services.clone();
        let _seats =
            AbortOnDropHandle::new(tokio::spawn(async move { services.connections.free_idle().await }));
        let services = self.services.clone();
        let _reports = AbortOnDropHandle::new(tokio::spawn(async move { services.log.sum_up().await }));
        let services = self.services.clone();
        let _streams =
            AbortOnDropHandle::new(tokio::spawn(async move { services.queue.streams().keep().await }));
        let services = self.services.clone();
        let noting = async move { services.refusal_notes.write_down(services.queue.nats()).await };
        let _noting = AbortOnDropHandle::new(tokio::spawn(noting));
        let handle = self.server.handle();
        let mut server = tokio::spawn(self.server);
        tokio::select! {
            ended = &mut server => {
                ended.context("listener")?.context("listener")?;
                anyhow::bail!("the listener ended by itself");
            }
            () = stop.cancelled() => {}
        }
        // A process that was never ready gets no requests, so nobody needs
        // notice.
        let sent_requests = self.readiness.takes_traffic();
        self.readiness.set_unready(CHECK, "stopping");
        self.readiness.drain();
        self.services.connections.begin_closing();
        if sent_requests {
            self.readiness.until_seen_failing(self.grace / 2).await;
            tokio::time::sleep(shutdown_notice(self.grace)).await;
        }
        // This closes the listener and waits for requests in flight.
        self.services.connections.close_kept();
        handle.stop(true).await;
        tracing::info!("stopped");
        server.await.context("listener")?.context("cannot end the listener")?;
        self.services.refusal_notes.write_last(self.services.queue.nats()).await;
        admin.stop(false).await;
        Ok(())
    }
}
