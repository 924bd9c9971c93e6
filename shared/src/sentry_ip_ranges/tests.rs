use serde_json::json;

use super::*;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn read(outbound: &Value) -> Result<Published, Unusable> {
    Published::read(json!({"data": {"outbound_requests": outbound}}).to_string().as_bytes())
}

fn net(text: &str) -> IpNet {
    network(text).expect("a network")
}

fn set(networks: &[&str]) -> BTreeSet<IpNet> {
    networks.iter().map(|text| net(text)).collect()
}

#[test]
fn regions_of_any_name_are_read_and_a_bad_entry_is_skipped_alone() {
    let published = read(&json!({
        "us": ["35.184.238.160/32", "203.0.113.0/24 "],
        "us2": ["34.125.65.3/32/32", "198.51.100.7", 7, null],
        "control-silo": ["2600:1901:0:5e8a::/64", "::ffff:8.228.7.8/128"],
        "eu": "34.141.31.19/32, 34.141.4.162/32",
    }))
    .expect("most of it is good");
    let expected =
        ["35.184.238.160", "203.0.113.0/24", "198.51.100.7/32", "2600:1901:0:5e8a::/64", "8.228.7.8"];
    assert_eq!(published.networks, set(&expected));
    let mut skipped = published.skipped;
    skipped.sort();
    assert_eq!(skipped, [r#""34.125.65.3/32/32""#, r#""34.141.31.19/32, 34.141.4.162/32""#, "7", "null"]);
    // Addresses that are not for webhooks are ignored.
    let whole = br#"{"data":{"uptime_monitoring":["34.123.33.225"],"outbound_requests":{"us":["1.2.3.4"]}}}"#;
    assert_eq!(Published::read(whole).expect("good").networks, set(&["1.2.3.4"]));
}

#[test]
fn a_list_that_cannot_be_sentrys_is_refused_as_a_whole() {
    for body in ["", "<html>", "[", "null"] {
        let expected = if body == "null" { Unusable::Missing } else { Unusable::Malformed };
        assert_eq!(Published::read(body.as_bytes()), Err(expected), "{body}");
    }
    for outbound in [json!(null), json!([]), json!("1.2.3.4"), json!(7)] {
        assert_eq!(read(&outbound), Err(Unusable::Missing), "{outbound}");
    }
    for outbound in [json!({}), json!({"us": []}), json!({"us": ["x"]}), json!({"us": {"a": ["1.2.3.4"]}})] {
        assert_eq!(read(&outbound), Err(Unusable::Empty), "{outbound}");
    }
    for private in [
        "10.0.0.0/24",
        "127.0.0.1",
        "172.16.5.0/24",
        "192.168.1.1/32",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0/32",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::/48",
        "fd00::/48",
        "fe80::1",
        "ff02::1",
        "::ffff:10.0.0.1",
    ] {
        let outbound = json!({"us": ["35.184.238.160/32", private]});
        assert!(matches!(read(&outbound), Err(Unusable::Private(_))), "{private}");
    }
    for large in ["0.0.0.0/0", "35.184.238.0/23", "::/0", "2600:1901::/47", "::ffff:35.184.0.0/112"] {
        let outbound = json!({"us": ["35.184.238.160/32", large]});
        assert!(matches!(read(&outbound), Err(Unusable::TooLarge(_))), "{large}");
    }
    for just in ["35.184.238.0/24", "2600:1901::/48", "100.63.255.255", "100.128.0.0", "172.32.0.1"] {
        assert!(read(&json!({"us": [just]})).is_ok(), "{just}");
    }
    let many = |count: usize| read(&json!({"us": vec!["1.2.3.4"; count - 1], "eu": ["5.6.7.8"]}));
    assert!(many(256).is_ok());
    assert_eq!(many(257), Err(Unusable::TooMany(257)));
}

#[test]
fn what_vanished_may_send_for_thirty_days() {
    let first = Ranges::renewed(None, set(&["1.1.1.1", "2.2.2.2"]), 0);
    let second = Ranges::renewed(Some(&first), set(&["2.2.2.2", "3.3.3.3"]), DAY_MS);
    let third = Ranges::renewed(Some(&second), set(&["2.2.2.2"]), 2 * DAY_MS);
    let at = |ranges: &Ranges, day: i64| ranges.networks(day * DAY_MS).collect::<BTreeSet<_>>();
    assert_eq!(at(&first, 100), set(&["1.1.1.1", "2.2.2.2"]), "what is published stays");
    assert_eq!(at(&third, 30), set(&["1.1.1.1", "2.2.2.2", "3.3.3.3"]));
    assert_eq!(at(&third, 31), set(&["2.2.2.2", "3.3.3.3"]));
    assert_eq!(at(&third, 32), set(&["2.2.2.2"]));
    let back = Ranges::renewed(Some(&third), set(&["1.1.1.1"]), 3 * DAY_MS);
    assert_eq!(at(&back, 100), set(&["1.1.1.1"]), "what came back has not vanished");
    assert!(!back.gone.contains_key(&net("1.1.1.1")));
    let later = Ranges::renewed(Some(&third), set(&["2.2.2.2"]), 31 * DAY_MS);
    assert_eq!(later.gone.len(), 1, "what is over is forgotten");
    assert_eq!(Ranges::decode(&third.encode()), Ok(third));
}

#[test]
fn the_copy_is_bounded_whatever_is_published() {
    let mut copy = None;
    for n in 0..10_u8 {
        let networks: BTreeSet<_> = (0..=255).map(|last| net(&format!("20.0.{n}.{last}"))).collect();
        copy = Some(Ranges::renewed(copy.as_ref(), networks, i64::from(n)));
    }
    let copy = copy.expect("there is one");
    assert_eq!(copy.gone.len(), MAX_ENTRIES);
    assert!(copy.gone.contains_key(&net("20.0.8.0")), "the latest stay");
    assert_eq!(Ranges::decode(&copy.encode()), Ok(copy));
}

#[test]
fn a_copy_is_judged_again_when_it_is_read() {
    let copy = |networks: &str, gone: &str| {
        let text = format!(r#"{{"v":1,"read_ms":5,"networks":{networks},"gone":{gone}}}"#);
        Ranges::decode(text.as_bytes())
    };
    assert!(copy(r#"["1.2.3.4/32"]"#, r#"{"5.6.7.8/32":1}"#).is_ok());
    assert_eq!(copy("[]", "{}"), Err(Unusable::Empty));
    assert_eq!(copy(r#"["x"]"#, "{}"), Err(Unusable::Malformed));
    assert!(matches!(copy(r#"["0.0.0.0/0"]"#, "{}"), Err(Unusable::TooLarge(_))));
    assert!(matches!(copy(r#"["127.0.0.1/32"]"#, "{}"), Err(Unusable::Private(_))));
    assert!(matches!(copy(r#"["1.2.3.4/32"]"#, r#"{"0.0.0.0/0":1}"#), Err(Unusable::TooLarge(_))));
    assert!(matches!(copy(r#"["1.2.3.4/32"]"#, r#"{"10.0.0.1/32":1}"#), Err(Unusable::Private(_))));
    let many = json!(vec!["1.2.3.4/32"; 257]).to_string();
    assert_eq!(copy(&many, "{}"), Err(Unusable::TooMany(257)));
    for bad in ["", "garbage", "{}", r#"{"v":2,"read_ms":5,"networks":["1.2.3.4/32"]}"#] {
        assert_eq!(Ranges::decode(bad.as_bytes()), Err(Unusable::Malformed), "{bad}");
    }
}
