//! Sorting leaves the alerts of an unfinished post or edit alone.

use std::time::Duration;

use shared::Alert;
use tokio::time::Instant;

use super::{
    super::{CHANNEL, all, change, event},
    alerts, history, rule, rules, usual,
};
use crate::rules::Action;

#[test]
fn an_unfinished_post_is_repeated_though_its_target_has_room_now() {
    let accepted = alerts(&["web", "web"]);
    let histories = all(1, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        world.lock().room_in_target = 0;
        history(&world, &accepted, |world| {
            world.room_in_target = usize::MAX;
            world.copy_ids.clear();
        })
        .await;
        world.lock().check_places(&accepted, &[]);
    });
    assert!(histories > 20, "{histories}");
}

#[test]
fn the_rest_of_a_refused_post_is_not_lost_when_a_rule_takes_its_first_alert() {
    let accepted = alerts(&["first", "other"]);
    let first_goes = rules(vec![rule(4, "first", Action::Drop)], Vec::new());
    let histories = all(1, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        world.lock().refuses = Some("title-1.");
        world.lock().rules_after_refusal = Some((CHANNEL, first_goes.clone()));
        history(&world, &accepted, |_| {}).await;
        world.lock().check_places(&accepted, &["first"]);
    });
    assert!(histories > 20, "{histories}");
}

#[test]
fn the_rest_of_a_failed_edit_is_not_lost_when_a_mute_takes_its_first_change() {
    let of = |project: &str, alert: Alert| Alert { project: project.to_owned(), ..alert };
    let news = of("other", event(1, "alpha"));
    let muted = of("quiet", change(2, "alpha", "issue.resolved"));
    let other = of("other", change(3, "alpha", "issue.assigned"));
    let histories = all(1, async |world| {
        world.lock().rules.insert(CHANNEL, usual());
        history(&world, std::slice::from_ref(&news), |_| {}).await;
        world.lock().edits_fail_until = Some(Instant::now() + Duration::from_secs(90));
        history(&world, &[muted.clone(), other.clone()], |_| {}).await;
        world.lock().check_changes(&[news.clone(), other.clone()]);
    });
    assert!(histories > 20, "{histories}");
}
