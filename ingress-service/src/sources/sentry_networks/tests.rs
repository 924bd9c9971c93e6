use super::*;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn copy(networks: &[&str], before: Option<&Ranges>, day: i64) -> Ranges {
    let networks = networks.iter().map(|text| text.parse().expect("a network")).collect();
    Ranges::renewed(before, networks, day * DAY_MS)
}

#[test]
fn sentrys_networks_are_the_built_in_the_published_and_those_that_vanished_lately() {
    let sentry = SentryNetworks::default();
    let contains = |address: &str| sentry.contains(address.parse().expect("an address"));
    let regions =
        ["35.184.238.160", "34.141.31.19", "34.125.65.3", "8.228.7.8", "35.222.255.47", "34.71.103.17"];
    assert!(regions.iter().all(|address| contains(address)), "all regions are built in");
    assert!(!contains("203.0.113.7") && !contains("35.184.238.161"));

    let first = copy(&["203.0.113.0/24", "198.51.100.7/32"], None, 0);
    let second = copy(&["203.0.113.0/24"], Some(&first), 1);
    sentry.take(&second.encode());
    sentry.refresh(2 * DAY_MS);
    assert!(contains("203.0.113.7") && contains("198.51.100.7") && !contains("198.51.100.8"));
    assert!(regions.iter().all(|address| contains(address)), "what is built in never vanishes");

    for bad in [&b"garbage"[..], b"", br#"{"v":1,"read_ms":1,"networks":["0.0.0.0/0"]}"#] {
        sentry.take(bad);
        sentry.refresh(2 * DAY_MS);
        assert!(contains("203.0.113.7") && !contains("192.0.2.1"), "the last good copy holds");
    }
    sentry.refresh(31 * DAY_MS);
    assert!(contains("203.0.113.7") && !contains("198.51.100.7"), "it vanished a month ago");
}
