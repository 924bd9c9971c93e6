use reqwest::Method;

use super::*;

#[tokio::test]
async fn a_dropped_request_lets_the_next_one_go() {
    let limits = Limits::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    let route = Route::new(&Method::POST, "/channels/1/messages");
    let first = limits.acquire(&route, Priority::Alert, deadline).await.expect("the first goes");
    let (second, ()) = tokio::join!(limits.acquire(&route, Priority::Alert, deadline), async { drop(first) });
    assert!(second.is_ok());
}

#[tokio::test]
async fn an_alert_goes_before_commands_that_came_first() {
    let limits = Limits::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    let route = Route::new(&Method::POST, "/channels/1/messages");
    let order = Mutex::new(Vec::new());
    let go = |name, priority| {
        let (limits, route, order) = (&limits, &route, &order);
        async move {
            let permit = limits.acquire(route, priority, deadline).await.expect("there is time");
            order.lock().expect("no panic while held").push(name);
            // Nothing is known of the bucket: the next goes when this one has ended.
            drop(permit);
        }
    };
    let first = limits.acquire(&route, Priority::Command, deadline).await.expect("the first goes");
    tokio::join!(
        go("command", Priority::Command),
        go("command", Priority::Command),
        go("alert", Priority::Alert),
        async { drop(first) },
    );
    assert_eq!(order.into_inner().expect("no panic"), ["alert", "command", "command"]);
}
