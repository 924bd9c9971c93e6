//! Three pods of discord-service and two of the ingress under a steady load.

use std::time::Duration;

use e2e::{Builder, Ledger, Stack};
use harness::{service::Service, wait::wait_for};

use crate::{
    SETTLED,
    load::{Balancer, Load},
    more_discord, until_shared,
};

const CHANNELS: usize = 6;
const LOOKS_EVERY: Duration = Duration::from_millis(250);

pub(crate) struct Scene {
    pub(crate) stack: Stack,
    pods: Vec<Service>,
    load: Load,
    _second_ingress: Service,
    _balancer: Balancer,
}

/// What came of it.
pub(crate) struct Outcome {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    /// Leases that a pod gave up since it could not renew.
    pub(crate) lost: f64,
}

impl Scene {
    pub(crate) async fn start(builder: Builder) -> Self {
        let (stack, ledger) = (builder.start().await, Ledger::default());
        let pods = more_discord(&stack, 2).await;
        let channels = stack.authorized_channels(CHANNELS, &ledger).await;
        let (second, port) = stack.add_ingress();
        second.ready().await;
        let balancer = Balancer::start(&[(&stack.ingress, stack.port), (&second, port)], LOOKS_EVERY);
        let load = Load::start(&channels, ledger, &balancer);
        let scene = Self { stack, pods, load, _second_ingress: second, _balancer: balancer };
        scene.shared().await;
        scene
    }

    /// Waits until each partition and the shard have one owner.
    pub(crate) async fn shared(&self) {
        until_shared(&[&self.stack.discord, &self.pods[0], &self.pods[1]], 1).await;
    }

    /// Waits until each channel has this many more accepted alerts.
    pub(crate) async fn accepts(&self, alerts: u64) {
        let until = self.load.ledger.accepted() + alerts * CHANNELS as u64;
        wait_for("alerts are accepted", SETTLED, || async {
            (self.load.ledger.accepted() >= until).then_some(())
        })
        .await;
    }

    /// Waits until each channel has this many more refused alerts.
    pub(crate) async fn refuses(&self, alerts: u64) {
        let until = self.load.refused() + alerts * CHANNELS as u64;
        wait_for("alerts are refused", SETTLED, || async { (self.load.refused() >= until).then_some(()) })
            .await;
    }

    /// Ends the load, and checks that every alert was shown once and in order.
    pub(crate) async fn settle(mut self) -> Outcome {
        let refused = self.load.stop().await.refused;
        let mut lost = 0.0;
        for pod in self.pods.iter().chain([&self.stack.discord]) {
            lost += pod.metric("sentry_bot_leases_lost_total").await;
        }
        self.load.ledger.settle(&self.stack, SETTLED).await;
        assert!(self.stack.dead_letters().await.is_empty());
        Outcome { accepted: self.load.ledger.accepted(), refused, lost }
    }
}
