//! Silent connections of every sort, more than are served and more than are
//! accepted, beside a webhook. Unless the full figures are asked for, the program
//! is given few files, so that a few hundred connections are a flood.

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use harness::{
    figures::{report, scaled},
    nats::NatsServer,
};
use openssl::ssl::SslStream;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{CHANNEL, MINIMAL, Request, client, program::Running};

/// The files that the program may have, and the size of a flood.
fn sizes() -> (usize, usize) {
    // The flood's own files.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("it may be raised");
    scaled((512, 500), (12_000, 10_000))
}

/// The program keeps 128 files for itself, and serves a quarter of the rest.
const SEATS: usize = (512 - 128) / 4;
/// So many shake hands at the same time.
const THREADS: usize = 16;
const LIMIT: Duration = Duration::from_millis(500);
/// The head of a TLS record, and less than it announces.
const HALF_A_HELLO: &[u8] = &[22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3];

/// Connections from this address that say this much, and nothing more.
async fn silent(port: u16, from: Ipv4Addr, count: usize, says: &[u8]) -> Vec<TcpStream> {
    let mut flood = Vec::new();
    for _ in 0..count {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((from, 0))).expect("a loopback address");
        let stream = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await;
        let stream = stream.expect("the server listens");
        stream.try_write(says).expect("there is room for it");
        flood.push(stream);
    }
    flood
}

/// Connections that have all shaken hands and then say this much: as many as
/// there are seats, or more.
async fn shaken(port: u16, says: &'static str) -> Vec<SslStream<std::net::TcpStream>> {
    let connect = move |_| {
        let mut stream = client::connect(port);
        let _ = stream.write_all(says.as_bytes());
        stream
    };
    let count = scaled(SEATS, 10_000) / THREADS;
    let some = (0..THREADS).map(|_| client::run(move || (0..count).map(connect).collect::<Vec<_>>()));
    futures::future::join_all(some).await.into_iter().flatten().collect()
}

/// Less than any time limit after which silence ends by itself.
const BEFORE_ANY_LIMIT: Duration = Duration::from_secs(4);

/// Sends webhooks. The quickest must be answered in time. A busy machine may
/// delay the others, and the first one may have to wait for a seat.
async fn is_served(running: &Running, beside: &str, count: usize) {
    let mut took = Vec::new();
    for n in 0..4 {
        let started = std::time::Instant::now();
        // Each to a channel of its own: there are no verdicts.
        let target = format!("/sentry-bot/channel?id={}{n}", beside.len());
        let response = Request::post(&target, MINIMAL).send(running.port).await;
        assert_eq!(response.status, 202, "{beside}: {}", response.body);
        took.push(started.elapsed());
    }
    let (least, most) = (took.iter().min().expect("four"), took.iter().max().expect("four"));
    report(&format!("a webhook beside {count} connections that say {beside}: {least:.0?} to {most:.0?}"));
    assert!(*least < LIMIT, "{beside}: {took:?}");
    assert!(took.first() < Some(&BEFORE_ANY_LIMIT), "{beside}: {took:?}");
}

#[tokio::test]
async fn no_sort_of_silence_delays_a_webhook() {
    let nats = NatsServer::start().await;
    let (files, flood) = sizes();
    let running = Running::start_limited(&nats, (files, files), &[]).await;
    let port = running.port;
    // From an address each: the kernel keeps their ports for a while.
    for (from, sort, says) in [(2, "nothing", &b""[..]), (3, "half a hello", HALF_A_HELLO)] {
        let _flood = silent(port, Ipv4Addr::new(127, 0, 0, from), flood, says).await;
        is_served(&running, sort, flood).await;
    }
    for (sort, says) in [
        ("nothing after the handshake", ""),
        ("half a head", "POST /sentry-bot/channel?id=42 HTTP/1.1\r\nHost: x\r\n"),
        (
            "half a body",
            "POST /sentry-bot/channel?id=42 HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n{",
        ),
    ] {
        let flood = shaken(port, says).await;
        is_served(&running, sort, flood.len()).await;
    }
    // They gave way, and did not merely come to the end of their time.
    assert!(gave_way(&running).await > 0);
}

/// How many connections lost their seat because others waited for one.
async fn gave_way(running: &Running) -> u64 {
    let (_, metrics) = client::get(running.admin_port, "/metrics").await;
    let name = r#"sentry_bot_ingress_connections_closed_total{why="idle"} "#;
    let count = metrics.lines().find_map(|line| line.strip_prefix(name));
    count.and_then(|count| count.parse().ok()).unwrap_or_else(|| panic!("no {name} in:\n{metrics}"))
}

#[tokio::test]
async fn strangers_take_no_place_of_those_who_may_send() {
    let nats = NatsServer::start().await;
    let variables = [("RUNTIME_MODE", "production"), ("ALLOWED_SOURCES", "127.0.0.1")];
    let (files, flood) = sizes();
    let running = Running::start_limited(&nats, (files, files), &variables).await;
    for (from, sort, says) in [
        (2, "nothing, from strangers", &b""[..]),
        (3, "half a hello, from strangers", HALF_A_HELLO),
        (4, "no TLS, from strangers", b"GET / HTTP/1.1\r\n\r\n"),
    ] {
        let _strangers = silent(running.port, Ipv4Addr::new(127, 0, 0, from), flood, says).await;
        is_served(&running, sort, flood).await;
    }
}

#[tokio::test]
async fn the_limit_of_open_files_is_raised() {
    let nats = NatsServer::start().await;
    let running = Running::start_limited(&nats, (256, 1_000), &[]).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.child.id())).expect("it runs");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("it is there");
    let files: Vec<_> = files.split_whitespace().skip(3).take(2).collect();
    assert_eq!(files, ["1000", "1000"], "{limits}");
    Request::post(CHANNEL, MINIMAL).send(running.port).await.expect(202, r#"{"success":"202"}"#);
}
