//! SIGTERM to one of several pods.

use std::time::{Duration, Instant};

use e2e::{Ledger, Stack, report};
use harness::{
    service::Service,
    wait::{SOON, wait_for},
};
use reqwest::header::CONNECTION;
use sentry_sender::{Webhook, body::Exception};
use tokio::net::TcpStream;

use crate::{
    SETTLED, builder,
    load::{Balancer, Load},
};

/// Longer than the pause of a stopping ingress that nobody probes.
const LOOKS_EVERY: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_stopping_ingress_refuses_nobody_who_has_not_seen_that_it_stops() {
    let (stack, ledger) = (builder().start().await, Ledger::default());
    let channels = stack.authorized_channels(4, &ledger).await;
    let (mut second, port) = stack.add_ingress();
    second.ready().await;
    let mut balancer = Balancer::start(&[(&stack.ingress, stack.port), (&second, port)], LOOKS_EVERY);
    let mut load = Load::start(&channels, ledger, &balancer);
    // Right after a look, so that it stays unnoticed for as long as possible.
    balancer.looked(2).await;
    second.signal("TERM");
    let stopped = Instant::now();
    balancer.looked(1).await;
    assert!(!balancer.is_ready(port), "it says that it stops");
    TcpStream::connect(("127.0.0.1", port)).await.expect("it listens when that is seen for the first time");
    let status = second.ended(SOON * 2).await;
    let took = stopped.elapsed();
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(25), "{took:?}");
    assert_eq!(load.stop().await.unanswered, 0, "requests were cut off");
    report(&format!("an ingress ended {took:.1?} after SIGTERM, seen by a look each {LOOKS_EVERY:?}"));
    load.ledger.settle(&stack, SETTLED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_would_keep_its_connection_is_told_that_it_ends() {
    let stack = builder().start().await;
    let channel = stack.authorized_channel("alerts").await;
    let client = reqwest::Client::builder()
        .http1_only()
        .tls_danger_accept_invalid_certs(true)
        .pool_max_idle_per_host(8)
        .build()
        .expect("a client");
    for number in 0..3 {
        let webhook = Webhook::legacy(Exception::new(format!("alert {number}")).json());
        let request = client.post(stack.url(channel, "")).body(webhook.body().to_vec());
        let answer = request.header(CONNECTION, "keep-alive").send().await.expect("an answer");
        assert!(answer.status().is_success(), "{}", answer.status());
        assert_eq!(answer.headers()[CONNECTION], "close");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_sigterm_ends_a_pod_at_once() {
    let mut stack = builder().start().await;
    // NATS hangs, so that there is something to wait for.
    stack.nats.pause();
    for pod in [&mut stack.ingress, &mut stack.discord] {
        pod.signal("TERM");
        wait_for("the first signal is noticed", SOON, || async {
            pod.log().contains("a second signal ends the process at once").then_some(())
        })
        .await;
        pod.signal("TERM");
        let start = Instant::now();
        let status = pod.ended(SOON).await;
        // Without it an ingress gives three seconds' notice.
        assert!(start.elapsed() < Duration::from_millis(2_500), "{:?}", start.elapsed());
        // It may have been finished before.
        assert!(matches!(status.code(), Some(0 | 130)), "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_at_any_moment_of_the_start_ends_a_pod_at_once() {
    let stack: Stack = builder().start().await;
    for delay in [0, 5, 10, 20, 40, 80, 160, 320, 640] {
        let pods: [Service; 2] = [stack.add_discord(), stack.add_ingress().0];
        for mut pod in pods {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            pod.signal("TERM");
            let start = Instant::now();
            pod.ended(SOON).await;
            let took = start.elapsed();
            // A process that was ready by then gives three seconds' notice.
            assert!(took < Duration::from_secs(10), "{took:?} after {delay} ms:\n{}", pod.log());
        }
    }
}
