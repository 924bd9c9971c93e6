//! Sentry's published addresses, and what proxies forward.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ingress_service::sources::forwarded;
use shared::sentry_ip_ranges::{Published, Ranges};

/// Reads the bytes as a published list. Then they choose a chain of proxies and
/// its values of `X-Forwarded-For`.
///
/// # Panics
/// When the code under test is wrong.
pub fn addresses(bytes: &[u8]) {
    published(bytes);
    // Anything is read or refused.
    let _ = forwarded::source(bytes.split(|byte| *byte == b'\n'), |address| address.is_loopback());
    chain(bytes);
}

fn published(bytes: &[u8]) {
    let Ok(published) = Published::read(bytes) else { return };
    assert!((1..=256).contains(&published.networks.len()));
    for network in &published.networks {
        let (first, least) = match network.addr() {
            IpAddr::V4(_) => ("0.0.0.0", 24),
            IpAddr::V6(_) => ("::", 48),
        };
        assert!(network.prefix_len() >= least, "{network} is too large");
        assert_ne!(network.addr().to_string(), first, "{network} is unspecified");
        let inside = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1/128", "fc00::/7"];
        for private in inside {
            let private: ipnet::IpNet = private.parse().expect("a network");
            assert!(!private.contains(network) && !network.contains(&private), "{network} is private");
        }
    }
    let copy = Ranges::renewed(None, published.networks.clone(), 1);
    assert_eq!(Ranges::decode(&copy.encode()), Ok(copy.clone()), "a good list can be kept");
    let later = Ranges::renewed(Some(&copy), ["192.0.2.1/32".parse().expect("a network")].into(), 2);
    let may_send: Vec<_> = later.networks(3).collect();
    assert!(published.networks.iter().all(|network| may_send.contains(network)), "what vanished may send");
}

/// Each byte chooses the address of an entry, how it is written, and whether a
/// new header begins with it.
fn chain(bytes: &[u8]) {
    let (mut values, mut expected) = (vec![String::new()], Ok(None));
    for byte in bytes.iter().take(64) {
        let address: IpAddr = match byte & 3 {
            0 => Ipv4Addr::new(198, 51, 100, *byte).into(),
            1 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(*byte)).into(),
            2 => Ipv4Addr::LOCALHOST.into(),
            _ => Ipv4Addr::new(198, 51, 100, *byte).to_ipv6_mapped().into(),
        };
        let (entry, good) = match (byte >> 2 & 7, address) {
            (0, _) => (address.to_string(), true),
            (1, IpAddr::V4(_)) => (format!("{address}:{byte}"), true),
            (1, IpAddr::V6(_)) => (format!("[{address}]:{byte}"), true),
            (2, IpAddr::V4(_)) => (format!("\"{address}:65535\""), true),
            (2, IpAddr::V6(_)) => (format!(" \"[{address}]\" "), true),
            (3, IpAddr::V4(_)) => (format!("\"{address}\""), true),
            (3, IpAddr::V6(_)) => (format!("[{address}]"), true),
            (4, IpAddr::V4(_)) => (format!("[{address}]"), false),
            (4, IpAddr::V6(_)) => (format!("[{address}"), false),
            (5, _) => (format!("{address}x"), false),
            (6, _) => (format!("\"{address}"), false),
            _ => (format!("{address}/32"), false),
        };
        if byte >> 5 & 1 == 1 {
            values.push(String::new());
        }
        let value = values.last_mut().expect("there is one");
        value.push_str(if value.is_empty() { "" } else { "," });
        value.push_str(&entry);
        let address = address.to_canonical();
        expected = match expected {
            Ok(_) if good && !address.is_loopback() => Ok(Some(address)),
            Ok(before) if good => Ok(before),
            _ => Err(forwarded::NoAddress),
        };
    }
    let source =
        forwarded::source(values.iter().map(|value| value.as_bytes()), |address| address.is_loopback());
    assert_eq!(source, expected, "{values:?}");
}
