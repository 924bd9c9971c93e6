//! Organizations, projects, and installed integrations.

use reqwest::Method;
use sandbox_sentry::Token;
use serde_json::json;

use crate::client::{World, read};

#[tokio::test]
async fn an_organization_tells_its_region() {
    let world = World::start();
    let acme = world.get("/organizations/acme/").await.body;
    assert_eq!((&acme["slug"], &acme["name"]), (&json!("acme"), &json!("Acme")));
    assert_eq!(acme["id"], json!(world.acme.to_string()));
    assert_eq!(acme["links"]["regionUrl"], world.sandbox.url());
}

#[tokio::test]
async fn projects_tell_their_teams_and_latest_release() {
    let world = World::start();
    world.sandbox.add_release(world.project, "1.0");
    let list = world.get("/organizations/acme/projects/").await.body;
    assert_eq!((&list[0]["slug"], &list[0]["teams"][0]["slug"]), (&json!("backend-api"), &json!("backend")));
    let project = world.get(&format!("/projects/acme/{}/", world.project)).await.body;
    assert_eq!(project["latestRelease"]["version"], "1.0");
    assert_eq!(project, list[0]);
}

#[tokio::test]
async fn a_person_may_list_the_installed_integrations_and_an_integration_may_not() {
    let world = World::start();
    let path = "/organizations/acme/sentry-app-installations/";
    let refused = world.get(path).await;
    assert_eq!((refused.status, refused.detail()), (403, "User must belong to the given organization"));
    let token = world.sandbox.add_token(Token::user(world.acme, world.olivia).scopes(["org:read"]));
    let list = read(world.request(&token, Method::GET, path).send().await.unwrap()).await;
    assert_eq!((list.status, &list.body[0]["app"]["slug"]), (200, &json!("discord")));
    assert_eq!(list.body[0]["status"], "installed");
}
