//! Every command is there, with an example that can be used as it is.

use std::collections::BTreeSet;

use super::{
    super::tests::{Bot, embed},
    *,
};
use crate::commands::{parse::Form, slash};

/// The help's fields as text.
fn help(texts: ReplyTexts<'_>) -> String {
    let embed = embed(texts.help());
    assert_eq!(embed["title"], "***SENTRY HELP***");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let fields = embed["fields"].as_array().expect("fields").iter();
    let fields = fields.map(|field| format!("{}\n{}", text(&field["name"]), text(&field["value"])));
    [text(&embed["description"])].into_iter().chain(fields).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_help_names_every_command_with_an_example() {
    let bot = Bot::new(&["--command-prefix", "?s"]);
    let expected = format!(
        "I post alerts of Sentry into authorized channels.
Step by step: [README]({README_URL})
`?s h`: this help
Set up
- `?s channel authorize #example`: lets Sentry post there, or here if you name no channel
- `?s channel revoke #example`: takes that back
- `?s channel`: shows the authorized channels
- `?s test`: sends a sample alert to this channel
When an alert is missing
- `?s status`: shows what arrived in this channel, and why the rest did not
- `?s status #example`: the same for another channel
- `?s replay`: posts again what could not be posted here
Mentions
- `?s project register project-name-slug`: lets alerts of your project mention you
- `?s project`: shows your project
- `?s project revoke`: gives your project back
Rules and mutes
- </sentry rule add:9> `action:route to:#example project:web`: sends new alerts elsewhere, or drops them
- </sentry rule list:9>: shows the rules and mutes
- </sentry rule check:9> `project:web`: says which rule decides
- </sentry rule move:9> `number:3 position:1`: changes the order
- </sentry rule remove:9> `number:1`: takes a rule back
- </sentry mute:9> `for:1h project:web`: posts no new alerts for a time
- </sentry unmute:9> `number:1`: ends a mute
Security
- </sentry channel secure:9> `channel:#example`: accepts only URLs with a new token, or signed requests
- </sentry channel secret:9> `channel:#example`: stores an integration's client secret, which signs requests
- </sentry channel open:9> `channel:#example`: accepts all alerts of Sentry again"
    );
    assert_eq!(help(bot.typed()), expected);
}

#[test]
fn under_sentry_the_help_names_every_command_that_is_registered() {
    let bot = Bot::new(&[]);
    let help = help(bot.to(Form::Slash));
    assert!(!help.contains("!sentry"), "{help}");
    let named: BTreeSet<_> =
        help.split("</").skip(1).filter_map(|rest| rest.split_once(":9>")).map(|(path, _)| path).collect();
    let registered = slash::paths();
    assert_eq!(named, registered.iter().map(String::as_str).collect());
}
