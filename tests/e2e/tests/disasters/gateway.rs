//! The gateway drops its connections again and again.

use std::time::{Duration, Instant};

use e2e::{report, scaled};
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Config, Limit};
use tokio::time::sleep;

use crate::scene::Scene;

/// The longest until the bot hears again: two identifies are five seconds apart.
const PROMPT: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread")]
async fn after_each_drop_the_bot_hears_again_as_soon_as_after_the_first() {
    // No identify is refused for its time, because the test measures the bot's
    // own waits.
    let config = Config::default().clocks(|clocks| {
        clocks.identify_window = Duration::from_millis(200);
        clocks.channel = Limit::new(5, Duration::from_millis(scaled(250, 5_000)));
    });
    let scene = Scene::with(config, 2).await;
    let (sandbox, owner) = (&scene.stack.sandbox, scene.stack.owner);
    let drops: [(&str, &dyn Fn()); 4] = [
        ("cut", &|| sandbox.cut_gateway()),
        ("asked to reconnect", &|| sandbox.reconnect_gateway()),
        ("invalidated", &|| sandbox.invalidate_sessions(false)),
        ("closed with 4009", &|| sandbox.close_gateway(4009)),
    ];
    let took = scene
        .under_load(async {
            let mut took = Vec::new();
            for round in 0..scaled(8, 40) {
                let (name, act) = drops[round % drops.len()];
                let start = Instant::now();
                let before = sandbox.stats();
                let sessions = before.identifies + before.resumes;
                act();
                wait_for(&format!("a session after it was {name}"), Duration::from_secs(60), || async {
                    let now = sandbox.stats();
                    (now.identifies + now.resumes > sessions).then_some(())
                })
                .await;
                took.push((name, start.elapsed()));
                sleep(Duration::from_millis(scaled(500, 5_000))).await;
            }
            took
        })
        .await;
    report(&format!("a session again after {took:?}"));
    let mut times: Vec<Duration> = took.iter().map(|(_, took)| *took).collect();
    times.sort();
    // A busy machine may have stood still once.
    assert!(times[times.len() - 2] < PROMPT, "{took:?}");
    let log = scene.stack.discord.log();
    for words in ["4009", "session timed out", "The sandbox was told to close."] {
        assert!(log.contains(words), "the close codes are logged: {words}");
    }
    scene.stack.until_listening().await;
    let reply = scene.stack.command_in(scene.channels[0], owner, "!sentry h").await;
    assert_eq!(reply.embeds()[0]["title"], "***SENTRY HELP***");
    scene.works(&scene.channels, SOON).await;
    scene.settle().await;
    assert!(scene.stack.dead_letters().await.is_empty());
}
