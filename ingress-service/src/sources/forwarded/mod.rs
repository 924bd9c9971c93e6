//! Reads `X-Forwarded-For`: addresses, some with a port, some in brackets or
//! quotes.

#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// An entry of the header is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAddress;

/// The last address that is not a proxy, as IPv4 if possible. `None` if there
/// is none. `lists` are the header's values in order; several headers make one
/// list.
///
/// # Errors
/// When any entry is not an address.
pub fn source<'a>(
    lists: impl DoubleEndedIterator<Item = &'a [u8]>,
    is_proxy: impl Fn(IpAddr) -> bool,
) -> Result<Option<IpAddr>, NoAddress> {
    let mut source = None;
    for entry in lists.rev().flat_map(|list| list.rsplit(|byte| *byte == b',')) {
        let entry = entry.trim_ascii();
        if entry.is_empty() {
            // HTTP allows empty elements in a list.
            continue;
        }
        let address = address(entry).ok_or(NoAddress)?.to_canonical();
        if source.is_none() && !is_proxy(address) {
            source = Some(address);
        }
    }
    Ok(source)
}

/// The address of `ip`, `ip:port`, `[ip6]` or `[ip6]:port`, also in double quotes.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let entry = str::from_utf8(entry).ok()?;
    let entry = match entry.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"')?,
        None => entry,
    };
    if let Ok(address) = entry.parse::<IpAddr>() {
        return Some(address);
    }
    if let Some(inner) = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inner.parse::<Ipv6Addr>().ok().map(IpAddr::from);
    }
    match entry.parse::<SocketAddr>().ok()? {
        // A zone has a meaning only on its own machine.
        SocketAddr::V6(socket) if socket.scope_id() != 0 || entry.contains('%') => None,
        socket => Some(socket.ip()),
    }
}
