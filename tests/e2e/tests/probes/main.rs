//! Both services as a kubelet sees them, through the probes on their admin
//! ports. NATS comes, goes and comes back, and the services are stopped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use e2e::Stack;
use harness::{
    service::Service,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Effect, Fault};
use sentry_sender::{Webhook, body::Exception};
use tokio::task::JoinHandle;

/// A kubelet's default limit for the answer to a probe.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// Asks `/healthz` from the first answer to the last.
struct Liveness {
    over: Arc<AtomicBool>,
    failures: JoinHandle<Vec<String>>,
}

impl Liveness {
    fn of(service: &Service) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let probing = probe(format!("{}/healthz", service.admin()), over.clone());
        Self { over, failures: tokio::spawn(probing) }
    }

    async fn never_failed(self) {
        self.over.store(true, Ordering::Relaxed);
        assert_eq!(self.failures.await.expect("no panic"), Vec::<String>::new());
    }
}

/// Returns the probes that failed. Silence at the start and at the end is no
/// failure, because there is no process then. A single answer may be late on a
/// busy machine.
async fn probe(url: String, over: Arc<AtomicBool>) -> Vec<String> {
    let client = reqwest::Client::builder().timeout(PROBE_LIMIT).build().expect("a client");
    let (mut failures, mut silence, mut lived, mut late) = (Vec::new(), Vec::new(), false, 0);
    while !over.load(Ordering::Relaxed) {
        match client.get(&url).send().await {
            Ok(answer) if answer.status() == 200 => {
                failures.append(&mut silence);
                (lived, late) = (true, 0);
            }
            Ok(answer) => failures.push(answer.status().to_string()),
            Err(error) if error.is_timeout() => {
                late += 1;
                if late > 1 {
                    failures.push(error.to_string());
                }
            }
            Err(error) if lived => silence.push(error.to_string()),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(lived, "{url} was never answered");
    failures
}

async fn until_unready(service: &Service) {
    wait_for("it is not ready", SOON, || async { (service.readyz().await == Some(503)).then_some(()) }).await;
}

fn alert(title: &str) -> Webhook {
    Webhook::legacy(Exception::new(title).issue(title).json())
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_nats_and_the_drain_while_liveness_never_fails() {
    let mut stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    stack.nats.kill();
    stack.ingress.restart();
    stack.discord.restart();
    let lives = [Liveness::of(&stack.ingress), Liveness::of(&stack.discord)];
    // First while they start, then while they work.
    for round in 0..2 {
        if round == 1 {
            stack.nats.kill();
        }
        until_unready(&stack.ingress).await;
        until_unready(&stack.discord).await;
        assert_eq!(stack.send(channel, &alert("refused")).await.status, 503);
        stack.nats.restart().await;
        stack.ingress.ready().await;
        stack.discord.ready().await;
    }

    // A post is in flight when discord-service is told to stop.
    let posts = || stack.sandbox.stats().in_flight_max.get(&channel).copied().unwrap_or_default();
    assert_eq!(posts(), 0);
    stack.sandbox.add_fault(Fault::new(Effect::Silence(Duration::from_secs(2))).on_channel(channel).times(1));
    assert!(stack.send(channel, &alert("in flight")).await.is_success());
    wait_for("the post is in flight", SOON, || async { (posts() > 0).then_some(()) }).await;
    stack.discord.signal("TERM");
    until_unready(&stack.discord).await;
    assert_eq!(stack.alerts(channel), 0, "the signal comes before the request in flight is done");
    assert!(stack.discord.ended(SOON).await.success());

    // Until load balancers have noticed, the ingress accepts what they still
    // send.
    stack.ingress.signal("TERM");
    until_unready(&stack.ingress).await;
    assert_eq!(stack.send(channel, &alert("late")).await.status, 202);
    assert!(stack.ingress.ended(SOON).await.success());
    for life in lives {
        life.never_failed().await;
    }
    // The next process takes over what was handed back.
    stack.discord.restart();
    let shown = stack.until_shown(channel, 2, SOON).await;
    assert_eq!(shown.iter().map(|shown| &*shown.title).collect::<Vec<_>>(), ["in flight", "late"]);
    stack.assert_clean();
}
