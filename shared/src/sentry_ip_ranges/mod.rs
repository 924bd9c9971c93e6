//! The addresses from which Sentry sends webhooks: the built-in ones, and a
//! copy of the list that Sentry publishes. discord-service keeps the copy in
//! the KV bucket [`crate::wire::SOURCES`], and the ingress reads it. Both check
//! it here.

mod built_in;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::built_in::built_in;
use crate::{bus::retention::VANISHED_NETWORKS_FOR, text::cut};

/// The version of the record that this build writes.
const VERSION: u32 = 1;
/// The most entries of a list. Sentry publishes about a dozen.
const MAX_ENTRIES: usize = 256;
/// The shortest prefixes. Sentry has no larger network.
const MIN_PREFIX_V4: u8 = 24;
const MIN_PREFIX_V6: u8 = 48;
/// How much of a bad entry is shown, in characters.
const MAX_SHOWN: usize = 64;

/// Reads a network in CIDR notation. A lone address is a network of one.
/// Addresses are compared as IPv4 where possible, so networks are too.
pub fn network(text: &str) -> Option<IpNet> {
    const MAPPED_PREFIX: u8 = 96;
    let text = text.trim();
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    match (network.addr().to_canonical(), network.prefix_len().checked_sub(MAPPED_PREFIX)) {
        (IpAddr::V4(address), Some(prefix)) if network.addr().is_ipv6() => {
            Ipv4Net::new(address, prefix).ok().map(IpNet::from)
        }
        _ => Some(network),
    }
}

/// Why a list is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is not JSON, or has another shape than the known one.
    #[error("it is not the JSON that was expected")]
    Malformed,
    /// It has no `outbound_requests`.
    #[error("it has no outbound_requests")]
    Missing,
    /// It names no network.
    #[error("it names no network")]
    Empty,
    /// It has more entries than a list of Sentry can have.
    #[error("it has {0} entries, more than {MAX_ENTRIES}")]
    TooMany(usize),
    /// It names a network from which nobody on the internet can send.
    #[error("{0} is a private network")]
    Private(IpNet),
    /// It names a network that is too large to be Sentry's.
    #[error("{0} is larger than /{MIN_PREFIX_V4}, or /{MIN_PREFIX_V6} in IPv6")]
    TooLarge(IpNet),
}

/// The list that Sentry publishes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The networks from which its webhooks come.
    pub networks: BTreeSet<IpNet>,
    /// Entries that are not networks, as JSON, cut to a short length.
    pub skipped: Vec<String>,
}

impl Published {
    /// Reads Sentry's answer. `data.outbound_requests` maps regions to lists of
    /// networks. Each entry is parsed alone.
    ///
    /// # Errors
    /// [`Unusable`] when none of it may be used.
    pub fn read(body: &[u8]) -> Result<Self, Unusable> {
        let body: Value = serde_json::from_slice(body).map_err(|_| Unusable::Malformed)?;
        let regions = ["/data/outbound_requests", "/outbound_requests"]
            .into_iter()
            .find_map(|place| body.pointer(place)?.as_object())
            .ok_or(Unusable::Missing)?;
        let entries: Vec<&Value> = regions
            .values()
            .flat_map(|list| list.as_array().map_or(std::slice::from_ref(list), Vec::as_slice))
            .collect();
        if entries.len() > MAX_ENTRIES {
            return Err(Unusable::TooMany(entries.len()));
        }
        let (mut networks, mut skipped) = (BTreeSet::new(), Vec::new());
        for entry in entries {
            match entry.as_str().and_then(network) {
                Some(network) => drop(networks.insert(network.trunc())),
                None => skipped.push(cut(&entry.to_string(), MAX_SHOWN)),
            }
        }
        check(&networks)?;
        Ok(Self { networks, skipped })
    }
}

fn check(networks: &BTreeSet<IpNet>) -> Result<(), Unusable> {
    if networks.is_empty() {
        return Err(Unusable::Empty);
    }
    networks.iter().try_for_each(|network| check_one(*network))
}

fn check_one(network: IpNet) -> Result<(), Unusable> {
    let shortest = if network.addr().is_ipv4() { MIN_PREFIX_V4 } else { MIN_PREFIX_V6 };
    if network.prefix_len() < shortest {
        return Err(Unusable::TooLarge(network));
    }
    // A network this small is either inside one of these or outside all of
    // them.
    let private = match network.addr().to_canonical() {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    };
    if private { Err(Unusable::Private(network)) } else { Ok(()) }
}

const fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    // 0.0.0.0/8 is "this network", 100.64.0.0/10 is a carrier's (RFC 6598).
    first == 0
        || (first == 100 && second & 0xc0 == 64)
        // Multicast, and reserved addresses.
        || first >= 224
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
}

const fn is_private_v6(address: Ipv6Addr) -> bool {
    // The first /48 has the loopback and the unspecified address.
    let [first, second, third, ..] = address.segments();
    (first == 0 && second == 0 && third == 0)
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.is_multicast()
}

/// The copy: the last good list, and the networks that vanished from it lately.
/// Times are in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranges {
    /// When the list was last read.
    pub read_ms: i64,
    /// The last good list.
    networks: BTreeSet<IpNet>,
    /// The networks that vanished from it, and when.
    gone: BTreeMap<IpNet, i64>,
}

/// [`Ranges`] as written to the bucket.
#[derive(Serialize, Deserialize)]
struct RangesRecord {
    v: u32,
    read_ms: i64,
    networks: Vec<String>,
    #[serde(default)]
    gone: BTreeMap<String, i64>,
}

impl Ranges {
    /// The new copy: this list was read, and `before` was the copy until now.
    pub fn renewed(before: Option<&Self>, networks: BTreeSet<IpNet>, now_ms: i64) -> Self {
        let mut gone = BTreeMap::new();
        if let Some(before) = before {
            gone.clone_from(&before.gone);
            gone.extend(before.networks.difference(&networks).map(|network| (*network, now_ms)));
            gone.retain(|network, since_ms| is_recent(*since_ms, now_ms) && !networks.contains(network));
        }
        // A list that changes completely again and again must not grow the copy
        // for ever.
        while gone.len() > MAX_ENTRIES
            && let Some((&oldest, _)) = gone.iter().min_by_key(|(_, since_ms)| **since_ms)
        {
            gone.remove(&oldest);
        }
        Self { read_ms: now_ms, networks, gone }
    }

    /// The networks from which Sentry may send now: the list, and those that
    /// vanished from it within 30 days.
    pub fn networks(&self, now_ms: i64) -> impl Iterator<Item = IpNet> {
        let gone = self.gone.iter().filter(move |(_, since_ms)| is_recent(**since_ms, now_ms));
        self.networks.iter().chain(gone.map(|(network, _)| network)).copied()
    }

    /// The copy as it is written to the bucket.
    pub fn encode(&self) -> Vec<u8> {
        let record = RangesRecord {
            v: VERSION,
            read_ms: self.read_ms,
            networks: self.networks.iter().map(IpNet::to_string).collect(),
            gone: self.gone.iter().map(|(network, since_ms)| (network.to_string(), *since_ms)).collect(),
        };
        serde_json::to_vec(&record).expect("strings and numbers always serialize")
    }

    /// Reads the copy from the bucket, and checks it again.
    ///
    /// # Errors
    /// [`Unusable`] when none of it may be used.
    pub fn decode(bytes: &[u8]) -> Result<Self, Unusable> {
        let record: RangesRecord = serde_json::from_slice(bytes).map_err(|_| Unusable::Malformed)?;
        if record.v != VERSION {
            return Err(Unusable::Malformed);
        }
        let entries = record.networks.len().max(record.gone.len());
        if entries > MAX_ENTRIES {
            return Err(Unusable::TooMany(entries));
        }
        let parse = |text: &str| network(text).ok_or(Unusable::Malformed);
        let networks = record.networks.iter().map(|text| parse(text)).collect::<Result<_, _>>()?;
        let gone = record.gone.iter().map(|(text, since_ms)| Ok((parse(text)?, *since_ms)));
        let gone = gone.collect::<Result<BTreeMap<_, _>, Unusable>>()?;
        check(&networks)?;
        gone.keys().try_for_each(|network| check_one(*network))?;
        Ok(Self { read_ms: record.read_ms, networks, gone })
    }
}

fn is_recent(since_ms: i64, now_ms: i64) -> bool {
    now_ms.saturating_sub(since_ms) < VANISHED_NETWORKS_FOR.as_millis() as i64
}

#[cfg(test)]
mod tests;
