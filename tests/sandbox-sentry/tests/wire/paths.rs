//! Which issue a path names, and paths that name nothing.

use reqwest::Method;
use sandbox_sentry::Issue;
use serde_json::{Value, json};

use crate::client::{World, http, read};

#[tokio::test]
async fn an_issue_is_found_by_its_short_id_and_its_organizations_id() {
    let world = World::start();
    for path in [
        "/organizations/acme/issues/BACKEND-API-1/".to_owned(),
        "/organizations/acme/issues/backend-api-1/".to_owned(),
        format!("/organizations/{}/issues/{}/", world.acme, world.issue),
    ] {
        assert_eq!(world.get(&path).await.body["id"], json!(world.issue.to_string()), "{path}");
    }
}

#[tokio::test]
async fn collapsed_parts_are_left_out() {
    let world = World::start();
    let whole = world.get(&world.path("")).await.body;
    let brief = world.get(&world.path("?collapse=stats&collapse=tags&collapse=release")).await.body;
    for part in ["stats", "tags", "firstRelease", "lastRelease"] {
        assert!(whole.get(part).is_some() && brief.get(part).is_none(), "{part}");
    }
}

#[tokio::test]
async fn a_merged_issue_answers_as_the_one_it_was_merged_into() {
    let world = World::start();
    let (second, third) = (
        world.sandbox.add_issue(world.project, Issue::new("second")),
        world.sandbox.add_issue(world.project, Issue::new("third")),
    );
    world.sandbox.merge_issue(world.issue, second);
    world.sandbox.merge_issue(second, third);
    assert_eq!(world.get(&world.path("")).await.body["id"], json!(third.to_string()));
    assert_eq!(world.put(json!({ "status": "resolved" })).await.body["title"], "third");
    assert_eq!((world.kinds().len(), world.sandbox.activities(third).len()), (0, 1));
}

#[tokio::test]
async fn a_deleted_issue_is_gone() {
    let world = World::start();
    world.sandbox.delete_issue(world.issue);
    assert_eq!(world.get(&world.path("")).await.status, 404);
    assert_eq!(world.put(json!({ "status": "resolved" })).await.status, 404);
    assert_eq!(world.comment("x").await.status, 404);
    let mut world = World::start();
    let delete = world.request(&world.token, Method::DELETE, &world.path("")).send().await.unwrap();
    assert_eq!(delete.status(), 202);
    assert_eq!(world.get(&world.path("events/latest/")).await.status, 404);
    world.issue = world.sandbox.add_issue(world.project, Issue::new("next"));
    assert_eq!(world.get(&world.path("")).await.body["shortId"], "BACKEND-API-2");
}

#[tokio::test]
async fn paths_without_the_organization_are_gone() {
    let world = World::start();
    for rest in ["", "events/latest/", "comments/"] {
        let answer = world.get(&format!("/issues/{}/{rest}", world.issue)).await;
        assert_eq!((answer.status, &answer.body), (410, &json!({ "message": "This API no longer exists." })));
        assert!(!answer.header("x-sentry-deprecation-date").is_empty());
        assert!(answer.header("x-sentry-replacement-endpoint").starts_with("/api/0/organizations/"));
    }
}

#[tokio::test]
async fn a_path_without_its_last_slash_is_unknown_and_says_why() {
    let world = World::start();
    let path = world.path("");
    let answer = world.get(path.trim_end_matches('/')).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.as_str().unwrap().starts_with("Route not found, did you forget a trailing slash?"));
    let request = world.request(&world.token, Method::PUT, path.trim_end_matches('/')).json(&json!({}));
    let answer = read(request.send().await.unwrap()).await;
    assert!(answer.body["info"].as_str().unwrap().ends_with(&format!("try: /api/0{path}")));
    assert_eq!(world.get("/nowhere/").await.body, Value::Null);
    assert_eq!(http().get(world.sandbox.url()).send().await.unwrap().status(), 404);
    assert_eq!(world.sandbox.unknown_requests().len(), 4);
}

#[tokio::test]
async fn another_method_is_not_allowed() {
    let world = World::start();
    let answer =
        read(world.request(&world.token, Method::PATCH, &world.path("")).send().await.unwrap()).await;
    assert_eq!((answer.status, answer.detail()), (405, "Method \"PATCH\" not allowed."));
}

#[tokio::test]
async fn a_permalink_leads_to_a_page_that_shows_the_issue_as_text() {
    let mut world = World::start();
    world.issue = world.sandbox.add_issue(world.project, Issue::new("<script>alert(1)</script>"));
    world.change(json!({ "status": "ignored" })).await;
    world.comment("<b>Archived</b> by Ada").await;
    let link = world.sandbox.issue(world.issue).unwrap()["permalink"].as_str().unwrap().to_owned();
    let page = read(http().get(&link).send().await.unwrap()).await;
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    let page = page.body.as_str().unwrap();
    assert!(page.contains("<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>"), "{page}");
    assert!(page.contains("BACKEND-API-2: <b>ignored</b> archived forever"), "{page}");
    assert!(page.contains("<li>Discord: note &lt;b&gt;Archived&lt;/b&gt; by Ada</li>"), "{page}");
    assert_eq!(http().get(link.replace("acme", "other")).send().await.unwrap().status(), 404);
    assert!(world.sandbox.unknown_requests().is_empty());
}
