use super::*;

#[test]
fn an_address_may_have_a_port_brackets_and_quotes() {
    for (entries, address) in [
        (
            &["192.0.2.1", "192.0.2.1:443", "192.0.2.1:65535", "\"192.0.2.1\"", "\"192.0.2.1:0\""][..],
            "192.0.2.1",
        ),
        (
            &["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:443", "\"2001:db8::1\"", "\"[2001:db8::1]\""],
            "2001:db8::1",
        ),
        (&["\"[2001:db8::1]:443\"", "[2001:DB8:0::1]:1"], "2001:db8::1"),
    ] {
        for entry in entries {
            assert_eq!(super::address(entry.as_bytes()), address.parse().ok(), "{entry}");
        }
    }
    for bad in [
        "",
        "\"",
        "\"\"",
        "\"192.0.2.1",
        "192.0.2.1\"",
        "\" 192.0.2.1\"",
        "\"\"192.0.2.1\"\"",
        "192.0.2.1:",
        "192.0.2.1:65536",
        "192.0.2.1:-1",
        "192.0.2.1:https",
        "[192.0.2.1]",
        "[192.0.2.1]:443",
        "[2001:db8::1",
        "2001:db8::1]",
        "[]",
        "[2001:db8::1]443",
        "[fe80::1%1]:443",
        "[fe80::1%0]:443",
        "unknown",
        "_hidden",
        "192.0.2.1 192.0.2.2",
        "0300.0.2.1",
        "é",
    ] {
        assert_eq!(super::address(bad.as_bytes()), None, "{bad}");
    }
}

#[test]
fn what_is_no_address_is_noticed_wherever_it_stands() {
    let of = |lists: &[&str]| source(lists.iter().map(|list| list.as_bytes()), |ip| ip.is_loopback());
    let some = |text: &str| Ok(text.parse().ok());
    assert_eq!(of(&["192.0.2.1, 192.0.2.2:80", "\"[::ffff:127.0.0.1]:9\""]), some("192.0.2.2"));
    assert_eq!(of(&["192.0.2.2", "192.0.2.1, 192.0.2.3", "127.0.0.1"]), some("192.0.2.3"));
    assert_eq!(of(&["127.0.0.1", ",", ""]), Ok(None));
    assert_eq!(of(&[]), Ok(None));
    for lists in [&["x", "192.0.2.1"][..], &["192.0.2.1, x, 192.0.2.2"], &["192.0.2.1", "x"]] {
        assert_eq!(of(lists), Err(NoAddress), "{lists:?}");
    }
}
