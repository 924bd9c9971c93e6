//! The product with any number of pods, and a bot in many guilds.

use std::{sync::Arc, time::Duration};

use e2e::Stack;
use harness::{service::Service, wait::wait_for};
use sandbox_discord::{Channel, Config, Guild, Limit};

/// Shards of the gateway.
pub(crate) const SHARDS: u32 = 12;
/// Partitions of the alerts.
const PARTITIONS: u32 = 64;
const LONG: Duration = Duration::from_secs(30);

pub(crate) struct Scene {
    pub(crate) stack: Arc<Stack>,
    /// Pods beside the one of the stack, which ends with the first change.
    pub(crate) pods: Vec<Service>,
    /// A channel of a guild of each shard, where commands are typed.
    pub(crate) offices: Vec<u64>,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        let config = Config::default().shards(SHARDS).max_concurrency(SHARDS).clocks(|clocks| {
            clocks.identify_window = Duration::from_millis(200);
            clocks.channel = Limit::new(5, Duration::from_millis(500));
        });
        let mut stack = Stack::builder().sandbox(config).start().await;
        let offices = (0..u64::from(SHARDS)).map(|shard| {
            let id = (1_500_000_000_000 + shard) << 22;
            let guild = stack.sandbox.add_guild(Guild::new("Team", stack.owner).with_id(id));
            stack.sandbox.add_channel(guild, Channel::text("office"))
        });
        let offices = offices.collect();
        let spare = stack.add_discord();
        let pods = vec![std::mem::replace(&mut stack.discord, spare)];
        // The stack's own pod is never the one that is looked at.
        stack.discord.kill();
        let scene = Self { stack: Arc::new(stack), pods, offices };
        scene.shared().await;
        scene
    }

    /// Starts pods until there are so many, and waits until they share.
    pub(crate) async fn scale_to(&mut self, count: usize) {
        while self.pods.len() < count {
            self.pods.push(self.stack.add_discord());
        }
        for pod in &self.pods {
            pod.ready().await;
        }
        self.shared().await;
    }

    /// Waits until the pods own everything, in fair shares, and all shards are up.
    pub(crate) async fn shared(&self) {
        wait_for("everything is shared fairly", LONG, || async {
            let mut sum = (0, 0);
            for pod in &self.pods {
                let (leases, up) = (held(pod).await?, pod.metric("sentry_bot_gateway_shards_up").await);
                let all = SHARDS + PARTITIONS;
                let count = self.pods.len() as u32;
                // Both kinds are exact to one.
                (all / count <= leases + 1 && leases <= all.div_ceil(count) + 1).then_some(())?;
                sum = (sum.0 + leases, sum.1 + up as u32);
            }
            (sum == (SHARDS + PARTITIONS, SHARDS)).then_some(())
        })
        .await;
    }

    /// Waits until nothing is without an owner.
    pub(crate) async fn owned(&self) {
        wait_for("everything has an owner", LONG, || async {
            let mut sum = 0;
            for pod in &self.pods {
                sum += held(pod).await?;
            }
            (sum == SHARDS + PARTITIONS).then_some(())
        })
        .await;
    }

    /// After SIGTERM: it ends by itself and without complaint.
    pub(crate) async fn ends_well(&self, mut pod: Service) {
        let status = pod.ended(Duration::from_secs(10)).await;
        assert!(status.success(), "{status}");
    }

    pub(crate) fn assert_clean(&self) {
        self.stack.assert_clean();
        let stats = self.stack.sandbox.stats();
        assert!(stats.sessions_max.values().all(|most| *most <= 1), "{:?}", stats.sessions_max);
        println!(
            "identifies {}, resumes {}, 429s {}, posts repeated by nonce {}",
            stats.identifies, stats.resumes, stats.rate_limited, stats.nonce_repeats
        );
    }
}

async fn held(pod: &Service) -> Option<u32> {
    // While it starts, nothing answers.
    pod.readyz().await?;
    Some(pod.metric("sentry_bot_leases_held").await as u32)
}
