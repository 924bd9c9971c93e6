//! Pods that are started, stopped, killed and frozen at random.

use std::time::{Duration, Instant};

use e2e::{Seed, report, scaled};
use harness::service::Service;
use rand::{Rng as _, rngs::StdRng};
use tokio::time::sleep;

use crate::{
    load::Load,
    scene::{LONG, Scene, channels, lease_ttl},
};

/// The most pods at a time, frozen ones counted.
const MOST: usize = 5;

/// The pods in disorder, and what was done to them.
struct Churn<'a> {
    scene: &'a mut Scene,
    rng: StdRng,
    frozen: Vec<Service>,
    stopping: Vec<Service>,
    done: [u32; 4],
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_any_disorder_every_alert_and_command_is_answered_once() {
    let seed = Seed::new();
    let mut scene = Scene::start().await;
    let load = Load::start(&scene, channels()).await;
    let start = Instant::now();
    let mut churn =
        Churn { rng: seed.rng(0), scene: &mut scene, frozen: Vec::new(), stopping: Vec::new(), done: [0; 4] };
    while start.elapsed() < scaled(Duration::from_secs(30), Duration::from_secs(600)) {
        churn.change();
        let pause = lease_ttl().mul_f64(churn.rng.random_range(0.05..1.0));
        sleep(pause).await;
    }
    let [started, stopped, killed, frozen] = churn.done;
    churn.calm().await;
    scene.hand_over(start).await;
    let outcome = load.stop(&scene).await;
    report(&format!(
        "churn with SEED={}: {started} started, {stopped} stopped, {killed} killed, {frozen} frozen; {outcome}",
        seed.0
    ));
    scene.assert_clean("churn");
}

impl Churn<'_> {
    /// Does one thing to one pod. One is always left alone.
    fn change(&mut self) {
        let pods = self.scene.pods.len();
        let kind = if pods < 2 { 0 } else { self.rng.random_range(0..5) };
        match kind {
            0 | 1 if pods + self.frozen.len() < MOST => {
                self.done[0] += 1;
                self.scene.pods.push(self.scene.stack.add_discord());
            }
            _ if pods < 2 => self.wake(),
            2 => {
                self.done[1] += 1;
                let pod = self.any();
                pod.signal("TERM");
                self.stopping.push(pod);
            }
            3 => {
                self.done[2] += 1;
                self.any().kill();
            }
            4 => {
                self.done[3] += 1;
                let pod = self.any();
                pod.signal("STOP");
                self.frozen.push(pod);
            }
            _ => self.wake(),
        }
    }

    /// Takes one out of the scene.
    fn any(&mut self) -> Service {
        let place = self.rng.random_range(0..self.scene.pods.len());
        self.scene.pods.remove(place)
    }

    /// The one that was frozen first goes on.
    fn wake(&mut self) {
        if !self.frozen.is_empty() {
            let woken = self.frozen.remove(0);
            woken.signal("CONT");
            self.scene.pods.push(woken);
        }
    }

    /// Wakes the frozen pods, and waits for the end of those that were stopped.
    async fn calm(mut self) {
        while !self.frozen.is_empty() {
            self.wake();
        }
        for mut pod in self.stopping {
            // A pod that had barely begun ends by the signal itself.
            pod.ended(LONG).await;
        }
    }
}
