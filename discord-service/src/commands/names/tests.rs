//! Commands as typed, clickable, and before the id of `/sentry` is known.

use super::*;

fn names(form: Form, slash_id: Option<u64>) -> CommandNames<'static> {
    CommandNames { form, prefix: "!sentry", slash_id }
}

#[test]
fn a_command_is_named_as_its_reader_gives_it() {
    let typed = names(Form::Typed, Some(9));
    assert_eq!(typed.of("channel"), "`!sentry channel`");
    assert_eq!(typed.example("status", "channel", "#example"), "`!sentry status #example`");
    let slash = names(Form::Slash, Some(9));
    assert_eq!(slash.of("channel authorize"), "</sentry channel authorize:9>");
    assert_eq!(slash.example("status", "channel", "#example"), "</sentry status:9> `channel:#example`");
}

#[test]
fn what_has_another_name_under_sentry_is_named_so() {
    let slash = names(Form::Slash, Some(9));
    let named = ["h", "channel", "project"].map(|words| slash.of(words));
    assert_eq!(named, ["</sentry help:9>", "</sentry channel show:9>", "</sentry project show:9>"]);
}

#[test]
fn until_the_id_is_known_a_slash_command_is_code() {
    let slash = names(Form::Slash, None);
    assert_eq!(slash.of("h"), "`/sentry help`");
    assert_eq!(slash.example("status", "channel", "#example"), "`/sentry status channel:#example`");
}

#[test]
fn all_clones_learn_the_id() {
    let id = SlashId::default();
    let clone = id.clone();
    assert_eq!(clone.get(), None);
    id.learn(9);
    assert_eq!(clone.get(), Some(9));
}
