use std::net::Ipv4Addr;

use super::*;

fn address(number: u32) -> Option<IpAddr> {
    Some(IpAddr::V4(Ipv4Addr::from(number)))
}

#[test]
fn a_flood_from_one_address_leaves_lines_for_the_others() {
    let lines = LineLimits::default();
    let logged = (0..10_000).filter(|_| lines.admit("not_json", address(1)).is_some()).count();
    assert!((50..100).contains(&logged), "{logged}");
    let unlogged = lines.admit("not_json", address(2)).expect("another address has its own");
    assert_eq!(unlogged, 10_000 - logged as u64);
    assert_eq!(lines.admit("unauthorized_ip", address(1)), Some(0), "another kind has its own");
    assert_eq!(lines.unlogged(), []);
}

#[test]
fn a_flood_from_everywhere_is_bounded_in_lines_and_in_memory() {
    let lines = LineLimits::default();
    let count = 2 * SOURCES as u32;
    let told: Vec<u64> = (0..count).filter_map(|number| lines.admit("not_json", address(number))).collect();
    assert!((200..400).contains(&told.len()), "{}", told.len());
    let unlogged = told.iter().sum::<u64>() + lines.unlogged().iter().map(|(_, count)| count).sum::<u64>();
    assert_eq!(told.len() as u64 + unlogged, u64::from(count));
    assert!(lines.sources.len() <= SOURCES + 1);
}
