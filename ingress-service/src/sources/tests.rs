use super::*;

const SENTRY_US: &str = "35.184.238.160";

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn production() -> Sources {
    let proxies = vec!["10.0.0.0/8".parse().expect("a network")];
    Sources::new(RuntimeMode::Production, &[AllowedSource::Sentry], proxies)
}

fn admit(sources: &Sources, peer: &str, forwarded: &[&str]) -> Result<IpAddr, SourceError> {
    sources.admit(ip(peer), forwarded.iter().map(|value| value.as_bytes()))
}

#[test]
fn only_listed_sources_are_admitted() {
    assert_eq!(admit(&production(), SENTRY_US, &[]), Ok(ip(SENTRY_US)));
    assert_eq!(admit(&production(), "::ffff:34.141.31.19", &[]), Ok(ip("34.141.31.19")));
    assert_eq!(admit(&production(), "192.0.2.1", &[]), Err(SourceError::NotAllowed(ip("192.0.2.1"))));
}

#[test]
fn a_connection_stands_as_its_peer_does() {
    let class_of = |peer| production().class_of(ip(peer));
    assert_eq!(class_of(SENTRY_US), PeerClass::Sender);
    assert_eq!(class_of("::ffff:10.1.2.3"), PeerClass::Any);
    assert_eq!(class_of("192.0.2.1"), PeerClass::Stranger);
    let development = Sources::new(RuntimeMode::Development, &[], vec![]);
    assert_eq!(development.class_of(ip("192.0.2.1")), PeerClass::Any);
}

#[test]
fn development_admits_every_source() {
    let sources = Sources::new(RuntimeMode::Development, &[], vec![]);
    assert_eq!(admit(&sources, "192.0.2.1", &["nonsense"]), Ok(ip("192.0.2.1")));
}

#[test]
fn only_a_trusted_proxy_is_believed() {
    let stranger = "192.0.2.1";
    assert_eq!(admit(&production(), stranger, &[SENTRY_US]), Err(SourceError::NotAllowed(ip(stranger))));
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
            if source == SENTRY_US { Ok(ip(source)) } else { Err(SourceError::NotAllowed(ip(source))) };
        assert_eq!(admit(&production(), "10.1.2.3", &forwarded), expected, "{forwarded:?}");
    }
}

#[test]
fn an_entry_that_is_no_address_is_refused() {
    for forwarded in ["unknown", "35.184.238.160, x", "x, 35.184.238.160", "é", "1.2.3"] {
        assert_eq!(
            admit(&production(), "10.1.2.3", &[forwarded]),
            Err(SourceError::ForwardedByNobody),
            "{forwarded}"
        );
    }
}
