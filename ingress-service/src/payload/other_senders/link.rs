//! What a link to an issue or a monitor says.

use super::super::fields::id;

/// The parts of a link's path, without its host, query and fragment.
fn parts(link: &str) -> impl DoubleEndedIterator<Item = &str> {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    path.split('/').filter(|part| !part.is_empty())
}

/// The number at the end of a link.
pub(super) fn number(link: &str) -> Option<String> {
    let last = parts(link).next_back()?;
    last.bytes().all(|byte| byte.is_ascii_digit()).then(|| id(last)).flatten()
}

/// The UUID in a link.
pub(super) fn uuid(link: &str) -> Option<String> {
    parts(link).find(|part| is_uuid(part)).and_then(id)
}

fn is_uuid(text: &str) -> bool {
    let groups = text.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}
