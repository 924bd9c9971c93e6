//! Rate limits.

use std::time::{SystemTime, UNIX_EPOCH};

use harness::wait::{SOON, wait_for};
use sandbox_sentry::{Config, LimitBody, Organization, Project, RateLimit, RateLimits, Token, endpoint};
use serde_json::json;

use crate::client::{Answer, World};

/// 5 changes in a window that ends in the year 2033, so that no test sees its end.
fn limits() -> RateLimits {
    let update_issue = RateLimit::new(5, 1_000_000_000);
    RateLimits { update_issue, ..RateLimits::unlimited() }
}

async fn resolve(world: &World, token: &str) -> Answer {
    world.put_with(token, json!({ "status": "resolved" })).await
}

#[tokio::test]
async fn sentrys_own_limits_are_the_default_and_every_answer_tells_them() {
    let world = World::with(Config::default());
    for (path, limit) in [
        (world.path(""), "5"),
        (world.path("events/latest/"), "15"),
        ("/organizations/acme/members/".to_owned(), "40"),
        ("/organizations/acme/teams/".to_owned(), "40"),
    ] {
        let answer = world.get(&path).await;
        assert_eq!(answer.header("x-sentry-rate-limit-limit"), limit, "{path}");
    }
    let answer = resolve(&world, &world.token).await;
    assert_eq!(answer.header("x-sentry-rate-limit-limit"), "5");
    assert_eq!(answer.header("x-sentry-rate-limit-concurrentlimit"), "25");
    assert_eq!(answer.header("x-sentry-rate-limit-concurrentremaining"), "24");
    let reset: u64 = answer.header("x-sentry-rate-limit-reset").parse().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(reset <= now + 1, "{reset} {now}");
}

#[tokio::test]
async fn the_sixth_change_of_an_organization_waits_for_the_window_to_end() {
    let world = World::with(Config::default().limits(limits()));
    let second = world.sandbox.add_token(Token::integration(world.acme).scopes(["event:write"]));
    for left in (0..5).rev() {
        // All tokens of integrations in an organization share one window.
        let token = if left % 2 == 0 { &second } else { &world.token };
        let answer = resolve(&world, token).await;
        assert_eq!(answer.header("x-sentry-rate-limit-remaining"), left.to_string());
        assert_eq!((answer.status, answer.header("x-sentry-rate-limit-reset")), (200, "2000000000"));
    }
    let refused = resolve(&world, &second).await;
    assert_eq!(refused.status, 429);
    let words =
        "You are attempting to use this endpoint too frequently. Limit is 5 requests in 1000000000 seconds";
    assert_eq!(refused.body, json!({ "detail": words }));
    assert_eq!(refused.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(refused.header("x-sentry-rate-limit-remaining"), "0");
    assert_eq!(refused.header("x-sentry-rate-limit-reset"), "2000000000");
    assert_eq!(refused.header("retry-after"), "");
    assert_eq!((world.kinds().len(), world.sandbox.count(endpoint::UPDATE_ISSUE)), (5, 6));
    // Reading has a window of its own.
    assert_eq!(world.get(&world.path("")).await.status, 200);
}

#[tokio::test]
async fn people_and_other_organizations_have_windows_of_their_own() {
    let mut world = World::with(Config::default().limits(limits()));
    for _ in 0..6 {
        resolve(&world, &world.token).await;
    }
    let olivia = world.sandbox.add_token(Token::user(world.acme, world.olivia).scopes(["event:write"]));
    assert_eq!(resolve(&world, &olivia).await.header("x-sentry-rate-limit-remaining"), "4");
    let other = world.sandbox.add_organization(Organization::new("other"));
    let project = world.sandbox.add_project(other, Project::new("api"));
    world.issue = world.sandbox.add_issue(project, sandbox_sentry::Issue::new("x"));
    let token = world.sandbox.add_token(Token::integration(other).scopes(["event:write"]));
    assert_eq!(resolve(&world, &token).await.header("x-sentry-rate-limit-remaining"), "4");
    // Strangers are counted by their address, before they are told that they are strangers.
    for expected in [401, 401, 401, 401, 401, 429] {
        assert_eq!(resolve(&world, "unknown").await.status, expected);
    }
}

#[tokio::test]
async fn a_window_ends() {
    let limits = RateLimits { update_issue: RateLimit::new(1, 1), ..RateLimits::unlimited() };
    let world = World::with(Config::default().limits(limits));
    for status in [429, 200] {
        wait_for("the window's end, and one more change in it", SOON, || async {
            (resolve(&world, &world.token).await.status == status).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn older_versions_answer_a_bare_string() {
    let config = Config::default().limits(limits()).limit_body(LimitBody::Text);
    let world = World::with(config);
    let mut last = resolve(&world, &world.token).await;
    for _ in 0..5 {
        last = resolve(&world, &world.token).await;
    }
    assert_eq!(last.status, 429);
    assert!(last.body.as_str().unwrap().starts_with("You are attempting"));
}

#[tokio::test]
async fn a_self_hosted_sentry_has_no_limits_and_tells_none() {
    let world = World::with(Config::default().without_limits());
    for _ in 0..6 {
        let answer = resolve(&world, &world.token).await;
        assert_eq!((answer.status, answer.header("x-sentry-rate-limit-limit")), (200, ""));
    }
}
