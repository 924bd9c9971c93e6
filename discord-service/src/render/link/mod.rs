//! Which of the URLs that come in may be a link.

use url::{Host, Url};

use super::{clean::clean, size::units};
use shared::text::ELLIPSIS;

/// The longest link that is set: a field shows no longer text, and Discord
/// allows more (2,048) in an embed's title.
const MAX_LINK: usize = 1024;
/// The longest URL that Discord takes in a button.
const MAX_BUTTON: usize = 512;

/// `text` as a link that Discord accepts and that reads the same to everyone:
/// http(s), the host an IP address or a name with a dot, nothing invisible, no
/// credentials, not cut. What markdown could take for its own is
/// percent-encoded, so that the link may be shown plain.
pub(super) fn link(text: &str) -> Option<Url> {
    let text = text.trim();
    let odd = |c: char| c.is_whitespace() || c == '\\' || c == ELLIPSIS;
    if !has_http_scheme(text) || text.contains(odd) || clean(text) != text {
        return None;
    }
    let mut url = Url::parse(text).ok()?;
    let credentials = !url.username().is_empty() || url.password().is_some();
    if credentials || !is_linkable(&url) {
        return None;
    }
    let path = encode(url.path());
    url.set_path(&path);
    let query = url.query().map(encode);
    url.set_query(query.as_deref());
    let fragment = url.fragment().map(encode);
    url.set_fragment(fragment.as_deref());
    (units(url.as_str()) <= MAX_LINK).then_some(url)
}

/// Whether Discord takes this URL in a link button.
pub(super) fn fits_button(url: &Url) -> bool {
    units(url.as_str()) <= MAX_BUTTON
}

/// Whether Discord would take a URL with this host at all.
pub(crate) fn is_linkable(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(Host::Domain(name)) => name.contains('.') && name.split('.').all(|label| !label.is_empty()),
        None => false,
    }
}

/// `Url` alone would also read `https:acme.example` and `https:/acme.example`.
fn has_http_scheme(text: &str) -> bool {
    let begins =
        |prefix: &str| text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    begins("http://") || begins("https://")
}

/// Percent-encodes what `Url` leaves as it is though it means something in
/// markdown or ends an automatic link.
fn encode(part: &str) -> String {
    let mut encoded = String::with_capacity(part.len());
    for c in part.chars() {
        if c.is_ascii_alphanumeric() || "-._~/?&=%+:@!$,;".contains(c) {
            encoded.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            linked("https://пример.example/п").as_deref(),
            Some("https://xn--e1afmkfd.example/%D0%BF")
        );
    }

    #[test]
    fn a_button_takes_512_characters() {
        let of_length =
            |n: usize| link(&format!("https://a.example/{}", "a".repeat(n - 18))).expect("a link");
        assert!(fits_button(&of_length(512)));
        assert!(!fits_button(&of_length(513)));
    }
}
