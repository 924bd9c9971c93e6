use super::*;

fn command(path: &str, arguments: &[(&str, &str)]) -> SlashCommand {
    SlashCommand {
        path: path.split(' ').map(str::to_owned).collect(),
        arguments: arguments.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
    }
}

#[test]
fn a_command_stands_for_the_words_that_would_be_typed() {
    for (path, arguments, expected) in [
        ("sentry help", &[][..], "help"),
        ("sentry channel show", &[], "channel"),
        ("sentry channel authorize", &[("channel", "42")], "channel authorize 42"),
        ("sentry channel authorize", &[], "channel authorize"),
        ("sentry channel revoke", &[("channel", "42"), ("unknown", "x")], "channel revoke 42"),
        ("sentry channel secure", &[("channel", "42")], "channel secure 42"),
        ("sentry channel open", &[("channel", "42")], "channel open 42"),
        ("sentry channel secret", &[("channel", "42")], "channel secret 42"),
        ("sentry channel secret", &[("remove", "1a2b"), ("channel", "42")], "channel secret 42 1a2b"),
        ("sentry project show", &[], "project"),
        ("sentry project register", &[("slug", "web")], "project register web"),
        ("sentry project revoke", &[], "project revoke"),
        ("sentry replay", &[], "replay"),
        ("sentry status", &[], "status"),
        ("sentry status", &[("channel", "42")], "status 42"),
        ("sentry test", &[], "test"),
    ] {
        let words = words(&command(path, arguments)).map(|words| words.join(" "));
        assert_eq!(words.as_deref(), Some(expected), "{path}");
    }
}

#[test]
fn an_argument_is_one_word_whatever_it_holds() {
    let command = command("sentry project register", &[("slug", "web revoke")]);
    assert_eq!(words(&command), Some(vec!["project", "register", "web revoke"]));
}

#[test]
fn what_is_not_registered_stands_for_nothing() {
    for path in ["sentry", "other help", "sentry channel", "sentry channel secrets", "sentry help channel"] {
        assert_eq!(words(&command(path, &[])), None, "{path}");
    }
}
