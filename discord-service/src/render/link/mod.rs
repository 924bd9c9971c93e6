//! Which of the URLs that come in may be a link.

use url::{Host, Url};

use super::{clean::clean, size::units};
use shared::text::ELLIPSIS;

/// The longest link that is set: a field shows no longer text, and Discord
/// allows more (2,048) in an embed's title.
const MAX_LINK: usize = 1024;
/// The longest URL that Discord takes in a button.
const MAX_BUTTON: usize = 512;

/// `text` as a link that Discord accepts and that reads the same to everyone.
/// It is http(s), its host is an IP address or a name with a dot, and it has
/// nothing invisible, no credentials and no cut. What markdown could take for
/// its own is percent-encoded, so that the link may be shown plain.
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
mod tests;
