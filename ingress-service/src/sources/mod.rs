//! Who may send: the source address of a request, and whether it is allowed.
//! What a proxy forwards is read in `forwarded.rs`; how Sentry's own addresses
//! are kept up to date stands in `sentry_networks.rs`.

pub mod forwarded;
mod sentry_networks;

use std::net::IpAddr;

use async_nats::Client;
use ipnet::IpNet;
use shared::RuntimeMode;

use self::sentry_networks::Sentry;
use crate::settings::AllowedSource;

/// Which sources may send, and which proxies are believed about them.
#[derive(Debug)]
pub(crate) struct Sources {
    /// `None`: every source.
    allowed: Option<Allowed>,
    proxies: Vec<IpNet>,
}

#[derive(Debug)]
struct Allowed {
    networks: Vec<IpNet>,
    /// Where the word `sentry` stands in `ALLOWED_SOURCES`.
    sentry: Option<Sentry>,
}

impl Allowed {
    fn of(sources: &[AllowedSource]) -> Self {
        let network = |source: &AllowedSource| match source {
            AllowedSource::Sentry => None,
            AllowedSource::Network(network) => Some(*network),
        };
        let sentry = sources.contains(&AllowedSource::Sentry).then(Sentry::default);
        Self { networks: sources.iter().filter_map(network).collect(), sentry }
    }

    fn contains(&self, address: IpAddr) -> bool {
        contains(&self.networks, address)
            || self.sentry.as_ref().is_some_and(|sentry| sentry.contains(address))
    }
}

/// What a connection may bring, going by its peer alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Requests from anywhere: the peer is a trusted proxy, or every source may send.
    Any,
    /// Its own requests, which may be answered.
    Sender,
    /// Nothing that would be let in.
    Stranger,
}

/// Why a request was refused for its source.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The address is not on the list.
    NotAllowed(IpAddr),
    /// A trusted proxy forwarded something that is no address.
    ForwardedByNobody,
}

impl Sources {
    pub(crate) fn new(mode: RuntimeMode, allowed: &[AllowedSource], proxies: Vec<IpNet>) -> Self {
        let allowed = match mode {
            RuntimeMode::Development => None,
            RuntimeMode::Production => Some(Allowed::of(allowed)),
        };
        Self { allowed, proxies }
    }

    /// The address that a request comes from, if it may send. `forwarded` are
    /// the values of its `X-Forwarded-For` headers in their order.
    ///
    /// # Errors
    /// Why it may not.
    pub(crate) fn admit<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Result<IpAddr, Refused> {
        let peer = peer.to_canonical();
        let source = self.source(peer, forwarded);
        match &self.allowed {
            None => Ok(source.unwrap_or(peer)),
            Some(allowed) => {
                let source = source.ok_or(Refused::ForwardedByNobody)?;
                if allowed.contains(source) { Ok(source) } else { Err(Refused::NotAllowed(source)) }
            }
        }
    }

    /// What a connection of this peer may bring.
    pub(crate) fn standing(&self, peer: IpAddr) -> Standing {
        let peer = peer.to_canonical();
        match &self.allowed {
            None => Standing::Any,
            Some(_) if contains(&self.proxies, peer) => Standing::Any,
            Some(allowed) if allowed.contains(peer) => Standing::Sender,
            Some(_) => Standing::Stranger,
        }
    }

    /// Whether what this peer forwards is believed.
    pub(crate) fn is_proxy(&self, peer: IpAddr) -> bool {
        contains(&self.proxies, peer.to_canonical())
    }

    /// Follows the copy of Sentry's addresses for ever, where they are allowed.
    pub(crate) async fn follow(&self, nats: &Client) {
        match self.allowed.as_ref().and_then(|allowed| allowed.sentry.as_ref()) {
            Some(sentry) => sentry.follow(nats).await,
            None => std::future::pending().await,
        }
    }

    /// `None` when a trusted proxy's list holds something that is no address.
    fn source<'a>(
        &self,
        peer: IpAddr,
        forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    ) -> Option<IpAddr> {
        if !self.is_proxy(peer) {
            return Some(peer);
        }
        forwarded::source(forwarded, |address| self.is_proxy(address))
            .ok()
            .map(|source| source.unwrap_or(peer))
    }
}

fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENTRY_US: &str = "35.184.238.160";

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn production() -> Sources {
        let proxies = vec!["10.0.0.0/8".parse().expect("a network")];
        Sources::new(RuntimeMode::Production, &[AllowedSource::Sentry], proxies)
    }

    fn admit(sources: &Sources, peer: &str, forwarded: &[&str]) -> Result<IpAddr, Refused> {
        sources.admit(ip(peer), forwarded.iter().map(|value| value.as_bytes()))
    }

    #[test]
    fn only_listed_sources_are_admitted() {
        assert_eq!(admit(&production(), SENTRY_US, &[]), Ok(ip(SENTRY_US)));
        assert_eq!(admit(&production(), "::ffff:34.141.31.19", &[]), Ok(ip("34.141.31.19")));
        assert_eq!(admit(&production(), "192.0.2.1", &[]), Err(Refused::NotAllowed(ip("192.0.2.1"))));
    }

    #[test]
    fn a_connection_stands_as_its_peer_does() {
        let standing = |peer| production().standing(ip(peer));
        assert_eq!(standing(SENTRY_US), Standing::Sender);
        assert_eq!(standing("::ffff:10.1.2.3"), Standing::Any);
        assert_eq!(standing("192.0.2.1"), Standing::Stranger);
        let development = Sources::new(RuntimeMode::Development, &[], vec![]);
        assert_eq!(development.standing(ip("192.0.2.1")), Standing::Any);
    }

    #[test]
    fn development_admits_every_source() {
        let sources = Sources::new(RuntimeMode::Development, &[], vec![]);
        assert_eq!(admit(&sources, "192.0.2.1", &["nonsense"]), Ok(ip("192.0.2.1")));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let stranger = "192.0.2.1";
        assert_eq!(admit(&production(), stranger, &[SENTRY_US]), Err(Refused::NotAllowed(ip(stranger))));
        assert_eq!(admit(&production(), "10.1.2.3", &[SENTRY_US]), Ok(ip(SENTRY_US)));
        assert_eq!(admit(&production(), "::ffff:10.1.2.3", &["::ffff:35.184.238.160"]), Ok(ip(SENTRY_US)));
    }

    #[test]
    fn the_right_most_address_that_is_no_proxy_counts() {
        let stranger = "192.0.2.1";
        for (forwarded, source) in [
            (vec!["192.0.2.1, 35.184.238.160, 10.9.9.9"], SENTRY_US),
            (vec!["192.0.2.1", "35.184.238.160,10.9.9.9"], SENTRY_US),
            (vec![SENTRY_US, "10.9.9.9"], SENTRY_US),
            (vec!["35.184.238.160,,", ""], SENTRY_US),
            (vec![SENTRY_US, stranger], stranger),
            (vec!["10.7.7.7, 10.8.8.8"], "10.1.2.3"),
            (vec![], "10.1.2.3"),
        ] {
            let expected =
                if source == SENTRY_US { Ok(ip(source)) } else { Err(Refused::NotAllowed(ip(source))) };
            assert_eq!(admit(&production(), "10.1.2.3", &forwarded), expected, "{forwarded:?}");
        }
    }

    #[test]
    fn an_entry_that_is_no_address_is_refused() {
        for forwarded in ["unknown", "35.184.238.160, x", "x, 35.184.238.160", "é", "1.2.3"] {
            assert_eq!(
                admit(&production(), "10.1.2.3", &[forwarded]),
                Err(Refused::ForwardedByNobody),
                "{forwarded}"
            );
        }
    }
}
