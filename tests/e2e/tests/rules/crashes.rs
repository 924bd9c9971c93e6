//! Many alerts over many rules, while discord-service is killed again and again.

use std::time::Duration;

use e2e::{Seed, Stack, publish_alerts, report, scaled};
use harness::wait::wait_for;
use rand::Rng as _;
use shared::wire;
use tokio::time::sleep;

use crate::{
    books::Books,
    scene::{LONG, alert_of, builder, hits, mute, route, rule},
};

const RULES: usize = 20;
const TARGETS: usize = 5;
/// Projects of the alerts: one for each rule, one that is muted, one that no rule names.
const PROJECTS: usize = RULES + 2;
const MUTED: usize = RULES;

/// What the rule of a project does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Dropped,
    Kept,
    Routed(u64),
    Muted,
    NoRule,
}

fn fate(project: usize, targets: &[u64]) -> Fate {
    match project {
        MUTED => Fate::Muted,
        project if project >= RULES => Fate::NoRule,
        project if project % 5 == 3 => Fate::Dropped,
        project if project % 5 == 4 => Fate::Kept,
        project => Fate::Routed(targets[project % targets.len()]),
    }
}

fn name(project: usize) -> String {
    format!("project-{project:02}")
}

async fn make_rules(stack: &Stack, home: u64, targets: &[u64]) {
    for project in 0..RULES {
        let name = name(project);
        let condition = ("project", name.as_str());
        match fate(project, targets) {
            Fate::Dropped => drop(rule(stack, home, &[("action", "drop"), condition]).await),
            Fate::Kept => drop(rule(stack, home, &[("action", "keep"), condition]).await),
            Fate::Routed(target) => drop(route(stack, home, target, &[condition]).await),
            Fate::Muted | Fate::NoRule => {}
        }
    }
    mute(stack, home, &[("for", "7d"), ("project", &name(MUTED))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alert_is_in_exactly_one_place_and_every_hit_is_counted_once() {
    let (seed, mut books) = (Seed::new(), Books::default());
    let mut stack = builder().start().await;
    let home = stack.authorized_channel("home").await;
    let mut targets = Vec::new();
    for number in 0..TARGETS {
        targets.push(stack.authorized_channel(&format!("target-{number}")).await);
    }
    make_rules(&stack, home, &targets).await;

    let (alerts, mut rng) = (scaled(1_500, 10_000), seed.rng(1));
    let mut expected = [0; PROJECTS];
    let mut waiting = Vec::new();
    for number in 0..alerts {
        let project = rng.random_range(0..PROJECTS);
        expected[project] += 1;
        let title = format!("alert {number}");
        books.expect(
            &title,
            match fate(project, &targets) {
                Fate::Dropped | Fate::Muted => None,
                Fate::Kept | Fate::NoRule => Some(home),
                Fate::Routed(target) => Some(target),
            },
        );
        waiting.push(alert_of(home, &name(project), &title));
    }
    let mut kills = 0;
    let (first, rest) = waiting.split_at(alerts / 2);
    stack.discord.kill();
    publish_alerts(&stack, first.to_vec()).await;
    let dying = async {
        while kills < scaled(4, 10_000) && stack.stored(wire::ALERTS).await > 0 {
            stack.discord.restart();
            let stored = stack.stored(wire::ALERTS).await;
            wait_for("it does something", LONG, || async {
                (stack.stored(wire::ALERTS).await != stored).then_some(())
            })
            .await;
            sleep(Duration::from_millis(rng.random_range(0..scaled(300, 1_000)))).await;
            stack.discord.kill();
            kills += 1;
            if kills == 1 {
                publish_alerts(&stack, rest.to_vec()).await;
            }
        }
    };
    dying.await;
    stack.discord.restart();
    stack.discord.ready().await;

    let channels = [&[home], targets.as_slice()].concat();
    books.settle(&stack, &channels, LONG * 5).await;
    let of_rules = (0..RULES).chain([MUTED]).map(|project| expected[project]).collect::<Vec<u64>>();
    assert_eq!(hits(&stack, home).await, of_rules, "each alert counts once");
    report(&format!("{alerts} alerts over {RULES} rules, {kills} kills: each in one place, hits exact"));
}
