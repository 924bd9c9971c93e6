use std::time::Duration;

use reqwest::Method;

use super::*;
use crate::discord::{
    answer::Window,
    limits::{Priority, bucket::Take},
};

fn post(channel: usize) -> Route {
    Route::new(&Method::POST, &format!("/channels/{channel}/messages"))
}

fn get(channel: usize) -> Route {
    Route::new(&Method::GET, &format!("/channels/{channel}"))
}

fn told(bucket: &RateBucket) {
    let window = Window { limit: 5, remaining: 5, reset_after: Duration::from_secs(60) };
    bucket.learn(window, true, Instant::now());
}

#[test]
fn another_channels_id_takes_nothing_away() {
    let mut buckets = BucketsByRoute::new();
    let first = buckets.learn(&post(1), "a");
    let second = buckets.learn(&post(2), "b");
    assert!(Arc::ptr_eq(&buckets.of(&post(1)), &first) && Arc::ptr_eq(&buckets.of(&post(2)), &second));
    assert!(!Arc::ptr_eq(&first, &second));
    let renamed = buckets.learn(&post(1), "c");
    assert!(!Arc::ptr_eq(&renamed, &first) && Arc::ptr_eq(&buckets.of(&post(1)), &renamed));
}

#[test]
fn routes_of_one_id_share_a_bucket_in_each_channel() {
    let mut buckets = BucketsByRoute::new();
    let provisional = buckets.of(&post(1));
    assert!(Arc::ptr_eq(&buckets.learn(&post(1), "a"), &provisional), "what is under way stays counted");
    assert!(Arc::ptr_eq(&buckets.learn(&get(1), "a"), &provisional));
    assert!(!Arc::ptr_eq(&buckets.learn(&post(2), "a"), &provisional));
}

#[test]
fn idle_buckets_are_forgotten_and_no_others() {
    let mut buckets = BucketsByRoute::new();
    told(&buckets.learn(&post(0), "kept"));
    let waits = buckets.of(&post(1)).queue(Priority::Alert);
    assert_eq!(buckets.of(&post(2)).take(Priority::Alert, Instant::now()), Take::Go);
    let kept = [0, 1, 2].map(|channel| buckets.of(&post(channel)));
    for channel in 3..3 * SWEEP_FROM {
        buckets.learn(&post(channel), "passing");
    }
    assert!(buckets.routes.len() <= SWEEP_FROM && buckets.by_id.len() <= SWEEP_FROM);
    for (channel, bucket) in kept.iter().enumerate() {
        assert!(Arc::ptr_eq(&buckets.of(&post(channel)), bucket), "{channel}");
    }
    drop(waits);
}
