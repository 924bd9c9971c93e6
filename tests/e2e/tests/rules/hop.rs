//! The way of an alert from its home to a rule's target, disturbed at the worst moment.

use std::mem::replace;

use e2e::{Seed, Stack, publish_alerts, report, scaled};
use harness::{service::Service, wait::SOON};
use rand::Rng as _;

use crate::{
    books::Books,
    copies::{Copies, NoWindow},
    scene::{LONG, alert_of, builder, route},
};

/// Alerts of each round.
const EACH: usize = 40;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// kill -9 of discord-service, which finds a backlog when it starts.
    Kill,
    /// kill -9 of NATS, which keeps its files.
    Nats,
    /// SIGTERM of one of two pods.
    HandOver,
}

/// Two pods. One takes over from the other.
struct Scene {
    stack: Stack,
    other: Service,
}

impl Scene {
    async fn strike(&mut self, blow: Blow) {
        match blow {
            Blow::Kill => {
                self.other.signal("KILL");
                self.stack.discord.signal("KILL");
            }
            Blow::Nats => self.stack.nats.restart().await,
            Blow::HandOver => {
                self.stack.discord.signal("TERM");
                let successor = self.stack.add_discord();
                let mut leaving = replace(&mut self.stack.discord, replace(&mut self.other, successor));
                assert!(leaving.ended(LONG).await.success(), "it hands over in peace");
            }
        }
    }

    /// Publishes a round's alerts and strikes as soon as so many copies are on the bus.
    async fn round(&mut self, blow: Blow, home: u64, round: usize, copies: &Copies, moment: usize) {
        let alerts = (0..EACH).map(|number| alert_of(home, "shop", &title(round, number)));
        let seen = copies.seen();
        if blow == Blow::Kill {
            self.stack.discord.kill();
            self.other.kill();
            publish_alerts(&self.stack, alerts).await;
            self.stack.discord.restart();
            self.other.restart();
            copies.until_more_than(seen + moment).await;
        } else {
            tokio::join!(publish_alerts(&self.stack, alerts), copies.until_more_than(seen + moment));
        }
        self.strike(blow).await;
    }
}

fn title(round: usize, number: usize) -> String {
    format!("round {round} number {number}")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_moved_once_whatever_dies_at_that_moment_and_however_late_it_is_repeated() {
    let (seed, mut books) = (Seed::new(), Books::default());
    let stack = builder().start().await;
    let (home, target) = (stack.authorized_channel("home").await, stack.authorized_channel("shop").await);
    route(&stack, home, target, &[("project", "shop")]).await;
    let other = stack.add_discord();
    other.ready().await;
    let mut scene = Scene { stack, other };
    // Nothing but the bot's own memory keeps it from moving an alert twice.
    let window = NoWindow::keep(&scene.stack).await;
    let mut rng = seed.rng(1);
    let blows = [(Blow::Kill, scaled(3, 40)), (Blow::Nats, scaled(1, 10)), (Blow::HandOver, scaled(2, 20))];
    let mut rounds = 0;
    for (blow, count) in blows {
        // NATS tells of copies only while it is there.
        let mut copies = Copies::follow(&scene.stack, target).await;
        for _ in 0..count {
            (0..EACH).for_each(|number| books.expect(&title(rounds, number), Some(target)));
            scene.round(blow, home, rounds, &copies, rng.random_range(0..EACH)).await;
            if blow == Blow::Nats {
                copies = Copies::follow(&scene.stack, target).await;
            }
            rounds += 1;
        }
        scene.stack.discord.restart();
        scene.other.restart();
        tokio::join!(scene.stack.discord.ready(), scene.other.ready());
        books.settle(&scene.stack, &[home, target], LONG).await;
    }

    let copies = Copies::follow(&scene.stack, target).await;
    books.expect("repeated", Some(target));
    publish_alerts(&scene.stack, [alert_of(home, "shop", "repeated")]).await;
    copies.until_more_than(0).await;
    books.settle(&scene.stack, &[home, target], LONG).await;
    window.passes(&scene.stack).await;
    copies.repeat(&scene.stack).await;
    books.settle(&scene.stack, &[home, target], SOON).await;
    report(&format!("{rounds} rounds of {EACH} alerts with something that dies at the hop: each shown once"));
}
