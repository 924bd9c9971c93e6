//! Pods that share, and somebody who watches that no two serve the same thing.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_nats::jetstream;
use clap::Parser as _;
use discord_service::{
    lease::{Lease, Membership, Resource},
    settings::Settings,
};
use harness::{nats::NatsServer, wait::wait_for};
use shared::shutdown::CancellationToken;
use tokio::{sync::watch, task::JoinSet};

pub(crate) const TTL: Duration = Duration::from_secs(2);
pub(crate) const LONG: Duration = Duration::from_secs(20);
pub(crate) const SHARDS: u32 = 12;

/// Who serves what at this moment.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    serving: Mutex<BTreeMap<Resource, usize>>,
    doubles: Mutex<BTreeSet<Resource>>,
}

impl Watcher {
    fn begin(&self, resource: Resource) {
        let mut serving = self.serving.lock().expect("no panic while held");
        let count = serving.entry(resource).or_default();
        *count += 1;
        if *count > 1 {
            self.doubles.lock().expect("no panic while held").insert(resource);
        }
    }

    fn end(&self, resource: Resource) {
        *self.serving.lock().expect("no panic while held").entry(resource).or_default() -= 1;
    }

    pub(crate) fn assert_one_owner_at_a_time(&self) {
        assert_eq!(*self.doubles.lock().expect("no panic while held"), BTreeSet::new());
    }
}

/// NATS, with pods that share through it.
pub(crate) struct Arena {
    pub(crate) nats: NatsServer,
    pub(crate) watcher: Arc<Watcher>,
}

impl Arena {
    pub(crate) async fn open() -> Self {
        let nats = NatsServer::start().await;
        let settings = Settings::parse_from(["discord-service"]);
        shared::bus::ensure(
            &jetstream::new(nats.client().await),
            &settings.common.nats,
            shared::bus::Role::Discord,
        )
        .await
        .expect("a bucket");
        Self { nats, watcher: Arc::default() }
    }

    pub(crate) async fn pod(&self) -> Pod {
        self.pod_at(&self.nats.url()).await
    }

    /// A pod that reaches NATS at this address.
    pub(crate) async fn pod_at(&self, url: &str) -> Pod {
        let options = async_nats::ConnectOptions::new()
            .reconnect_delay_callback(|_| Duration::from_millis(50))
            .ping_interval(Duration::from_secs(1));
        let nats = options.connect(url).await.expect("NATS is there");
        let (leaving, done) = (CancellationToken::new(), CancellationToken::new());
        let Membership { keeper, mut partitions, mut shards, pods } =
            Membership::new(&nats, TTL, leaving.clone());
        shards.set_total(SHARDS);
        let mut tasks = JoinSet::new();
        tasks.spawn(keeper.run(done.clone(), |_| {}));
        let held = Arc::new(Mutex::new(BTreeSet::new()));
        let (watcher, own) = (self.watcher.clone(), held.clone());
        tasks.spawn(async move {
            let mut serving = JoinSet::new();
            loop {
                tokio::select! {
                    Some(lease) = partitions.recv() => serving.spawn(serve(lease, watcher.clone(), own.clone())),
                    Some(lease) = shards.grants.recv() => serving.spawn(serve(lease, watcher.clone(), own.clone())),
                    else => return,
                };
            }
        });
        Pod { leaving, done, held, pods, tasks }
    }

    /// Waits until each pod has its exact share and nothing lies idle.
    pub(crate) async fn settled(&self, pods: &[&Pod]) {
        wait_for("all is shared fairly", LONG, || async {
            let fair =
                |all: usize, count: usize| (all / pods.len()..=all.div_ceil(pods.len())).contains(&count);
            let shares: Vec<_> = pods.iter().map(|pod| pod.counts()).collect();
            let sums = shares.iter().fold((0, 0), |sum, share| (sum.0 + share.0, sum.1 + share.1));
            let all_fair = shares.iter().all(|share| fair(64, share.0) && fair(SHARDS as usize, share.1));
            (sums == (64, SHARDS as usize) && all_fair).then_some(())
        })
        .await;
    }
}

/// Serves until it is told to stop or cut off, as delivery and gateway do.
async fn serve(lease: Lease, watcher: Arc<Watcher>, own: Arc<Mutex<BTreeSet<Resource>>>) {
    /// Ends the service also where the task is aborted, as in a crash.
    struct Service(Resource, Arc<Watcher>, Arc<Mutex<BTreeSet<Resource>>>);
    impl Drop for Service {
        fn drop(&mut self) {
            self.1.end(self.0);
            self.2.lock().expect("no panic while held").remove(&self.0);
        }
    }
    let resource = lease.resource();
    watcher.begin(resource);
    own.lock().expect("no panic while held").insert(resource);
    let service = Service(resource, watcher, own);
    let fence = lease.fence();
    let _ = fence
        .while_held(async {
            lease.stop().cancelled().await;
            // What is under way is finished first.
            tokio::time::sleep(Duration::from_millis(50)).await;
        })
        .await;
    drop(service);
    drop(lease);
}

/// One pod. Dropped, it ends as in a crash.
pub(crate) struct Pod {
    leaving: CancellationToken,
    done: CancellationToken,
    held: Arc<Mutex<BTreeSet<Resource>>>,
    pub(crate) pods: watch::Receiver<usize>,
    tasks: JoinSet<()>,
}

impl Pod {
    pub(crate) fn held(&self) -> BTreeSet<Resource> {
        self.held.lock().expect("no panic while held").clone()
    }

    fn counts(&self) -> (usize, usize) {
        let held = self.held();
        let partitions = held.iter().filter(|held| matches!(held, Resource::Partition(_))).count();
        (partitions, held.len() - partitions)
    }

    /// As on SIGTERM.
    pub(crate) async fn leave(mut self) {
        self.leaving.cancel();
        wait_for("it has put everything down", LONG, || async { self.held().is_empty().then_some(()) }).await;
        self.done.cancel();
        self.tasks.join_next().await.expect("the keeper").expect("no panic");
    }
}
