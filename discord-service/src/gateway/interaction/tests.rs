//! Interactions as the gateway tells them.

use secrecy::ExposeSecret as _;
use serde_json::{from_value, json};

use super::*;

fn interaction(change: Value) -> Option<Invoked> {
    let mut json = json!({
        "id": "1", "application_id": "2", "type": 2, "token": "hidden", "version": 1,
        "guild_id": "3", "channel_id": "4", "channel": {"id": "4"},
        "member": {"user": {"id": "5", "username": "x"}, "permissions": "9216", "roles": []},
        "data": {"id": "9", "name": "sentry", "type": 1, "options": [{"name": "channel", "type": 2, "options": [
            {"name": "revoke", "type": 1, "options": [{"name": "channel", "type": 3, "value": "42"}]},
        ]}]},
    });
    for (key, value) in change.as_object().into_iter().flatten() {
        json[key] = value.clone();
    }
    from_value::<InteractionCreate>(json).expect("an interaction").invoked(7)
}

fn revoke(channel: &str) -> SlashCommand {
    SlashCommand {
        path: ["sentry", "channel", "revoke"].map(str::to_owned).into(),
        arguments: [("channel".to_owned(), channel.to_owned())].into(),
    }
}

#[test]
fn a_command_is_read_with_its_path_and_arguments() {
    let invoked = interaction(json!({})).expect("a command");
    assert_eq!((invoked.id, invoked.application, invoked.token.expose_secret()), (1, 2, "hidden"));
    assert_eq!((invoked.user, invoked.bot), (UserId::new(5), UserId::new(7)));
    let place = invoked.place.expect("in a guild");
    assert_eq!((place.guild, place.channel), (GuildId::new(3), ChannelId::new(4)));
    assert_eq!(place.granted, Permissions::VIEW_CHANNEL | Permissions::MANAGE_MESSAGES);
    assert!(matches!(invoked.wants, Wants::Run(command) if command == revoke("42")));
}

#[test]
fn what_is_being_typed_is_told_from_what_was_sent() {
    let option = json!({"name": "channel", "type": 3, "value": "al", "focused": true});
    let options = json!([{"name": "channel", "type": 2, "options": [
        {"name": "revoke", "type": 1, "options": [option]},
    ]}]);
    let change = json!({"type": 4, "data": {"name": "sentry", "options": options}});
    let wants = interaction(change).expect("handed on").wants;
    let Wants::Complete(command, option) = wants else { unreachable!("{wants:?}") };
    assert_eq!((command, option.as_str()), (revoke("al"), "channel"));
}

#[test]
fn numbers_and_truth_values_are_arguments_too() {
    let options = json!([{"name": "move", "type": 1, "options": [
        {"name": "number", "type": 4, "value": 12},
        {"name": "mention", "type": 9, "value": "42"},
        {"name": "all", "type": 5, "value": true},
    ]}]);
    let options = json!([{"name": "rule", "type": 2, "options": options}]);
    let wants =
        interaction(json!({"data": {"name": "sentry", "options": options}})).expect("a command").wants;
    let Wants::Run(command) = wants else { unreachable!("{wants:?}") };
    let argument = |name: &str| command.arguments.get(name).map(String::as_str);
    let values = ["number", "mention", "all"].map(argument);
    assert_eq!(values, [Some("12"), Some("42"), Some("true")]);
}

#[test]
fn a_modal_is_read_with_its_inputs_in_rows_or_labels_and_shows_none_of_them() {
    let data = json!({"custom_id": "secret:42", "components": [
        {"type": 1, "components": [{"type": 4, "custom_id": "one", "value": "hunter1"}]},
        {"type": 18, "component": {"type": 4, "custom_id": "two", "value": "hunter2"}},
        {"type": 10},
    ]});
    let wants = interaction(json!({"type": 5, "data": data})).expect("handed on").wants;
    assert!(!format!("{wants:?}").contains("hunter"));
    let Wants::Submit(form) = wants else { unreachable!("{wants:?}") };
    let inputs = form.inputs.iter().map(|(id, value)| (id.as_str(), value.expose_secret()));
    assert_eq!(form.id, "secret:42");
    assert_eq!(inputs.collect::<Vec<_>>(), [("one", "hunter1"), ("two", "hunter2")]);
}

#[test]
fn a_press_is_read_with_its_button_and_message() {
    let data = json!({"custom_id": "stack-trace", "component_type": 2, "id": 3});
    let change = json!({"type": 3, "data": data, "message": {"id": "42", "content": "an alert"}});
    let wants = interaction(change).expect("handed on").wants;
    let pressed = PressedButton { message: 42, custom_id: "stack-trace".to_owned() };
    assert!(matches!(wants, Wants::Press(press) if press == pressed));
}

#[test]
fn outside_guilds_there_is_no_place() {
    let change = json!({"guild_id": null, "member": null, "user": {"id": "5"}});
    let invoked = interaction(change).expect("handed on");
    assert_eq!((invoked.user, invoked.place.is_none()), (UserId::new(5), true));
}

#[test]
fn kinds_that_the_bot_never_asks_for_are_dropped() {
    // A component of no message among them.
    for kind in [1, 3, 99] {
        let data = json!({"custom_id": "x", "components": []});
        assert!(interaction(json!({"type": kind, "data": data})).is_none());
    }
}

#[test]
fn the_token_is_not_shown() {
    let shown = format!("{:?}", interaction(json!({})));
    assert!(!shown.contains("hidden"), "{shown}");
}
