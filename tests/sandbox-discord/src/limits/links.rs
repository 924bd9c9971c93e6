//! Which links Discord takes.

use url::{Host, Url};

use crate::{error::FormErrors, form::Field};

/// The longest link of an embed.
pub(crate) const EMBED_URL_MAX: usize = 2048;
/// The longest link of a button.
pub(crate) const BUTTON_URL_MAX: usize = 512;

const WEB: &[&str] = &["http", "https"];
const MEDIA: &[&str] = &["http", "https", "attachment"];
const BUTTON: &[&str] = &["http", "https", "discord"];

/// A link of an embed's title or author.
pub(crate) fn web(field: &Field<'_>, errors: &mut FormErrors) -> Option<String> {
    check(field, errors, EMBED_URL_MAX, WEB)
}

/// The address of a picture in an embed.
pub(crate) fn media(field: &Field<'_>, errors: &mut FormErrors) -> Option<String> {
    check(field, errors, EMBED_URL_MAX, MEDIA)
}

/// The link of a button.
pub(crate) fn button(field: &Field<'_>, errors: &mut FormErrors) -> Option<String> {
    check(field, errors, BUTTON_URL_MAX, BUTTON)
}

fn check(field: &Field<'_>, errors: &mut FormErrors, max: usize, schemes: &[&str]) -> Option<String> {
    let text = field.text(errors, 0..=max)?;
    let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_lowercase()).unwrap_or_default();
    if !schemes.contains(&scheme.as_str()) {
        let list: Vec<_> = schemes.iter().map(|scheme| format!("'{scheme}'")).collect();
        let message =
            format!("Scheme \"{scheme}\" is not supported. Scheme must be one of ({}).", list.join(", "));
        field.refuse(errors, "URL_TYPE_INVALID_SCHEME", message);
        return None;
    }
    if WEB.contains(&scheme.as_str()) && !Url::parse(text).is_ok_and(|url| well_formed(text, &url)) {
        field.refuse(errors, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
        return None;
    }
    Some(text.to_owned())
}

/// Discord refuses hosts without a dot, such as `localhost`, unless they are
/// addresses. The parser here mends blanks and backslashes; Discord does not.
fn well_formed(text: &str, url: &Url) -> bool {
    let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\');
    let written_out = text.get(url.scheme().len()..).is_some_and(|rest| rest.starts_with("://"));
    let host = match url.host() {
        Some(Host::Domain(domain)) => domain.trim_matches('.').contains('.'),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    };
    clean && written_out && host
}
