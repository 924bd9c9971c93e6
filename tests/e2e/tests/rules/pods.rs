//! Rules that two pods use, and that are changed while they do.

use std::time::Duration;

use e2e::publish_alerts;
use futures::future::join_all;
use tokio::time::sleep;

use crate::scene::{LONG, alert_of, builder, hits, rule};

/// Enough that both pods serve some.
const HOMES: usize = 6;
const AT_ONCE: usize = 12;
/// How soon a change is in effect everywhere.
const EFFECTIVE: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn rules_made_at_once_are_all_kept_and_a_change_is_in_effect_everywhere_within_a_second() {
    let stack = builder().start().await;
    let second = stack.add_discord();
    second.ready().await;
    let mut homes = Vec::new();
    for number in 0..HOMES {
        homes.push(stack.authorized_channel(&format!("home-{number}")).await);
    }
    let projects: Vec<String> = (0..AT_ONCE).map(|number| format!("project-{number}")).collect();
    let home = homes[0];
    let said = join_all(projects.iter().map(|project| {
        let stack = &stack;
        async move { rule(stack, home, &[("action", "drop"), ("project", project)]).await }
    }))
    .await;
    let number = |said: &String| said["Rule ".len()..].split(':').next()?.parse::<usize>().ok();
    let mut numbers: Vec<usize> = said.iter().filter_map(number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, Vec::from_iter(1..=AT_ONCE));
    assert_eq!(hits(&stack, home).await, [0; AT_ONCE]);

    let alert = async |title: &str| {
        publish_alerts(&stack, homes.iter().map(|home| alert_of(*home, "shop", title))).await;
        stack.until_drained(LONG).await;
        homes.iter().map(|home| stack.alerts(*home)).collect::<Vec<_>>()
    };
    assert_eq!(alert("before").await, [1; HOMES]);
    for home in &homes {
        rule(&stack, *home, &[("action", "drop"), ("project", "sh*")]).await;
    }
    sleep(EFFECTIVE).await;
    assert_eq!(alert("dropped").await, [1; HOMES], "both pods know the new rule");
    for home in &homes {
        let number = if *home == homes[0] { AT_ONCE + 1 } else { 1 };
        let removed = stack.whisper("sentry rule remove", *home, &[("number", &number.to_string())]).await;
        assert!(removed.content().starts_with(&format!("Removed rule {number}")), "{}", removed.content());
    }
    sleep(EFFECTIVE).await;
    assert_eq!(alert("after").await, [2; HOMES], "both pods know that it is gone");
    stack.assert_all_posted(LONG).await;
}
