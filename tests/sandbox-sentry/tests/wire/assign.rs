//! Assigning, the priority and what was seen.

use sandbox_sentry::{Member, Organization, Project, Team, Token};
use serde_json::{Value, json};

use crate::client::World;

async fn refusal(world: &World, to: Value) -> Value {
    let answer = world.put(json!({ "assignedTo": to })).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    answer.body["assignedTo"][0].clone()
}

#[tokio::test]
async fn a_user_is_named_in_many_ways_and_a_team_in_one() {
    let world = World::start();
    let id = world.olivia.to_string();
    for name in [json!(format!("user:{id}")), json!(id), json!(world.olivia), json!("olivia@example.com")] {
        let answer = world.put(json!({ "assignedTo": name })).await;
        let olivia = json!({ "type": "user", "id": id, "name": "Olivia", "email": "olivia@example.com" });
        assert_eq!(answer.body["assignedTo"], olivia, "{name}");
    }
    let team = world.put(json!({ "assignedTo": format!("team:{}", world.team) })).await.body;
    assert_eq!(
        team["assignedTo"],
        json!({ "type": "team", "id": world.team.to_string(), "name": "backend" })
    );
    assert_eq!(world.put(json!({ "assignedTo": "" })).await.body["assignedTo"], Value::Null);
    // The same user again was no change.
    assert_eq!(world.kinds(), ["assigned", "assigned", "unassigned"]);
}

#[tokio::test]
async fn strangers_and_deactivated_members_get_no_issue() {
    let world = World::start();
    let gone = Member::new("Gone", "gone@example.com").deactivated();
    let id = gone.user().unwrap();
    world.sandbox.add_member(world.acme, gone);
    assert_eq!(refusal(&world, json!("user:1")).await, "User is not a member of this organization");
    assert_eq!(refusal(&world, json!("nobody")).await, "User is not a member of this organization");
    assert_eq!(refusal(&world, json!("team:1")).await, "Team is not a member of this organization");
    assert_eq!(refusal(&world, json!(format!("user:{id}"))).await, "Cannot assign to a deactivated member");
    assert_eq!(refusal(&world, Value::Null).await, "This field may not be null.");
    assert_eq!(refusal(&world, json!([])).await, "Unknown actor input");
}

#[tokio::test]
async fn without_open_membership_only_the_teams_of_the_project_get_its_issues() {
    let mut world = World::start();
    let closed = world.sandbox.add_organization(Organization::new("closed").closed_membership());
    let (inside, outside) = (Member::new("In", "in@example.com"), Member::new("Out", "out@example.com"));
    let (insider, outsider) = (inside.user().unwrap(), outside.user().unwrap());
    let own = world.sandbox.add_team(closed, Team::new("own").user(insider));
    let foreign = world.sandbox.add_team(closed, Team::new("foreign").user(outsider));
    world.sandbox.add_member(closed, inside);
    world.sandbox.add_member(closed, outside);
    let project = world.sandbox.add_project(closed, Project::new("api").team(own));
    world.issue = world.sandbox.add_issue(project, sandbox_sentry::Issue::new("x"));
    world.token = world.sandbox.add_token(Token::integration(closed).scopes(["event:write"]));
    let put = async |to: String| {
        let path = format!("/organizations/closed/issues/{}/", world.issue);
        let request = world.request(&world.token, reqwest::Method::PUT, &path);
        crate::client::read(request.json(&json!({ "assignedTo": to })).send().await.unwrap()).await
    };
    assert_eq!(put(format!("user:{insider}")).await.status, 200);
    assert_eq!(put(format!("team:{own}")).await.status, 200);
    let refused = put(format!("user:{outsider}")).await;
    assert_eq!(refused.body, json!({ "assignedTo": ["Cannot assign to non-team member"] }));
    let refused = put(format!("team:{foreign}")).await;
    assert_eq!(
        refused.body,
        json!({ "assignedTo": ["Cannot assign to a team without access to the project"] })
    );
}

#[tokio::test]
async fn a_priority_is_locked() {
    let world = World::start();
    let issue = world.put(json!({ "priority": "low" })).await.body;
    assert_eq!(issue["priority"], "low");
    assert!(issue["priorityLockedAt"].is_string());
    assert_eq!(world.kinds(), ["set_priority"]);
}

#[tokio::test]
async fn an_integration_does_not_see() {
    let world = World::start();
    assert_eq!(world.put(json!({ "hasSeen": true })).await.body["hasSeen"], false);
    let token = Token::user(world.acme, world.olivia).scopes(["event:write"]);
    let token = world.sandbox.add_token(token);
    assert_eq!(world.put_with(&token, json!({ "hasSeen": true })).await.body["hasSeen"], true);
}
