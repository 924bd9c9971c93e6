//! Memory is bounded by settings, not by what is sent.

use std::{
    io::{Read as _, Write as _},
    time::Duration,
};

use crate::support::{CHANNEL, MINIMAL, Request, client, program::Running};
use harness::{
    figures::{report, scaled},
    nats::NatsServer,
    process::memory,
    wait::wait_for,
};

/// What Kubernetes lets the pod have.
const LIMIT_KB: u64 = 256 << 10;
const BODIES: usize = 400;
const BODY: usize = 900_000;
/// What a million requests may leave behind. Where each measured time is kept, it
/// is eight bytes a request and metric at least.
const LITTLE: u64 = 6 << 20;

/// The most that the process ever had, in KiB.
fn peak(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.child.id())).expect("it runs");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("it is there");
    peak.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// A complete alert of about [`BODY`] bytes, of one of the sorts that cost most.
fn large(n: usize) -> String {
    let of = |unit: &str| unit.repeat(BODY / unit.len());
    let event = match n % 4 {
        0 => "{}".to_owned(),
        // Many items. Only the last ones are kept.
        1 => format!(r#"{{"tags":[{}["a","b"]]}}"#, of(r#"["a","b"],"#)),
        // Text that cannot be held as it is.
        2 => format!(r#"{{"tags":[["a","{}"]]}}"#, of(r"\ud800")),
        _ => format!(r#"{{"title":"{}"}}"#, of("title")),
    };
    let blanks = " ".repeat(BODY.saturating_sub(event.len()));
    format!(r#"{{"project":"shop-{n}","message":"m","event":{event}}}{blanks}"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_hundred_large_bodies_at_once_fit_and_are_answered() {
    let nats = NatsServer::start().await;
    let running = Running::start(&nats).await;
    let port = running.port;
    // All but the last byte, as far as it is taken.
    let senders: Vec<_> = (0..BODIES)
        .map(|n| {
            let request = Request::post(&format!("/sentry-bot/channel?id={}", n + 1), large(n)).bytes();
            tokio::task::spawn_blocking(move || {
                let mut stream = client::connect(port);
                stream.get_ref().set_write_timeout(Some(Duration::from_millis(700))).expect("a timeout");
                let (most, _) = request.split_at(request.len() - 1);
                let _ = stream.write_all(most);
                stream
            })
        })
        .collect();
    let mut held = Vec::new();
    for sender in senders {
        held.push(sender.await.expect("the client does not panic"));
    }
    assert!(peak(&running) < LIMIT_KB, "{} KiB", peak(&running));
    drop(held);

    let whole = (0..BODIES).map(|n| {
        let request = Request::post(&format!("/sentry-bot/channel?id={}", BODIES + n), large(n));
        async move { request.send(port).await.status }
    });
    let statuses = futures::future::join_all(whole).await;
    // Where the machine is too busy for all of them in time, some are told so.
    assert!(statuses.iter().all(|status| matches!(status, 202 | 415 | 503)), "{statuses:?}");
    assert!(statuses.contains(&202), "{statuses:?}");
    report(&format!(
        "memory with {BODIES} bodies of {BODY} bytes at once: {} MiB at most",
        peak(&running) >> 10
    ));
    assert!(peak(&running) < LIMIT_KB, "{} KiB", peak(&running));
}

#[tokio::test]
async fn a_body_waits_for_room_and_small_ones_go_on_when_there_is_some() {
    let nats = NatsServer::start().await;
    // One body may take all of the room.
    let running = Running::start_with(&nats, &[("MAX_BODY_BYTES", "67108864")]).await;
    let port = running.port;
    let (mut first, second) = client::run(move || {
        let head = format!("POST {CHANNEL} HTTP/1.1\r\nHost: x\r\nContent-Length: 67108864\r\n\r\n");
        let blanks = vec![b' '; 64 << 20];
        let mut first = client::connect(port);
        first.write_all(head.as_bytes()).and_then(|()| first.write_all(&blanks[1..])).expect("sent");
        let second = Request::post(CHANNEL, MINIMAL).bytes();
        let mut stream = client::connect(port);
        stream.write_all(&second).expect("sent");
        (first, client::read(&mut stream).expect("an answer"))
    })
    .await;
    // It goes beyond the room, as one may.
    second.expect(202, r#"{"success":"202"}"#);
    let mut answer = String::new();
    client::run(move || {
        first.write_all(b" ").expect("sent");
        let _ = first.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 415"), "{answer}");
    })
    .await;
    wait_for("the room is free again", harness::wait::SOON, || async {
        (Request::post("/sentry-bot/channel?id=43", MINIMAL).send(port).await.status == 202).then_some(())
    })
    .await;
}

#[tokio::test]
async fn requests_leave_nothing_behind_where_nobody_reads_the_metrics() {
    const CONNECTIONS: usize = 8;
    let nats = NatsServer::start().await;
    let running = Running::start_with(&nats, &[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    let (port, process) = (running.port, running.child.id());
    let round = |requests: usize| async move {
        let sent = (0..CONNECTIONS).map(|_| {
            client::run(move || {
                // Read whole, so that the connection stays open.
                let refused = Request::post(CHANNEL, "no JSON").bytes();
                let mut stream = client::connect(port);
                for _ in 0..requests / CONNECTIONS {
                    stream.write_all(&refused).expect("sent");
                    assert_eq!(client::read(&mut stream).expect("an answer").status, 415);
                }
            })
        });
        futures::future::join_all(sent).await;
        memory(process).expect("the system tells")
    };
    let requests = scaled(4_000, 1_000_000);
    let before = round(4_000).await;
    let grown = round(requests).await.saturating_sub(before);
    report(&format!("memory that {requests} requests leave behind in the ingress: {} KiB", grown >> 10));
    assert!(grown < LITTLE, "{grown} bytes");
}
