use super::*;

fn gateway(status: &GatewayStatus) -> String {
    status.show();
    status.readiness.report().1["gateway"].clone()
}

const fn shard(id: u32) -> ShardId {
    ShardId { id, total: 9 }
}

#[tokio::test(start_paused = true)]
async fn readiness_names_each_shard_that_is_down_for_long_and_since_when() {
    let status = GatewayStatus::new(Readiness::default());
    assert_eq!(status.readiness.report().1["gateway"], "connecting");
    status.down(shard(4), "connecting");
    assert!(gateway(&status).contains("connecting"), "a new one at once");
    status.up(shard(4));
    status.up(shard(0));
    assert_eq!(gateway(&status), "ok");

    status.down(shard(4), "reconnecting: cut");
    tokio::time::advance(PATIENCE - Duration::from_millis(1)).await;
    assert_eq!(gateway(&status), "ok", "not for a moment");
    status.down(shard(4), "reconnecting: cut again");
    tokio::time::advance(Duration::from_millis(1)).await;
    let words = gateway(&status);
    let since = words.strip_prefix("shard 4: down since ").expect("the shard");
    let since = since.strip_suffix(", reconnecting: cut again").expect("why");
    let since = DateTime::parse_from_rfc3339(since).expect("a time");
    assert!((0..60).contains(&(Utc::now() - since.to_utc()).num_seconds()), "{words}");
    status.forget(shard(4));
    assert_eq!(gateway(&status), "ok");
}

#[tokio::test(start_paused = true)]
async fn one_that_flaps_tells_how_often() {
    let status = GatewayStatus::new(Readiness::default());
    for _ in 0..150 {
        status.up(shard(1));
        status.down(shard(1), "cut");
    }
    tokio::time::advance(PATIENCE).await;
    assert!(gateway(&status).contains("(100 times in ten minutes), cut"));
    tokio::time::advance(LATELY).await;
    assert!(!gateway(&status).contains("times"));
}

#[tokio::test(start_paused = true)]
async fn of_very_many_a_few_are_named() {
    let status = GatewayStatus::new(Readiness::default());
    for id in 0..3 {
        status.down(shard(id), "connecting");
    }
    assert!(gateway(&status).contains("shard 2: ") && !gateway(&status).contains("more"));
    status.down(shard(3), "connecting");
    assert!(gateway(&status).ends_with("; and 1 more"), "{}", gateway(&status));
}
