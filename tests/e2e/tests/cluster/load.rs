//! Steady load over several pods of the ingress, balanced as in a cluster. New
//! requests go to the pods that were last seen ready.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use e2e::{Ledger, Stack};
use harness::service::Service;
use sentry_sender::{Sender, Trust, Webhook, body::Exception};
use shared::shutdown::CancellationToken;
use tokio::{sync::watch, task::JoinHandle, time::sleep};
use tokio_util::task::AbortOnDropHandle;

/// Between two alerts of a channel.
const PAUSE: Duration = Duration::from_millis(30);

/// Looks at the pods' readiness once in a while, and sends to those that are ready.
pub(crate) struct Balancer {
    pods: Arc<Vec<Pod>>,
    /// How often it has looked.
    pub(crate) looks: watch::Receiver<u64>,
    _looking: AbortOnDropHandle<()>,
}

struct Pod {
    port: u16,
    admin: String,
    ready: AtomicBool,
}

impl Balancer {
    /// Balances the load over these pods, which are ready now.
    pub(crate) fn start(pods: &[(&Service, u16)], every: Duration) -> Self {
        let pods = pods.iter().map(|(pod, port)| Pod {
            port: *port,
            admin: pod.admin(),
            ready: AtomicBool::new(true),
        });
        let pods: Arc<Vec<Pod>> = Arc::new(pods.collect());
        let (looked, looks) = watch::channel(0);
        let looking = tokio::spawn({
            let pods = pods.clone();
            async move {
                loop {
                    for pod in pods.iter() {
                        let answer = reqwest::get(format!("{}/readyz", pod.admin)).await;
                        pod.ready.store(
                            answer.is_ok_and(|answer| answer.status().is_success()),
                            Ordering::Relaxed,
                        );
                    }
                    looked.send_modify(|looks| *looks += 1);
                    sleep(every).await;
                }
            }
        });
        Self { pods, looks, _looking: AbortOnDropHandle::new(looking) }
    }

    /// Waits until it has looked at all pods `times` more.
    pub(crate) async fn looked(&mut self, times: u64) {
        let until = *self.looks.borrow() + times;
        self.looks.wait_for(|looks| *looks >= until).await.expect("it looks for ever");
    }

    /// Whether the pod with this port was last seen ready.
    pub(crate) fn is_ready(&self, port: u16) -> bool {
        self.pods.iter().any(|pod| pod.port == port && pod.ready.load(Ordering::Relaxed))
    }
}

/// The port for the next request. Any pod, if none is ready.
fn next_port(pods: &[Pod], turn: usize) -> u16 {
    let ready: Vec<&Pod> = pods.iter().filter(|pod| pod.ready.load(Ordering::Relaxed)).collect();
    ready.get(turn % ready.len().max(1)).map_or(pods[turn % pods.len()].port, |pod| pod.port)
}

/// Requests that were not accepted.
#[derive(Debug, Default)]
struct Failures {
    refused: AtomicU64,
    unanswered: AtomicU64,
}

/// The same, counted.
pub(crate) struct Failed {
    /// Answered, but not with 2xx.
    pub(crate) refused: u64,
    /// No connection, or one without an answer.
    pub(crate) unanswered: u64,
}

/// Alerts for several channels, one after another in each, until it is stopped.
pub(crate) struct Load {
    pub(crate) ledger: Arc<Ledger>,
    failures: Arc<Failures>,
    stop: CancellationToken,
    senders: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) fn start(channels: &[u64], ledger: Ledger, balancer: &Balancer) -> Self {
        let failures: Arc<Failures> = Arc::default();
        let (ledger, stop) = (Arc::new(ledger), CancellationToken::new());
        let sender = Sender::new(Trust::Anyone).expect("a sender needs nothing");
        let senders = channels.iter().map(|&channel| {
            let (ledger, failures, stop) = (ledger.clone(), failures.clone(), stop.clone());
            let (sender, pods) = (sender.clone(), balancer.pods.clone());
            tokio::spawn(async move {
                for number in 0.. {
                    if stop.is_cancelled() {
                        return;
                    }
                    // Some fold into one embed with others.
                    let title = if number % 5 == 0 { "noise".to_owned() } else { format!("alert {number}") };
                    let webhook = Webhook::legacy(Exception::new(&title).issue(&title).json());
                    let url = Stack::url_at(next_port(&pods, number), channel, "");
                    let reply = sender.send(&url, &webhook).await;
                    let accepted = reply.as_ref().is_ok_and(|reply| reply.is_success());
                    if !accepted {
                        let count = if reply.is_ok() { &failures.refused } else { &failures.unanswered };
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                    ledger.note(channel, &title, accepted);
                    sleep(PAUSE).await;
                }
            })
        });
        let senders = senders.collect();
        Self { ledger, failures, stop, senders }
    }

    /// How many alerts were refused until now.
    pub(crate) fn refused(&self) -> u64 {
        self.failures.refused.load(Ordering::Relaxed)
    }

    /// Ends the load. Returns what was not accepted.
    pub(crate) async fn stop(&mut self) -> Failed {
        self.stop.cancel();
        for sender in self.senders.drain(..) {
            sender.await.expect("no panic");
        }
        let Failures { refused, unanswered } = &*self.failures;
        Failed { refused: refused.load(Ordering::Relaxed), unanswered: unanswered.load(Ordering::Relaxed) }
    }
}
