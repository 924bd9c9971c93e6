//! A flood of commands in other servers.

use std::time::{Duration, Instant};

use e2e::{report, scaled, worst_but_one};
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Channel, Config, Guild, User};
use tokio::time::{interval, sleep};

use crate::scene::Scene;

/// Commands typed in a second, in one channel of each of these servers.
const TYPED: u32 = 40;
const SERVERS: usize = 2;

/// The longest until a lone alert in its channel is shown.
const PROMPT: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_feels_it() {
    // Discord's own limits, because the test is about how a flood uses them up.
    let config = Config::default().clocks(|clocks| clocks.identify_window = Duration::from_millis(200));
    let scene = Scene::with(config, 2).await;
    let sandbox = &scene.stack.sandbox;
    let mallory = sandbox.add_user(User::new("mallory"));
    let flooded = (0..SERVERS).map(|_| {
        let elsewhere = sandbox.add_guild(Guild::new("Elsewhere", mallory));
        sandbox.add_channel(elsewhere, Channel::text("flooded"))
    });
    let flooded: Vec<u64> = flooded.collect();
    let end = Instant::now() + Duration::from_secs(scaled(8, 60));

    let flood = async {
        let mut beat = interval(Duration::from_secs(1) / TYPED);
        while Instant::now() < end {
            beat.tick().await;
            for channel in &flooded {
                sandbox.say(mallory, *channel, "!sentry h").expect("a server's owner may write there");
            }
        }
    };
    let alerts = async {
        let mut took = Vec::new();
        while Instant::now() < end {
            let (start, title) = (Instant::now(), scene.alert(scene.channels[0]).await);
            wait_for("a lone alert is shown", SOON, || async {
                scene.shows(scene.channels[0], &title).then_some(())
            })
            .await;
            took.push(start.elapsed());
            sleep(Duration::from_millis(1_200)).await;
        }
        took
    };
    let commands = async {
        let (mut typed, mut slash) = (Vec::new(), Vec::new());
        while Instant::now() < end {
            let start = Instant::now();
            scene.stack.command_in(scene.channels[1], scene.stack.owner, "!sentry h").await;
            typed.push(start.elapsed());
            let start = Instant::now();
            let used = sandbox.slash(scene.stack.owner, scene.channels[1], "sentry help", &[]);
            let used = used.expect("the command is registered");
            used.answer().await.expect("Discord waits for three seconds");
            slash.push(start.elapsed());
            sleep(Duration::from_millis(1_200)).await;
        }
        (typed, slash)
    };
    let ((), alerts, (typed, slash)) = tokio::join!(flood, alerts, commands);
    report(&format!(
        "beside {TYPED} commands a second in each of {SERVERS} servers: alerts {:?}, typed commands {:?}, slash commands {:?} at most",
        alerts.iter().max(),
        typed.iter().max(),
        slash.iter().max()
    ));
    assert!(worst_but_one(alerts.clone()) < PROMPT, "{alerts:?}");
    assert!(worst_but_one(typed.clone()) < PROMPT, "{typed:?}");
    assert!(worst_but_one(slash.clone()) < PROMPT, "{slash:?}");
    scene.settle().await;
    assert!(scene.stack.dead_letters().await.is_empty());
}
