//! Floods hurt nobody who may send.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use harness::wait::{SOON, wait_for};
use shared::verdict::Verdict;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::{CHANNEL, MINIMAL, TestApp};

/// As many as are served at once.
const SEATS: usize = 2_048;
/// Less than the ten seconds after which a handshake is given up, even where the
/// machine is busy.
const AT_ONCE: Duration = Duration::from_secs(8);

/// Connections from this address that never say anything.
async fn silent(port: u16, from: Ipv4Addr, count: usize) -> Vec<TcpStream> {
    let connect = || async move {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((from, 0))).expect("a loopback address");
        socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.expect("the server listens")
    };
    join_all((0..count).map(|_| connect())).await
}

#[tokio::test]
async fn connections_that_say_nothing_give_way() {
    let app = TestApp::start().await;
    let _idle = silent(app.port, Ipv4Addr::LOCALHOST, SEATS + 50).await;
    let started = Instant::now();
    app.post(CHANNEL, MINIMAL).await.expect(200, r#"{"success":"200"}"#);
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
}

#[tokio::test]
async fn strangers_take_no_seat_of_those_who_may_send() {
    let app = TestApp::start_with(&["--allowed-sources", "127.0.0.1"]).await;
    let _strangers = silent(app.port, Ipv4Addr::new(127, 0, 0, 2), SEATS + 500).await;
    let started = Instant::now();
    app.post(CHANNEL, MINIMAL).await.expect(202, r#"{"success":"202"}"#);
    assert!(started.elapsed() < AT_ONCE, "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_flood_for_a_refused_channel_is_answered_from_memory_until_it_is_authorized() {
    const FLOOD: usize = 96;
    const REFUSED: &str = r#"{"error":{"message":"Unauthorized channel","channel":42}}"#;
    let authorized = Arc::new(AtomicBool::new(false));
    let decides = Arc::clone(&authorized);
    let app = TestApp::start_with(&["--runtime-mode", "development"])
        .await
        .decide(move |_| {
            Some(if decides.load(SeqCst) { Verdict::Accepted } else { Verdict::ChannelNotAuthorized })
        })
        .await;
    for response in join_all((0..FLOOD).map(|_| app.post(CHANNEL, MINIMAL))).await {
        response.expect(401, REFUSED);
    }
    let asked = app.verdicts().asked().len();
    assert!((1..FLOOD).contains(&asked), "{asked}");
    assert_eq!(app.alerts().await, []);

    authorized.store(true, SeqCst);
    wait_for("the channel is let in", SOON, || async {
        (app.post(CHANNEL, MINIMAL).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_contract_is_served_as_openapi() {
    let app = TestApp::start().await;
    let (status, document) = app.admin("/openapi.json").await;
    assert_eq!(status, 200);
    assert!(document.starts_with("{\n  \"openapi\": \"3.1.0\""), "{document}");
}
