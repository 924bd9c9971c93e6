//! The product with any number of pods, and a bot in many guilds.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use e2e::{Stack, report, scaled};
use futures::future::join_all;
use harness::{free_port, service::Service, wait::wait_for};
use sandbox_discord::{Channel, Config, Guild, Limit};
use tokio::sync::{Mutex, MutexGuard};

use crate::owners::{self, Owners};

/// Shards of the gateway.
const SHARDS: u32 = 12;
/// Partitions of the alerts.
const PARTITIONS: u32 = 64;
/// The limit for anything that waits for a dead pod's leases.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// 2015, where Discord's time begins.
const DISCORD_EPOCH: Duration = Duration::from_millis(1_420_070_400_000);
/// Scenes measure times, so only one runs at a time.
static STAGE: Mutex<()> = Mutex::const_new(());

pub(crate) struct Scene {
    pub(crate) stack: Arc<Stack>,
    /// The pods that take part. The pod of the stack ends first.
    pub(crate) pods: Vec<Service>,
    /// A channel of a guild of each shard, where commands are typed.
    pub(crate) offices: Vec<u64>,
    /// A second ingress beside the stack's, and its port.
    ingress: (Service, u16),
    owners: Owners,
    /// The times of hand-overs, from and to, since 2015.
    hand_overs: Vec<(Duration, Duration)>,
    _stage: MutexGuard<'static, ()>,
}

impl Scene {
    /// The product with one pod of discord-service and two of the ingress.
    pub(crate) async fn start() -> Self {
        let stage = STAGE.lock().await;
        let config = Config::default().shards(SHARDS).max_concurrency(SHARDS).clocks(|clocks| {
            clocks.identify_window = Duration::from_millis(200);
            clocks.channel = Limit::new(5, Duration::from_millis(500));
        });
        let builder = Stack::builder().sandbox(config).discord("LEASE_TTL_SECS", lease_ttl().as_secs());
        let mut stack = builder.start().await;
        let offices = (0..u64::from(SHARDS)).map(|shard| {
            let id = (1_500_000_000_000 + shard) << 22;
            let guild = stack.sandbox.add_guild(Guild::new("Team", stack.owner).with_id(id));
            stack.sandbox.add_channel(guild, Channel::text("office"))
        });
        let offices = offices.collect();
        let port = free_port();
        let (address, nats) = (format!("127.0.0.1:{port}"), stack.nats.url());
        let variables = [("RUNTIME_MODE", "development"), ("NATS_URL", &nats), ("INGRESS_ADDR", &address)];
        let ingress = Service::start("ingress-service", &variables);
        ingress.ready().await;
        let spare = stack.add_discord();
        let pods = vec![std::mem::replace(&mut stack.discord, spare)];
        // No scene uses the stack's own pod.
        stack.discord.kill();
        let owners = Owners::follow(stack.nats.client().await).await;
        let ingress = (ingress, port);
        let hand_overs = Vec::new();
        let scene =
            Self { stack: Arc::new(stack), pods, offices, ingress, owners, hand_overs, _stage: stage };
        scene.shared().await;
        scene
    }

    /// The beginning of the webhook URLs at each ingress. A channel's id
    /// follows.
    pub(crate) fn ingress_urls(&self) -> Vec<String> {
        let second = format!("https://127.0.0.1:{}/sentry-bot/channel?id=", self.ingress.1);
        let first = self.stack.url(0, "");
        vec![first.trim_end_matches('0').to_owned(), second]
    }

    /// Starts pods until there are `count`, and waits until they share the
    /// leases.
    pub(crate) async fn scale_up_to(&mut self, count: usize) -> Duration {
        let start = Instant::now();
        while self.pods.len() < count {
            self.pods.push(self.stack.add_discord());
        }
        join_all(self.pods.iter().map(Service::ready)).await;
        self.hand_over(start).await;
        start.elapsed()
    }

    /// Sends SIGTERM to all but `count` pods at once, as `kubectl scale` does.
    /// Returns how long some things had no owner, or one that was leaving.
    pub(crate) async fn scale_down_to(&mut self, count: usize) -> Duration {
        let leaving: Vec<Service> = self.pods.drain(..self.pods.len() - count).collect();
        let ids: Vec<String> = leaving.iter().map(owners::id).collect();
        let start = Instant::now();
        leaving.iter().for_each(|pod| pod.signal("TERM"));
        let time = self.taken_over(&ids, start).await;
        self.hand_over(start).await;
        for pod in leaving {
            ends_well(pod).await;
        }
        time
    }

    /// Kills or freezes one pod with this signal. Returns the pod, and how long
    /// its leases were without a working owner.
    pub(crate) async fn strike(&mut self, place: usize, signal: &str) -> (Service, Duration) {
        let struck = self.pods.remove(place);
        let id = owners::id(&struck);
        let start = Instant::now();
        struck.signal(signal);
        let time = self.taken_over(&[id], start).await;
        self.hand_over(start).await;
        (struck, time)
    }

    async fn taken_over(&self, gone: &[String], since: Instant) -> Duration {
        let things = (SHARDS + PARTITIONS) as usize;
        self.owners.without(gone, things, LONG).await.saturating_duration_since(since)
    }

    /// Waits until a hand-over that began then is over.
    pub(crate) async fn hand_over(&mut self, since: Instant) {
        self.shared().await;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let end = now.saturating_sub(DISCORD_EPOCH);
        self.hand_overs.push((end.saturating_sub(since.elapsed()), end));
    }

    /// Whether something was handed over at this time since 2015.
    pub(crate) fn hands_over_at(&self, time: Duration) -> bool {
        self.hand_overs.iter().any(|(start, end)| (*start..=*end).contains(&time))
    }

    /// Waits until the pods own everything, in fair shares, and all shards are up.
    pub(crate) async fn shared(&self) {
        wait_for("everything is shared fairly", LONG, || async {
            let states = join_all(self.pods.iter().map(state)).await;
            let states: Vec<(u32, u32)> = states.into_iter().collect::<Option<_>>()?;
            let (all, count) = (SHARDS + PARTITIONS, self.pods.len() as u32);
            // Both kinds are exact to one.
            let fair = all / count - 1..=all.div_ceil(count) + 1;
            let sum = states.iter().fold((0, 0), |sum, state| (sum.0 + state.0, sum.1 + state.1));
            (sum == (all, SHARDS) && states.iter().all(|state| fair.contains(&state.0))).then_some(())
        })
        .await;
    }

    /// Checks that Discord saw nothing wrong, and no more sessions than
    /// necessary.
    pub(crate) fn assert_clean(&self, what: &str) {
        self.stack.assert_clean();
        let stats = self.stack.sandbox.stats();
        assert!(stats.sessions_max.values().all(|most| *most <= 1), "{:?}", stats.sessions_max);
        report(&format!(
            "{what}: identifies {}, resumes {}, 429s {}, posts repeated by nonce {}",
            stats.identifies, stats.resumes, stats.rate_limited, stats.nonce_repeats
        ));
        assert!(stats.identifies <= 100, "a tenth of a day's 1,000: {}", stats.identifies);
    }
}

/// How long a pod's leases last after its last sign of life.
pub(crate) fn lease_ttl() -> Duration {
    Duration::from_secs(scaled(2, 10))
}

/// How soon a dead pod's leases must have another owner: 15 s with leases of 10
/// s, and in proportion. NATS counts in whole seconds, and may be one late.
pub(crate) fn death_bound() -> Duration {
    (lease_ttl() * 3 / 2).max(lease_ttl() + Duration::from_secs(2))
}

/// Channels with a steady load.
pub(crate) fn channels() -> usize {
    scaled(24, 64)
}

/// Pauses between two changes, while the load goes on.
pub(crate) async fn breathe() {
    tokio::time::sleep(scaled(Duration::from_secs(1), Duration::from_secs(5))).await;
}

/// Checks after SIGTERM that the pod ends by itself and without an error.
async fn ends_well(mut pod: Service) {
    let status = pod.ended(Duration::from_secs(20)).await;
    assert!(status.success(), "{status}");
}

/// How many leases it holds, and how many shards are up.
async fn state(pod: &Service) -> Option<(u32, u32)> {
    // While it starts, nothing answers.
    pod.readyz().await?;
    let leases = pod.metric("sentry_bot_leases_held").await;
    Some((leases as u32, pod.metric("sentry_bot_gateway_shards_up").await as u32))
}
