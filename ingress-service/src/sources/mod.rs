//! Who may send: the source address of a request, and whether it is allowed.
//! `forwarded.rs` reads what a proxy forwards, and `sentry_networks.rs` keeps
//! Sentry's own addresses up to date.

pub mod forwarded;
mod sentry_networks;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use async_nats::Client;
use ipnet::IpNet;
use shared::RuntimeMode;

use self::sentry_networks::SentryNetworks;
use crate::settings::AllowedSource;

/// Which sources may send, and which proxies are believed about them.
#[derive(Debug)]
pub(crate) struct Sources {
    /// `None`: every source.
    allowed: Option<AllowedNetworks>,
    proxies: Vec<IpNet>,
}

#[derive(Debug)]
struct AllowedNetworks {
    networks: Vec<IpNet>,
    /// Present if `ALLOWED_SOURCES` has the word `sentry`.
    sentry: Option<SentryNetworks>,
}

impl AllowedNetworks {
    fn of(sources: &[AllowedSource]) -> Self {
        let network = |source: &AllowedSource| match source {
            AllowedSource::Sentry => None,
            AllowedSource::Network(network) => Some(*network),
        };
        let sentry = sources.contains(&AllowedSource::Sentry).then(SentryNetworks::default);
        Self { networks: sources.iter().filter_map(network).collect(), sentry }
    }

    fn contains(&self, address: IpAddr) -> bool {
        contains(&self.networks, address)
            || self.sentry.as_ref().is_some_and(|sentry| sentry.contains(address))
    }
}

/// What a connection may bring, judged by its peer alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerClass {
    /// Requests from anywhere: the peer is a trusted proxy, or every source may send.
    Any,
    /// Its own requests, which may be answered.
    Sender,
    /// Nothing that may be stored.
    Stranger,
}

/// Why a request may not send.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("source: unknown")]
    Unknown,
    #[error("source: {0} is not allowed")]
    NotAllowed(IpAddr),
    /// A trusted proxy forwarded something that is no address.
    #[error("source: X-Forwarded-For holds no address")]
    ForwardedByNobody,
}

impl Sources {
    pub(crate) fn new(mode: RuntimeMode, allowed: &[AllowedSource], proxies: Vec<IpNet>) -> Self {
        let allowed = match mode {
            RuntimeMode::Development => None,
            RuntimeMode::Production => Some(AllowedNetworks::of(allowed)),
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
    ) -> Result<IpAddr, SourceError> {
        let peer = peer.to_canonical();
        let source = self.source(peer, forwarded);
        match &self.allowed {
            None => Ok(source.unwrap_or(peer)),
            Some(allowed) => {
                let source = source.ok_or(SourceError::ForwardedByNobody)?;
                if allowed.contains(source) { Ok(source) } else { Err(SourceError::NotAllowed(source)) }
            }
        }
    }

    /// What a connection of this peer may bring.
    pub(crate) fn class_of(&self, peer: IpAddr) -> PeerClass {
        let peer = peer.to_canonical();
        match &self.allowed {
            None => PeerClass::Any,
            Some(_) if contains(&self.proxies, peer) => PeerClass::Any,
            Some(allowed) if allowed.contains(peer) => PeerClass::Sender,
            Some(_) => PeerClass::Stranger,
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
