use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn an_ipv6_network_counts_as_one() {
    assert_eq!(group(ip("2001:db8::1")), group(ip("2001:db8::ffff:2")));
    assert_ne!(group(ip("2001:db8::1")), group(ip("2001:db8:0:1::1")));
    assert_eq!(group(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
}
