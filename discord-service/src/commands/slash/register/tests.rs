use serde_json::json;

use super::*;

/// What Discord makes of a command: more keys, and nulls.
fn as_discord_keeps_it() -> Value {
    let [command] = tree::commands();
    let mut json = serde_json::to_value(command).expect("JSON");
    for (key, value) in [
        ("id", json!("9")),
        ("application_id", json!("2")),
        ("version", json!("3")),
        ("nsfw", json!(false)),
        ("dm_permission", json!(false)),
        ("name_localizations", Value::Null),
    ] {
        json[key] = value;
    }
    json["options"][0]["required"] = false.into();
    json["options"][0]["description_localized"] = "x".into();
    json["options"][1]["options"][1]["options"][0]["channel_types"] = json!([13, 12, 11, 10, 5, 2, 0]);
    json
}

#[test]
fn what_discord_adds_is_no_difference() {
    assert_eq!(read(&[as_discord_keeps_it()]).as_deref(), Some(&tree::commands()[..]));
}

#[test]
fn what_the_bot_sets_is_one() {
    for (pointer, value) in [
        ("/description", json!("Other")),
        ("/default_member_permissions", Value::Null),
        ("/contexts", Value::Null),
        ("/options/0/name", json!("h")),
        ("/options/1/options/2/options/0/autocomplete", json!(false)),
        ("/options/1/options/1/options/0/channel_types", json!([0])),
        ("/options/2/options/1/options/0/max_length", json!(99)),
        ("/options", json!([])),
        ("/options", json!("?")),
    ] {
        let mut changed = as_discord_keeps_it();
        *changed.pointer_mut(pointer).expect("is there") = value;
        assert_ne!(read(&[changed]).as_deref(), Some(&tree::commands()[..]), "{pointer}");
    }
    assert_ne!(read(&[]).as_deref(), Some(&tree::commands()[..]));
    let twice = [as_discord_keeps_it(), as_discord_keeps_it()];
    assert_ne!(read(&twice).as_deref(), Some(&tree::commands()[..]), "another command");
}

#[test]
fn the_id_is_that_of_sentry_and_of_no_other_command() {
    let other = json!({"name": "other", "id": "8"});
    assert_eq!(id_in(&[other.clone(), as_discord_keeps_it()]), Some(9));
    assert_eq!(id_in(&[other]), None);
}
