//! `rule`, `mute` and `unmute`. Discord shows a description as a line of at most 100
//! characters.

use strum::VariantNames as _;

use super::{
    CHANNEL, ChoiceDefinition, INTEGER, MENTIONABLE, OptionDefinition, POSTABLE, STRING, group, option,
    other_channel, subcommand,
};
use crate::{
    commands::parse::{ACTIONS, MUTE_TIMES},
    rules::{Kind, Level, MAX_TEXT, MOST},
};

/// The longest link.
const MAX_LINK: u16 = 500;

/// What the conditions are called in a rule or a mute, and in an alert to check.
struct Conditions {
    project: &'static str,
    environment: &'static str,
    level: &'static str,
    kind: &'static str,
}

const WANTED: Conditions = Conditions {
    project: "Only this project. * stands for any text: web-*",
    environment: "Only this environment. * stands for any text: staging*",
    level: "Only this level or a higher one",
    kind: "Only alerts of this kind",
};
const CHECKED: Conditions = Conditions {
    project: "The project of the alert",
    environment: "The environment of the alert",
    level: "The level of the alert",
    kind: "The kind of the alert. Without it: error",
};

pub(super) fn rule() -> OptionDefinition {
    let action = OptionDefinition {
        required: true,
        choices: ACTIONS.map(|(value, name)| choice(value, name)).into(),
        ..option(STRING, "action", "What happens to alerts that meet all conditions")
    };
    let to = OptionDefinition {
        channel_types: POSTABLE.into(),
        ..option(CHANNEL, "to", "With route: the channel or thread for these alerts")
    };
    let mention = option(MENTIONABLE, "mention", "A role or a member to mention in each new message");
    let position = number("position", "Its new place in the list");
    let add = [action].into_iter().chain(WANTED.options()).chain([to, mention, other_channel()]);
    let check = CHECKED.options().into_iter().chain([other_channel()]);
    group(
        "rule",
        "Sorts the new alerts of a channel",
        [
            subcommand("add", "Adds a rule. The first rule that matches an alert decides", add),
            subcommand("list", "Shows the rules and mutes of a channel", [other_channel()]),
            subcommand("remove", "Removes a rule", [rule_number(), other_channel()]),
            subcommand("move", "Gives a rule another place", [rule_number(), position, other_channel()]),
            subcommand("check", "Says which rule would decide an alert", check),
        ],
    )
}

pub(super) fn mute() -> OptionDefinition {
    let time = OptionDefinition {
        required: true,
        choices: MUTE_TIMES.map(|(value, name, _)| choice(value, name)).into(),
        ..option(STRING, "for", "For how long")
    };
    let issue = OptionDefinition {
        max_length: Some(MAX_LINK),
        ..text("issue", "Only this issue: its link, its number or its short id")
    };
    let reason = OptionDefinition {
        max_length: Some(MAX_TEXT),
        ..option(STRING, "reason", "Why, for the others in the channel")
    };
    let options = [time].into_iter().chain(WANTED.options()).chain([issue, reason, other_channel()]);
    subcommand("mute", "Posts no new alerts for a time. Without conditions: none at all", options)
}

pub(super) fn unmute() -> OptionDefinition {
    let number = OptionDefinition { max_value: None, ..number("number", "The number of the mute") };
    subcommand("unmute", "Ends a mute", [completed(number), other_channel()])
}

impl Conditions {
    fn options(&self) -> [OptionDefinition; 4] {
        [
            completed(text("project", self.project)),
            completed(text("environment", self.environment)),
            one_of("level", self.level, Level::VARIANTS),
            one_of("kind", self.kind, Kind::VARIANTS),
        ]
    }
}

fn rule_number() -> OptionDefinition {
    completed(number("number", "The number of the rule"))
}

fn number(name: &str, description: &str) -> OptionDefinition {
    OptionDefinition {
        required: true,
        min_value: Some(1),
        max_value: Some(MOST as u32),
        ..option(INTEGER, name, description)
    }
}

fn text(name: &str, description: &str) -> OptionDefinition {
    OptionDefinition { max_length: Some(MAX_TEXT), ..option(STRING, name, description) }
}

fn one_of(name: &str, description: &str, values: &[&str]) -> OptionDefinition {
    let choices = values.iter().map(|value| choice(value, value)).collect();
    OptionDefinition { choices, ..option(STRING, name, description) }
}

fn completed(option: OptionDefinition) -> OptionDefinition {
    OptionDefinition { autocomplete: true, ..option }
}

fn choice(value: &str, name: &str) -> ChoiceDefinition {
    ChoiceDefinition { name: name.to_owned(), value: value.to_owned() }
}
