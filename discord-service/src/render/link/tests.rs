use super::*;

fn linked(text: &str) -> Option<String> {
    link(text).map(String::from)
}

#[test]
fn the_issue_links_of_sentry_stay_as_they_are() {
    for text in [
        "https://acme.sentry.io/issues/6100007919/?referrer=webhooks_plugin",
        "https://acme.de.sentry.io/issues/1/events/0a1b/?project=2&query=is%3Aunresolved",
        "http://10.0.0.5:9000/organizations/acme/issues/7/",
        "http://[2001:db8::1]:9000/issues/7/",
    ] {
        assert_eq!(linked(text).as_deref(), Some(text));
    }
}

#[test]
fn only_http_to_an_address_or_a_dotted_name_is_a_link() {
    for text in [
        "",
        "sentry.io/issues/1",
        "https:acme.sentry.io/",
        "https:/acme.sentry.io/",
        "https:\\\\acme.sentry.io\\",
        "ftp://acme.sentry.io/",
        "javascript:alert(1)",
        "data:text/html,x",
        "discord://-/channels/1",
        "http://sentry/issues/1",
        "http://localhost:9000/issues/1",
        "http://localhost.:9000/",
        "http://.sentry.io/",
        "http://a..b/",
        "https://",
        "https://acme.sentry.io:99999/",
    ] {
        assert_eq!(linked(text), None, "{text}");
    }
}

#[test]
fn credentials_cuts_and_what_cannot_be_seen_make_no_link() {
    for text in [
        "https://acme.sentry.io@evil.example/",
        "https://user:secret@acme.sentry.io/",
        "https://acme.sentry.io/issues/61000…",
        "https://acme.sentry.io/a b",
        "https://acme.sentry.io/a\nb",
        "https://acme.sentry.io/a\tb",
        "https://acme.sentry.io/\u{202E}gnp",
        "https://acme\u{200B}.sentry.io/",
        "https://acme.sentry.io/`code`",
        "https://acme.sentry.io\\@evil.example/",
    ] {
        assert_eq!(linked(text), None, "{text}");
    }
    let long = format!("https://acme.sentry.io/{}", "a".repeat(2_000));
    assert_eq!(linked(&long), None);
}

#[test]
fn what_markdown_could_take_for_its_own_is_encoded() {
    assert_eq!(
        linked("https://a.example/x)[y](z)*b*|s|'q'?u=\"<>{}#(f)").as_deref(),
        Some("https://a.example/x%29%5By%5D%28z%29%2Ab%2A%7Cs%7C%27q%27?u=%22%3C%3E%7B%7D#%28f%29")
    );
    assert_eq!(linked("https://пример.example/п").as_deref(), Some("https://xn--e1afmkfd.example/%D0%BF"));
}

#[test]
fn a_button_takes_512_characters() {
    let of_length = |n: usize| link(&format!("https://a.example/{}", "a".repeat(n - 18))).expect("a link");
    assert!(fits_button(&of_length(512)));
    assert!(!fits_button(&of_length(513)));
}
