//! Members, teams, issues and their pages.

use sandbox_sentry::{Issue, Member, Team};
use serde_json::{Value, json};

use crate::client::{Answer, World};

fn names(answer: &Answer, field: &str) -> Vec<String> {
    answer.body.as_array().unwrap().iter().map(|item| item[field].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_member_has_two_ids_and_an_invited_one_has_no_user() {
    let world = World::start();
    world.sandbox.add_member(world.acme, Member::invited("new@example.com"));
    world.sandbox.add_member(world.acme, Member::new("Gone", "gone@example.com").deactivated());
    let list = world.get("/organizations/acme/members/").await;
    assert_eq!(names(&list, "email"), ["olivia@example.com", "new@example.com"]);
    let (olivia, invited) = (&list.body[0], &list.body[1]);
    assert_eq!(olivia["user"]["id"], json!(world.olivia.to_string()));
    assert_ne!(olivia["user"]["id"], olivia["id"]);
    assert_eq!((&olivia["pending"], &invited["pending"]), (&json!(false), &json!(true)));
    assert_eq!(invited["user"], Value::Null);
}

#[tokio::test]
async fn members_are_searched_by_address_user_or_any_part() {
    let world = World::start();
    world.sandbox.add_member(world.acme, Member::new("Kenji", "kenji@example.com"));
    let user = format!("user.id:{}", world.olivia);
    for (query, found) in [
        ("email:kenji@example.com", vec!["Kenji"]),
        ("email:kenji", vec![]),
        (&user, vec!["Olivia"]),
        ("oLiV", vec!["Olivia"]),
        ("example", vec!["Olivia", "Kenji"]),
        ("unknown:x", vec![]),
    ] {
        let list = world.get(&format!("/organizations/acme/members/?query={query}")).await;
        assert_eq!(names(&list, "name"), found, "{query}");
    }
}

#[tokio::test]
async fn pages_name_their_neighbours_in_a_link() {
    let world = World::start();
    for number in 0..149 {
        world.sandbox.add_member(world.acme, Member::new("x", format!("{number}@example.com")));
    }
    let path = "/organizations/acme/members/";
    let (base, first) = (world.sandbox.url(), world.get(path).await);
    assert_eq!(first.body.as_array().unwrap().len(), 100);
    assert_eq!(
        first.header("link"),
        format!(
            "<{base}/api/0{path}?&cursor=100:-1:1>; rel=\"previous\"; results=\"false\"; cursor=\"100:-1:1\", \
             <{base}/api/0{path}?&cursor=100:1:0>; rel=\"next\"; results=\"true\"; cursor=\"100:1:0\""
        )
    );
    let second = world.get(&format!("{path}?&cursor=100:1:0")).await;
    assert_eq!(second.body.as_array().unwrap().len(), 50);
    assert!(second.header("link").contains("rel=\"previous\"; results=\"true\""));
    assert!(second.header("link").contains("rel=\"next\"; results=\"false\""));
    let small = world.get(&format!("{path}?per_page=7&query=example")).await;
    assert_eq!(small.body.as_array().unwrap().len(), 7);
    assert!(small.header("link").contains("?per_page=7&query=example&cursor=7:1:0>"), "{small:?}");
    for wrong in ["per_page=0", "per_page=101", "per_page=x", "cursor=x", "cursor=1:2", "cursor=1:2:3"] {
        assert_eq!(world.get(&format!("{path}?{wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn teams_of_the_organization_and_those_of_a_project() {
    let world = World::start();
    world.sandbox.add_team(world.acme, Team::new("mobile"));
    let teams = world.get("/organizations/acme/teams/?detailed=0").await;
    assert_eq!(names(&teams, "slug"), ["backend", "mobile"]);
    assert_eq!(teams.body[0]["id"], json!(world.team.to_string()));
    let found = world.get("/organizations/acme/teams/?query=MOB").await;
    assert_eq!(names(&found, "name"), ["mobile"]);
    let own = world.get("/projects/acme/backend-api/teams/").await;
    assert_eq!(names(&own, "slug"), ["backend"]);
    world.sandbox.add_member(world.acme, Member::new("Kenji", "kenji@example.com"));
    let members = world.get("/projects/acme/backend-api/members/").await;
    assert_eq!(names(&members, "name"), ["Olivia"]);
}

#[tokio::test]
async fn issues_are_listed_by_state() {
    let world = World::start();
    world.sandbox.add_issue(world.project, Issue::new("second"));
    world.change(json!({ "status": "resolved" })).await;
    for (query, found) in [
        ("", vec!["second"]),
        ("?query=is:resolved", vec!["KeyError: 'id'"]),
        ("?query=is:archived", vec![]),
        ("?query=", vec!["KeyError: 'id'", "second"]),
    ] {
        let list = world.get(&format!("/organizations/acme/issues/{query}")).await;
        assert_eq!(names(&list, "title"), found, "{query}");
    }
    assert_eq!(world.get("/organizations/acme/issues/?query=level:error").await.status, 501);
}
