//! Who may do what.

use reqwest::Method;
use sandbox_sentry::{Issue, Organization, Project, Token};
use serde_json::json;

use crate::client::{ALL, Answer, World, read};

async fn get(world: &World, token: &str, path: &str) -> Answer {
    read(world.request(token, Method::GET, path).send().await.unwrap()).await
}

#[tokio::test]
async fn tokens_of_an_integration_and_of_a_person_are_taken_with_and_without_a_prefix() {
    let world = World::start();
    for token in
        [Token::integration(world.acme), Token::user(world.acme, world.olivia), Token::bare(world.acme)]
    {
        let token = world.sandbox.add_token(token.scopes(["event:write"]));
        assert_eq!(get(&world, &token, &world.path("")).await.status, 200, "{token}");
    }
    assert!(world.token.starts_with("sntryi_"));
    let bare = world.sandbox.add_token(Token::bare(world.acme));
    assert!(bare.len() == 64 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

#[tokio::test]
async fn an_organization_token_may_not_touch_an_issue() {
    let world = World::start();
    let token = world.sandbox.add_token(Token::organization(world.acme));
    assert!(token.starts_with("sntrys_"));
    let answer = get(&world, &token, &world.path("")).await;
    assert_eq!((answer.status, answer.detail()), (403, "You do not have permission to perform this action."));
    let unknown = get(&world, "sntrys_unknown", &world.path("")).await;
    assert_eq!((unknown.status, unknown.detail()), (401, "Invalid org token"));
}

#[tokio::test]
async fn an_unknown_or_revoked_token_is_refused_with_401() {
    let world = World::start();
    let answer = get(&world, "sntryi_unknown", &world.path("")).await;
    assert_eq!((answer.status, answer.detail()), (401, "Invalid token"));
    world.sandbox.revoke_token(&world.token);
    assert_eq!(world.get(&world.path("")).await.status, 401);
    let url = format!("{}/api/0{}", world.sandbox.url(), world.path(""));
    for (header, words) in [
        ("", "Authentication credentials were not provided."),
        ("Basic x", "Authentication credentials were not provided."),
        ("Bearer", "Invalid token header. No credentials provided."),
        ("Bearer a b", "Invalid token header. Token string should not contain spaces."),
    ] {
        let request = crate::client::http().get(&url).header("authorization", header);
        let answer = read(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.detail()), (401, words));
    }
}

#[tokio::test]
async fn each_request_needs_one_of_its_scopes() {
    let world = World::start();
    let issue = world.path("");
    let (events, comments) = (world.path("events/latest/"), world.path("comments/"));
    let cases = [
        (Method::GET, issue.as_str(), vec!["event:read", "event:write", "event:admin"]),
        (Method::PUT, &issue, vec!["event:write", "event:admin"]),
        (Method::GET, &events, vec!["event:read", "event:write", "event:admin"]),
        (Method::POST, &comments, vec!["event:write", "event:admin"]),
        (Method::GET, "/organizations/acme/", vec!["org:read"]),
        (Method::GET, "/organizations/acme/teams/", vec!["org:read"]),
        (Method::GET, "/organizations/acme/members/", vec!["member:read"]),
        (Method::GET, "/projects/acme/backend-api/", vec!["project:read"]),
        (Method::DELETE, &issue, vec!["event:admin"]),
    ];
    for (method, path, enough) in cases {
        for scope in ALL {
            let token = world.sandbox.add_token(Token::integration(world.acme).scopes([scope]));
            let request = world.request(&token, method.clone(), path).json(&json!({ "text": scope }));
            let answer = read(request.send().await.unwrap()).await;
            assert_eq!(answer.status != 403, enough.contains(&scope), "{method} {path} {scope}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn scopes_can_be_edited_later() {
    let world = World::start();
    world.sandbox.set_scopes(&world.token, &["event:read"]);
    assert_eq!(world.put(json!({ "status": "resolved" })).await.status, 403);
    assert_eq!(world.get(&world.path("")).await.status, 200);
    assert!(world.kinds().is_empty());
}

#[tokio::test]
async fn what_belongs_to_another_organization_is_not_found() {
    let world = World::start();
    let other = world.sandbox.add_organization(Organization::new("other"));
    let project = world.sandbox.add_project(other, Project::new("backend-api"));
    let issue = world.sandbox.add_issue(project, Issue::new("x"));
    for path in [
        format!("/organizations/acme/issues/{issue}/"),
        format!("/organizations/other/issues/{issue}/"),
        "/organizations/other/".to_owned(),
        "/organizations/nobody/".to_owned(),
        "/projects/other/backend-api/".to_owned(),
        "/organizations/acme/issues/1/".to_owned(),
    ] {
        let answer = world.get(&path).await;
        let words = "The requested resource does not exist";
        assert_eq!((answer.status, answer.detail()), (404, words), "{path}");
    }
    assert_eq!(world.get(&format!("/organizations/{}/", world.acme)).await.status, 200);
}
