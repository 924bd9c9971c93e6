//! The addresses that are valid without a published list.

use std::net::IpAddr;

use ipnet::IpNet;

/// The addresses of all regions that Sentry has published so far, at
/// <https://docs.sentry.io/security-legal-pii/security/ip-ranges/>.
const BUILT_IN: [[u8; 4]; 13] = [
    // US.
    [35, 184, 238, 160],
    [104, 155, 159, 182],
    [104, 155, 149, 19],
    [130, 211, 230, 102],
    // EU.
    [34, 141, 31, 19],
    [34, 141, 4, 162],
    [35, 234, 78, 236],
    // US2.
    [34, 125, 65, 3],
    [34, 125, 58, 72],
    [8, 228, 7, 8],
    // The control silo.
    [35, 222, 255, 47],
    [34, 61, 215, 243],
    [34, 71, 103, 17],
];

/// The networks that are valid without a published list.
pub fn built_in() -> impl Iterator<Item = IpNet> {
    BUILT_IN.into_iter().map(|address| IpNet::from(IpAddr::from(address)))
}
