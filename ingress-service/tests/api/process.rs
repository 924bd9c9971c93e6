//! How the program's process is watched and ended.

use std::{
    io::{Read as _, Write as _},
    process::{Child, Command, Output},
};

use harness::{
    nats::NatsServer,
    wait::{SOON, wait_for},
};

use crate::support::{
    CHANNEL, MINIMAL, Request, client,
    program::{Running, ingress},
};

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()));
}

#[tokio::test]
async fn healthcheck_says_by_its_exit_code_whether_the_service_lives() {
    let healthcheck = |admin_addr: &str| {
        ingress().arg("healthcheck").env("ADMIN_ADDR", admin_addr).output().expect("it runs")
    };
    let nats = NatsServer::start().await;
    let running = Running::start(&nats).await;
    let port = running.admin_port;
    let Output { status, stderr, .. } = healthcheck(&format!("0.0.0.0:{port}"));
    assert_eq!((status.code(), &*stderr), (Some(0), &b""[..]));
    drop(running);
    let Output { status, stderr, .. } = healthcheck(&format!("0.0.0.0:{port}"));
    assert_eq!(status.code(), Some(1));
    let said = String::from_utf8_lossy(&stderr);
    assert!(
        said.starts_with(&format!("ingress-service: cannot ask http://127.0.0.1:{port}/healthz: ")),
        "{said}"
    );
}

#[tokio::test]
async fn sigterm_fails_readiness_finishes_what_is_in_flight_and_ends_with_0() {
    let nats = NatsServer::start().await;
    let mut running = Running::start(&nats).await;
    let (port, admin_port, pid) = (running.port, running.admin_port, running.child.id());
    let request = Request::post(CHANNEL, MINIMAL).bytes();
    let answered = client::run(move || {
        let mut stream = client::connect(port);
        let (first, rest) = request.split_at(request.len() - 5);
        stream.write_all(first).expect("sent");
        let status = Command::new("kill").args(["-TERM", &pid.to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()));
        while !std::net::TcpStream::connect(("127.0.0.1", admin_port)).is_ok_and(unready) {}
        stream.write_all(rest).expect("sent");
        client::read(&mut stream).expect("an answer")
    })
    .await;
    answered.expect(202, r#"{"success":"202"}"#);
    assert_eq!(running.exit_code(SOON).await, Some(0), "{}", running.said());
}

fn unready(mut admin: std::net::TcpStream) -> bool {
    let mut answer = String::new();
    admin
        .write_all(b"GET /readyz?for=traffic HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .expect("sent");
    let read = admin.read_to_string(&mut answer).is_ok();
    read && answer.starts_with("HTTP/1.1 503") && answer.contains("\"running\":\"stopping\"")
}

#[tokio::test]
async fn sigterm_ends_it_with_0_also_while_nats_hangs() {
    let nats = NatsServer::start().await;
    let mut running = Running::start(&nats).await;
    nats.pause();
    signal(&running.child, "TERM");
    assert_eq!(running.exit_code(SOON).await, Some(0), "{}", running.said());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let nats = NatsServer::start().await;
    let mut running = Running::start(&nats).await;
    signal(&running.child, "TERM");
    wait_for("the first signal is noticed", SOON, || async {
        running.said().contains("a second signal ends").then_some(())
    })
    .await;
    signal(&running.child, "INT");
    assert_eq!(running.exit_code(SOON).await, Some(130), "{}", running.said());
}
