//! Options of commands: integers, roles, users or roles, and choices.

use reqwest::Method;
use sandbox_discord::{Role, User};
use serde_json::{Value, json};

use crate::{
    client::World,
    interactions::{commands, next_interaction, respond},
};

fn option(name: &str, kind: u64, more: &Value) -> Value {
    let mut option = json!({ "name": name, "description": "d", "type": kind });
    for (name, value) in more.as_object().into_iter().flatten() {
        option[name] = value.clone();
    }
    option
}

fn rule(options: &[Value]) -> Value {
    json!([{ "name": "rule", "description": "r", "options": options }])
}

async fn registered() -> World {
    let world = World::start().await;
    let choices = json!({ "choices": [{ "name": "an hour", "value": 1 }, { "name": "a day", "value": 24 }] });
    let options = [
        option("number", 4, &json!({ "min_value": 1, "max_value": 25, "autocomplete": true })),
        option("hours", 4, &choices),
        option("share", 10, &json!({ "max_value": 0.5 })),
        option("role", 8, &Value::Null),
        option("mention", 9, &Value::Null),
    ];
    let answer = world.send(Method::PUT, &commands(&world), &rule(&options)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    world
}

#[tokio::test]
async fn what_discord_would_not_register_is_refused() {
    let world = World::start().await;
    let choice = |name: &str, value: Value| json!({ "choices": [{ "name": name, "value": value }] });
    let twice = json!({ "choices": [{ "name": "n", "value": 1 }, { "name": "n", "value": 2 }] });
    for (kind, more) in [
        (3, json!({ "min_value": 1 })),
        (3, choice("n", json!(1))),
        (4, choice("n", json!("1"))),
        (4, choice("n", json!(1.5))),
        (4, json!({ "min_value": 1.5 })),
        (4, json!({ "max_value": 9_007_199_254_740_992_u64 })),
        (4, json!({ "min_value": 2, "max_value": 1 })),
        (4, json!({ "max_length": 5 })),
        (4, twice),
        (3, json!({ "min_length": 3, "max_length": 2 })),
        (3, json!({ "max_length": 6001 })),
        (7, json!({ "autocomplete": true })),
        (8, choice("n", json!("1"))),
        (9, json!({ "autocomplete": true })),
        (9, json!({ "channel_types": [0] })),
    ] {
        let options = [option("o", kind, &more)];
        let answer = world.send(Method::PUT, &commands(&world), &rule(&options)).await;
        assert_eq!((answer.status, answer.code()), (400, 50035), "type {kind}, {more}");
    }
}

#[tokio::test]
async fn values_arrive_with_their_type_and_what_they_stand_for() {
    let world = registered().await;
    let role = Role::new("on call", 0).mentionable();
    world.sandbox.set_role(world.guild, role.clone());
    let role = role.id().to_string();
    let use_it = |mention: &str| {
        let options =
            [("number", "25"), ("hours", "24"), ("share", "0.5"), ("role", &role), ("mention", mention)];
        world.sandbox.slash(world.olivia, world.channel, "rule", &options).unwrap()
    };
    let (_, event) = next_interaction(&world, || use_it(&role)).await;
    let data = &event["data"];
    let values: Vec<_> =
        (0..5).map(|at| (&data["options"][at]["type"], &data["options"][at]["value"])).collect();
    let (kinds, sent) = (json!([4, 4, 10, 8, 9]), json!([25, 24, 0.5, role, role]));
    for (at, value) in values.iter().enumerate() {
        assert_eq!(*value, (&kinds[at], &sent[at]), "{data}");
    }
    assert_eq!(data["resolved"]["roles"][&role]["mentionable"], true);
    assert_eq!(data["resolved"].get("users"), None);

    let world = registered().await;
    let olivia = world.olivia.to_string();
    let use_it =
        || world.sandbox.slash(world.olivia, world.channel, "rule", &[("mention", olivia.as_str())]).unwrap();
    let (_, event) = next_interaction(&world, use_it).await;
    let resolved = &event["data"]["resolved"];
    assert_eq!(resolved["users"][&olivia]["username"], "olivia");
    assert!(resolved["members"][&olivia]["permissions"].is_string());
    assert_eq!(resolved["members"][&olivia].get("deaf"), None);
}

#[tokio::test]
async fn values_that_the_client_would_not_send_are_errors() {
    let world = registered().await;
    let other = sandbox_discord::Guild::new("Other", world.olivia);
    let foreign = Role::new("elsewhere", 0);
    world.sandbox.add_guild(other.role(foreign.clone()));
    let (foreign, user) = (foreign.id().to_string(), world.olivia.to_string());
    for (name, value) in [
        ("number", "0"),
        ("number", "26"),
        ("number", "1.5"),
        ("number", "one"),
        ("hours", "2"),
        ("share", "0.6"),
        ("role", foreign.as_str()),
        ("role", user.as_str()),
        ("mention", foreign.as_str()),
        ("mention", "5"),
    ] {
        let used = world.sandbox.slash(world.olivia, world.channel, "rule", &[(name, value)]);
        assert!(used.is_err(), "{name}: {value}");
    }
    let everyone = world.guild.to_string();
    for name in ["role", "mention"] {
        let used = world.sandbox.slash(world.olivia, world.channel, "rule", &[(name, &everyone)]);
        assert!(used.is_ok(), "the client offers @everyone, too");
    }
}

#[tokio::test]
async fn a_number_is_completed_with_numbers() {
    let world = registered().await;
    let typing = || {
        let options = [("number", "2"), ("mention", "not yet an id"), ("hours", "24")];
        world.sandbox.autocomplete(world.olivia, world.channel, "rule", &options, "number").unwrap()
    };
    let (invocation, event) = next_interaction(&world, typing).await;
    let options = event["data"]["options"].as_array().unwrap();
    assert_eq!(options.len(), 2, "what is no value yet is left out: {options:?}");
    assert_eq!((&options[0]["value"], &options[0]["focused"]), (&json!("2"), &json!(true)));
    let choices =
        |value: Value| json!({ "type": 8, "data": { "choices": [{ "name": "Rule 2", "value": value }] } });
    assert_eq!(respond(&world, &event, choices(json!("2"))).await.code(), 50035);
    assert_eq!(respond(&world, &event, choices(json!(2))).await.status, 204);
    assert_eq!(invocation.answer().await.unwrap().data["choices"][0]["value"], 2);
}

#[tokio::test]
async fn a_user_of_no_server_has_no_member_beside_them() {
    let world = registered().await;
    let stranger = world.sandbox.add_user(User::new("stranger")).to_string();
    let use_it =
        || world.sandbox.slash(world.olivia, world.channel, "rule", &[("mention", &stranger)]).unwrap();
    let (_, event) = next_interaction(&world, use_it).await;
    assert_eq!(event["data"]["resolved"]["users"][&stranger]["username"], "stranger");
    assert_eq!(event["data"]["resolved"].get("members"), None);
}
