//! Mutes, and what is told when they end.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;

use super::{
    super::{all, awake, world::now_ms},
    *,
};

impl FakeState {
    /// The end of the mute is told exactly once, if it kept alerts quiet and nothing
    /// forbade the line.
    fn check_told(&self, muted: u64) {
        let lines = self.muted_lines();
        let may_lack = self.unlucky > 0 || self.denied > 0;
        match (muted, lines.as_slice()) {
            (0, []) => {}
            (_, []) if may_lack => {}
            (1, [line]) => assert!(line.starts_with("1 alert was muted. "), "{line}"),
            (_, [line]) => assert!(line.starts_with(&format!("{muted} alerts were muted. ")), "{line}"),
            (_, lines) => assert_eq!(lines.len(), usize::from(muted > 0), "{muted} were muted: {lines:?}"),
        }
        let marks =
            self.buckets.iter().filter(|((_, key), (_, value))| key.ends_with(".muted") && value.is_some());
        assert_eq!(marks.count(), 0, "the note is left");
    }
}

#[test]
fn mutes_of_the_target_hold_for_what_comes_there() {
    let accepted = alerts(&["web", "web"]);
    let histories = all(1, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        world.lock().rules.insert(TARGET, rules(Vec::new(), vec![mute(1, "web")]));
        history(&world, &accepted, |world| world.copy_ids.clear()).await;
        let world = world.lock();
        let (all, muted) = (world.found(&accepted), world.counts(TARGET).muted as usize);
        let elsewhere = |found: &&Found| found.home + found.dead + found.dead_in_target > 0;
        assert!(all.values().all(|found| found.target == 0), "{all:?}");
        assert_eq!(all.values().filter(elsewhere).count() + muted, 2, "{all:?}");
    });
    assert!(histories > 20, "{histories}");
}

#[test]
fn the_end_of_a_mute_is_told_once_and_counts_what_was_muted() {
    let accepted = alerts(&["quiet", "quiet", "other"]);
    let mut told = 0;
    let histories = all(1, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        history(&world, &accepted, |_| {}).await;
        let muted = world.lock().counts(CHANNEL).muted;
        assert_eq!(world.lock().muted_lines(), [""; 0]);
        world.lock().rules.insert(CHANNEL, rules(Vec::new(), Vec::new()));
        while !live(&world).await {}
        // A process that died may have left the line to this one.
        while !live(&world).await {}
        let world = world.lock();
        world.check_places(&accepted, &["quiet"]);
        world.check_told(muted);
        told += usize::from(muted == 2);
    });
    assert!(histories > 20 && told > histories / 2, "{histories}, {told}");
}

/// Lives and dies, with nothing to do.
async fn stay_awake(world: &Arc<FakeWorld>) {
    loop {
        let (_wake, wakes) = mpsc::channel(1);
        tokio::select! {
            biased;
            () = world.crashed() => {}
            () = awake(services(world), CHANNEL, wakes) => {}
        }
    }
}

#[test]
fn a_mute_that_ends_by_its_time_is_told_then() {
    let accepted = alerts(&["quiet", "quiet", "other"]);
    let mut told = 0;
    let histories = all(1, async |world| {
        let until_ms = now_ms() + 60_000;
        let short = Mute { until_ms, ..mute(1, "quiet") };
        world.lock().rules.insert(CHANNEL, rules(Vec::new(), vec![short]));
        history(&world, &accepted, |_| {}).await;
        let muted = world.lock().counts(CHANNEL).muted;
        let had_evil = world.lock().choices.had_evil();
        let is_told = |world: &FakeState| !world.muted_lines().is_empty();
        tokio::select! {
            () = stay_awake(&world) => {}
            is_told = world.becomes(Duration::from_secs(120), is_told) => {
                assert!(!is_told || now_ms() >= until_ms, "too early");
                let late_ms = now_ms() - until_ms;
                assert!(!is_told || late_ms < 1_000 || world.lock().choices.had_evil(), "{late_ms} ms late");
                assert!(is_told || had_evil || world.lock().choices.had_evil(), "it is not told");
            }
        }
        // It is not told again, and the note goes.
        while !live(&world).await {}
        world.lock().check_told(muted);
        told += usize::from(muted == 2);
    });
    assert!(histories > 20 && told > histories / 2, "{histories}, {told}");
}

#[test]
fn mutes_that_end_together_share_messages() {
    let projects: Vec<String> = (1..=25).map(|number| format!("quiet-{number}")).collect();
    let projects: Vec<&str> = projects.iter().map(String::as_str).collect();
    let mutes = (1..).zip(&projects).map(|(number, project)| mute(number, project));
    all(0, async |world| {
        world.lock().rules.insert(CHANNEL, rules(Vec::new(), mutes.clone().collect()));
        history(&world, &alerts(&projects), |_| {}).await;
        world.lock().rules.insert(CHANNEL, rules(Vec::new(), Vec::new()));
        tokio::select! {
            () = stay_awake(&world) => {}
            _ = world.becomes(Duration::from_secs(10), |world| world.muted_lines().len() == 25) => {}
        }
        let world = world.lock();
        assert_eq!(world.muted_lines().len(), 25);
        let lengths = world.messages.values().map(|message| message.content.chars().count());
        assert!(lengths.clone().all(|length| length <= 2_000));
        assert!(lengths.count() <= 3, "each mute has a message of its own");
    });
}
