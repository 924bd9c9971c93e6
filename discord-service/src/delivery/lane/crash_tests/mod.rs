//! Runs the real lane on a world in memory, in which each call goes wrong in
//! turn. The process dies after it, its answer is lost, or Discord gives any of
//! its answers. A successor goes on: another real lane on the same world. The
//! tests walk through all histories with a given number of failures.

mod books;
mod choices;
mod discord;
mod ports;
mod sorting;
mod unusual;
mod world;

use std::{sync::Arc, time::Duration};

use shared::{
    Alert, ChannelId,
    alert::{Details, Frame},
    shutdown::CancellationToken,
};
use tokio::sync::{broadcast, mpsc};

use self::{
    choices::Choices,
    ports::Kv,
    world::{FakeWorld, Name},
};
use super::{Assignment, LaneFlag, Services, run};
use crate::{
    closure::Pauses,
    dead_letters::DeadLetterReason,
    delivery::{backlog_memory::BacklogMemory, messages::Messages, retry_turns::RetryTurns},
    render::{Layout, Style},
};

const CHANNEL: ChannelId = ChannelId::new(1);
/// More than all time since 1970, where the alerts come from.
const MAX_AGE: Duration = Duration::from_secs(100 * 365 * 86_400);

fn style() -> Style {
    let glyph_url = "https://sentry.example/glyph.png".parse().expect("a URL");
    Style { layout: Layout::Classic, glyph_url, links: true }
}

fn services(world: &Arc<FakeWorld>) -> Arc<Services> {
    let bucket = |name| Arc::new(Kv(world.clone(), name));
    Arc::new(Services {
        queue: world.clone(),
        retry_turns: Arc::new(RetryTurns::new()),
        memory: world
            .lock()
            .room
            .map_or_else(BacklogMemory::default, |(all, always)| BacklogMemory::new(all, always)),
        dead_letters: world.clone(),
        lanes_bucket: bucket(Name::Lanes),
        messages: Messages::new(bucket(Name::Messages)),
        routed: bucket(Name::Routed),
        stack_traces: world.clone(),
        names: world.clone(),
        authority: world.clone(),
        discord: world.clone(),
        access: world.clone(),
        // The next alert is a try.
        pauses: Pauses(vec![Duration::ZERO]),
        backlog_max: 20_000,
        style: style(),
        max_age: MAX_AGE,
        now_ms: world::now_ms,
        bad_token: CancellationToken::new(),
    })
}

/// Runs a lane from its start until nothing waits. `false` if its process died
/// before.
async fn live(world: &Arc<FakeWorld>) -> bool {
    tokio::select! {
        biased;
        () = world.crashed() => false,
        () = lane(services(world), CHANNEL) => true,
    }
}

/// Runs the lane of this channel until nothing waits for it.
async fn lane(services: Arc<Services>, channel: ChannelId) {
    let (_, wakes) = mpsc::channel(1);
    awake(services, channel, wakes).await;
}

/// The same, while there may be wake-ups.
async fn awake(services: Arc<Services>, channel: ChannelId, wakes: mpsc::Receiver<()>) {
    let told = broadcast::Sender::new(1);
    let assignment = Assignment {
        channel,
        lease_stop: CancellationToken::new(),
        wakes,
        reopenings: told.subscribe(),
        closed: LaneFlag::default(),
        untold: LaneFlag::default(),
    };
    // The future is large, and moving it would take longer than running it.
    Box::pin(run(services, assignment)).await;
}

/// Lives and dies until nothing waits. One more alert comes after each death.
async fn history(
    world: &Arc<FakeWorld>,
    at_first: &[Alert],
    later: &[Alert],
    nonces_pass: bool,
) -> Vec<Alert> {
    at_first.iter().for_each(|alert| world.accept(alert));
    let mut accepted = at_first.to_vec();
    let mut later = later.iter();
    loop {
        let at_rest = live(world).await;
        if !at_rest && nonces_pass {
            world.lock().forget_nonces();
        }
        match later.next() {
            Some(alert) => {
                world.accept(alert);
                accepted.push(alert.clone());
            }
            None if at_rest => return accepted,
            None => {}
        }
    }
}

/// Runs `one` on all histories with at most this many failures.
fn all(evils: usize, mut one: impl AsyncFnMut(Arc<FakeWorld>)) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let (mut choices, mut histories) = (Choices::new(evils), 0);
        loop {
            let world = FakeWorld::new(choices);
            one(world.clone()).await;
            histories += 1;
            choices = std::mem::replace(&mut world.lock().choices, Choices::new(0));
            if !choices.next() {
                return histories;
            }
        }
    })
}

/// Two of these fill a message.
fn event(number: u64, title: &str) -> Alert {
    Alert {
        title: Some(title.to_owned()),
        culprit: Some("c".repeat(1_000)),
        message: Some("m".repeat(1_000)),
        issue_id: Some(title.to_owned()),
        event_id: Some(number.to_string()),
        frame: Some(Frame { file: "f".to_owned(), line: Some(1), ..Frame::default() }),
        ..Alert::new("error", "backend", CHANNEL, number as i64)
    }
}

fn change(number: u64, title: &str, kind: &str) -> Alert {
    // Sentry sends the last change first, so the order on the bus is another.
    let at = if kind == "issue.archived" { 100 } else { number as i64 };
    let how = (kind == "issue.unresolved").then(|| "regression".to_owned());
    let details = Details { actor: Some(format!("actor-{number}.")), how, ..Details::default() };
    Alert {
        kind: kind.to_owned(),
        title: Some(format!("change {number}")),
        details,
        timestamp_ms: at,
        culprit: None,
        message: None,
        ..event(number, title)
    }
}

/// The issues of one post are not next to each other.
fn events() -> Vec<Alert> {
    let titles = ["alpha", "bravo", "alpha", "charlie"];
    titles.into_iter().zip(1..).map(|(title, number)| event(number, title)).collect()
}

/// Every change of two issues.
fn changes() -> [Alert; 6] {
    [
        event(1, "alpha"),
        event(2, "bravo"),
        change(3, "alpha", "issue.resolved"),
        change(4, "bravo", "issue.archived"),
        change(5, "alpha", "issue.unresolved"),
        change(6, "bravo", "issue.assigned"),
    ]
}

#[test]
fn no_crash_loses_or_doubles_an_alert_within_the_nonce_window() {
    let histories = all(1, async |world| {
        let accepted = history(&world, &events(), &[event(5, "alpha")], false).await;
        world.lock().check_events(&accepted, false);
        world.lock().check_stack_traces();
    });
    assert!(histories > 30, "{histories}");
}

#[test]
fn after_the_nonce_window_nothing_is_lost() {
    let histories = all(1, async |world| {
        let accepted = history(&world, &events(), &[], true).await;
        world.lock().check_events(&accepted, true);
    });
    assert!(histories > 30, "{histories}");
}

#[test]
fn no_crash_loses_or_doubles_a_refused_embed_and_it_costs_a_handful_of_requests() {
    let folded: Vec<Alert> =
        (1..=40).map(|number| event(number, ["alpha", "bravo"][(number % 2) as usize])).collect();
    let histories = all(1, async |world| {
        world.lock().refuses = Some("alpha");
        let accepted = history(&world, &folded, &[], false).await;
        let world = world.lock();
        world.check_events(&accepted, false);
        // Shared, alone and without links. A successor begins again.
        assert!(world.refusals <= 6, "{} requests were refused", world.refusals);
        let dead = world.dead();
        let refused = dead.iter().filter(|letter| letter.reason == DeadLetterReason::Refused);
        let unlucky = dead.iter().any(|letter| letter.reason != DeadLetterReason::Refused);
        assert!(refused.count() == 20 || unlucky);
    });
    assert!(histories > 30, "{histories}");
}

#[test]
fn no_crash_loses_or_doubles_a_change_or_lets_an_older_one_stand() {
    let alerts = changes();
    let mut histories = 0;
    // All come at once; or one after another, each to another process.
    for (at_first, evils) in [(alerts.len(), 1), (2, 1)] {
        histories += all(evils, async |world| {
            let (at_first, later) = alerts.split_at(at_first);
            let accepted = history(&world, at_first, later, false).await;
            world.lock().check_events(&accepted, false);
            world.lock().check_changes(&accepted);
        });
    }
    assert!(histories > 30, "{histories}");
}

#[test]
fn no_crash_loses_or_doubles_what_follows_when_a_closed_channel_opens() {
    let histories = all(1, async |world| {
        world.lock().closed_until = 3;
        let later = [event(2, "bravo"), event(3, "alpha"), event(4, "charlie")];
        let accepted = history(&world, &[event(1, "alpha")], &later, false).await;
        let world = world.lock();
        world.check_events(&accepted, false);
        let left = world.dead().into_iter().filter(|letter| letter.reason == DeadLetterReason::Unreachable);
        assert!(
            left.filter(|letter| !letter.may_have_been_posted).count() <= world.unlucky,
            "dead letters did not follow"
        );
    });
    assert!(histories > 30, "{histories}");
}
