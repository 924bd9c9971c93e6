//! The listener of the webhooks: TCP, a seat, TLS, HTTP/1.1.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_http::HttpService;
use actix_server::Server;
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_tls::accept::openssl::{Acceptor, TlsStream};
use actix_web::{App, dev::AppConfig, http::KeepAlive, rt::net::TcpStream, web};
use anyhow::Context as _;
use openssl::ssl::SslAcceptor;
use tokio::net::TcpSocket;

use crate::{
    connection::{http_connection::HttpConnection, seated_stream::SeatedStream},
    deadlines::{HANDSHAKE_WITHIN, HEAD_WITHIN, LINGER},
    request::{handler::receive, services::RequestServices},
};

/// Connections that wait in the kernel. `net.core.somaxconn` may allow fewer.
const BACKLOG: u32 = 4_096;

/// How the listener behaves.
pub(crate) struct Listening {
    /// The address to listen on.
    pub(crate) address: SocketAddr,
    pub(crate) acceptor: SslAcceptor,
    /// The most connections to accept, waiting ones included. More wait in the
    /// kernel.
    pub(crate) accepted: usize,
    /// How long to keep an idle connection. Zero: not at all.
    pub(crate) keep_alive: Duration,
    /// How long requests in flight may take after a stop, in seconds.
    pub(crate) stop_within: u64,
}

/// Binds the listener. The returned server runs once it is polled or spawned.
///
/// # Errors
/// When the address cannot be bound.
pub(crate) fn bind(
    listening: Listening,
    services: web::Data<RequestServices>,
) -> anyhow::Result<(SocketAddr, Server)> {
    let Listening { address, acceptor, accepted, keep_alive, stop_within } = listening;
    let listener = listen(address).with_context(|| format!("INGRESS_ADDR: cannot listen on {address}"))?;
    let address = listener.local_addr().unwrap_or(address);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    // Seats already limit the handshakes.
    actix_tls::accept::max_concurrent_tls_connect(accepted);
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections((accepted / workers).max(1))
        .shutdown_timeout(stop_within)
        .disable_signals()
        .listen("webhooks", listener, move || {
            let giver = services.clone();
            let seat = fn_service(move |stream: TcpStream| {
                let services = giver.clone();
                async move {
                    stream.set_nodelay(true).map_err(drop)?;
                    services.connections.seat(stream).await.ok_or(())
                }
            });
            let mut handshake = Acceptor::new(acceptor.clone());
            handshake.set_handshake_timeout(HANDSHAKE_WITHIN);
            let http = HttpService::build()
                // Each answer says whether its connection stays open.
                .keep_alive(KeepAlive::from(keep_alive))
                .client_request_timeout(HEAD_WITHIN)
                .client_disconnect_timeout(LINGER)
                .on_connect_ext(|io: &HttpConnection, data| {
                    data.insert(Arc::clone(io.state()));
                })
                .h1(map_config(
                    App::new().app_data(services.clone()).default_service(web::to(receive)),
                    |()| AppConfig::default(),
                ));
            let log = Arc::clone(&services.log);
            seat.and_then(handshake.map_err(drop))
                .map(move |stream: TlsStream<SeatedStream>| {
                    let seated = stream.get_ref();
                    metrics::histogram!("sentry_bot_ingress_handshake_seconds")
                        .record(seated.seat().connection().seated_for());
                    let peer = seated.peer_addr();
                    (HttpConnection::new(stream, Arc::clone(&log)), peer)
                })
                .and_then(http.map_err(drop))
        })?;
    Ok((address, server.run()))
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}
