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
    head::Connection,
    limits::{connections::Connections, stream::Seated},
    webhook::{Webhooks, receive},
};

/// The longest TLS handshake: in a storm on a busy machine all are slow, and to
/// give them all up would lose what a little patience keeps. An idle one has to
/// give way long before.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// The longest wait for a request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection is kept for the rest of a body that was not read, so
/// that the sender gets to read its answer.
const LINGER: Duration = Duration::from_secs(2);
/// Connections that are accepted, those that wait for a seat among them; further
/// ones wait in the kernel.
const ACCEPTED: usize = 8_192;
/// Connections that the kernel keeps, as far as it is set up to.
const BACKLOG: u32 = 4_096;
/// Files that the process needs for other things than connections.
const OTHER_FILES: usize = 128;

/// Binds the listener. The returned server runs once it is polled or spawned,
/// and after a stop finishes what is in flight `within` seconds.
///
/// # Errors
/// When the address cannot be bound.
pub(crate) fn bind(
    address: SocketAddr,
    webhooks: web::Data<Webhooks>,
    connections: Arc<Connections>,
    acceptor: SslAcceptor,
    within: u64,
) -> anyhow::Result<(SocketAddr, Server)> {
    let listener = listen(address).with_context(|| format!("INGRESS_ADDR: cannot listen on {address}"))?;
    let address = listener.local_addr().unwrap_or(address);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    // Seats limit the handshakes.
    actix_tls::accept::max_concurrent_tls_connect(ACCEPTED);
    let server = Server::build()
        .workers(workers)
        .max_concurrent_connections((accepted() / workers).max(1))
        .shutdown_timeout(within)
        .disable_signals()
        .listen("webhooks", listener, move || {
            let connections = Arc::clone(&connections);
            let seat = fn_service(move |stream: TcpStream| {
                let connections = Arc::clone(&connections);
                async move {
                    stream.set_nodelay(true).map_err(drop)?;
                    connections.seat(stream).await.ok_or(())
                }
            });
            let mut handshake = Acceptor::new(acceptor.clone());
            handshake.set_handshake_timeout(HANDSHAKE_WITHIN);
            let http = HttpService::build()
                // Sentry connects anew each time, and actix has no time limit for the
                // head of a connection's second request.
                .keep_alive(KeepAlive::Disabled)
                .client_request_timeout(HEAD_WITHIN)
                .client_disconnect_timeout(LINGER)
                .on_connect_ext(|io: &Connection, data| {
                    data.insert(Arc::clone(io.occupant()));
                })
                .h1(map_config(
                    App::new().app_data(webhooks.clone()).default_service(web::to(receive)),
                    |()| AppConfig::default(),
                ));
            let webhooks = webhooks.clone();
            seat.and_then(handshake.map_err(drop))
                .map(move |stream: TlsStream<Seated>| {
                    let seated = stream.get_ref();
                    metrics::histogram!("sentry_bot_ingress_handshake_seconds")
                        .record(seated.seat().occupant().seated_for());
                    let peer = seated.peer_addr();
                    (Connection::new(stream, webhooks.clone()), peer)
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

/// How many connections to accept: fewer than [`ACCEPTED`] where the system
/// gives the process fewer files.
fn accepted() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = files.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    soft.map_or(ACCEPTED, |files| files.saturating_sub(OTHER_FILES).clamp(1, ACCEPTED))
}
