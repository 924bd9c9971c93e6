//! Who may send.

use async_nats::jetstream::{self, kv};
use harness::{
    nats::NatsServer,
    wait::{SOON, wait_for},
};
use shared::{bus, bus::Role, sentry_ip_ranges::Ranges, wire};

use crate::support::{CHANNEL, MINIMAL, Request, TestApp, trust};

const UNAUTHORIZED: &str = r#"{"error":"Unauthorized IP"}"#;
const STORED: &str = r#"{"success":"202"}"#;
const SENTRY: &str = "35.184.238.160";

#[tokio::test]
async fn production_admits_only_sentry_by_default() {
    let app = TestApp::start_with(&[]).await;
    app.post(CHANNEL, MINIMAL).await.expect(403, UNAUTHORIZED);
    // Before the query and the body are looked at, after the path.
    app.post("/sentry-bot/channel?x", "").await.expect(403, UNAUTHORIZED);
    app.post("/elsewhere", "").await.expect(400, r#"{"error":"Access Forbidden"}"#);
    // Nobody here is a proxy.
    let forwarded = Request::post(CHANNEL, MINIMAL).header("X-Forwarded-For", SENTRY);
    forwarded.send(app.port).await.expect(403, UNAUTHORIZED);
    assert_eq!(app.alerts().await, []);
}

#[tokio::test]
async fn production_admits_the_networks_of_the_settings() {
    let app = TestApp::start_with(&["--allowed-sources", "sentry,127.0.0.0/8"]).await;
    app.post(CHANNEL, MINIMAL).await.expect(202, STORED);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_forwarded_address_counts() {
    let app = TestApp::start_with(&["--trusted-proxies", "127.0.0.1,10.0.0.0/8"]).await;
    for (forwarded, status, body) in [
        (vec![SENTRY], 202, STORED),
        (vec!["192.0.2.1, 35.184.238.160, 10.1.1.1"], 202, STORED),
        (vec!["192.0.2.1, 35.184.238.160", "10.1.1.1"], 202, STORED),
        (vec!["::ffff:35.184.238.160"], 202, STORED),
        // US2, the control silo, and how proxies write addresses.
        (vec!["34.125.65.3"], 202, STORED),
        (vec!["35.222.255.47"], 202, STORED),
        (vec!["35.184.238.160:51008"], 202, STORED),
        (vec!["\"35.184.238.160:51008\", \"10.1.1.1\""], 202, STORED),
        (vec!["192.0.2.1, [::ffff:35.184.238.160]:443"], 202, STORED),
        (vec!["\"[::ffff:34.71.103.17]\", [::ffff:10.1.1.1]"], 202, STORED),
        (vec!["192.0.2.1:51008"], 403, UNAUTHORIZED),
        (vec!["[35.184.238.160]"], 403, UNAUTHORIZED),
        (vec!["\"35.184.238.160"], 403, UNAUTHORIZED),
        (vec!["35.184.238.160, 192.0.2.1"], 403, UNAUTHORIZED),
        (vec![SENTRY, "192.0.2.1"], 403, UNAUTHORIZED),
        (vec!["35.184.238.160, nonsense"], 403, UNAUTHORIZED),
        (vec!["nonsense"], 403, UNAUTHORIZED),
        (vec!["10.2.2.2"], 403, UNAUTHORIZED),
        (vec![], 403, UNAUTHORIZED),
    ] {
        let mut request = Request::post(CHANNEL, MINIMAL);
        for value in &forwarded {
            request = request.header("X-Forwarded-For", value);
        }
        request.send(app.port).await.expect(status, body);
    }
}

#[tokio::test]
async fn a_dual_stack_listener_sees_ipv4_peers_as_such() {
    let app = TestApp::start_with(&["--ingress-addr", "[::]:0", "--allowed-sources", "127.0.0.1"]).await;
    app.post(CHANNEL, MINIMAL).await.expect(202, STORED);
}

/// Writes the copy as discord-service does, into a bucket that it makes.
async fn publish(nats: &NatsServer, record: &[u8]) -> kv::Store {
    let js = jetstream::new(nats.client().await);
    bus::ensure(&js, &trust::settings(&[]).common.nats, Role::Discord).await.expect("made");
    let bucket = js.get_key_value(wire::SOURCES).await.expect("it is there");
    bucket.put(wire::SOURCES_KEY, record.to_vec().into()).await.expect("written");
    bucket
}

/// A copy of these networks that was read just now.
fn copy(networks: &[&str], before: Option<&Ranges>) -> Ranges {
    let networks = networks.iter().map(|text| text.parse().expect("a network")).collect();
    Ranges::renewed(before, networks, chrono::Utc::now().timestamp_millis())
}

async fn status_from(app: &TestApp, address: &str) -> u16 {
    Request::post(CHANNEL, MINIMAL).header("X-Forwarded-For", address).send(app.port).await.status
}

async fn until_let_in(app: &TestApp, address: &str) {
    wait_for(&format!("{address} may send"), SOON, || async {
        (status_from(app, address).await != 403).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_published_addresses_are_followed_through_garbage_and_the_loss_of_their_bucket() {
    let app = TestApp::start_with(&["--trusted-proxies", "127.0.0.1"]).await;
    assert_eq!(status_from(&app, "203.0.113.7").await, 403);
    let first = copy(&["203.0.113.0/24", "198.51.100.7/32"], None);
    let second = copy(&["203.0.113.0/24"], Some(&first));
    let bucket = publish(&app.nats, &second.encode()).await;
    until_let_in(&app, "203.0.113.7").await;
    assert_ne!(status_from(&app, "198.51.100.7").await, 403, "it vanished just now");
    assert_ne!(status_from(&app, SENTRY).await, 403, "what is built in stays");

    // What cannot be Sentry's changes nothing, and a good copy after it counts again.
    let all = br#"{"v":1,"read_ms":1,"networks":["0.0.0.0/0","192.0.2.1/32"]}"#;
    for garbage in [&b""[..], b"garbage", all] {
        bucket.put(wire::SOURCES_KEY, garbage.to_vec().into()).await.expect("written");
    }
    let third = copy(&["203.0.113.0/24", "198.51.100.8/32"], Some(&second));
    bucket.put(wire::SOURCES_KEY, third.encode().into()).await.expect("written");
    until_let_in(&app, "198.51.100.8").await;
    assert_eq!(status_from(&app, "192.0.2.1").await, 403);
    jetstream::new(app.nats.client().await).delete_key_value(wire::SOURCES).await.expect("deleted");
    assert_ne!(status_from(&app, "203.0.113.7").await, 403, "the last good copy outlives its bucket");
    publish(&app.nats, &copy(&["192.0.2.0/24"], None).encode()).await;
    until_let_in(&app, "192.0.2.1").await;
}

#[tokio::test]
async fn without_the_word_sentry_no_address_of_sentrys_is_let_in() {
    let nats = NatsServer::start().await;
    publish(&nats, &copy(&["203.0.113.7/32"], None).encode()).await;
    let arguments = ["--trusted-proxies", "127.0.0.1", "--allowed-sources", "192.0.2.1"];
    let (app, other) = (
        TestApp::launch(nats, &arguments).await,
        TestApp::start_with(&["--trusted-proxies", "127.0.0.1"]).await,
    );
    app.wait_until_ready().await;
    // Another ingress has read its copy meanwhile.
    publish(&other.nats, &copy(&["203.0.113.7/32"], None).encode()).await;
    until_let_in(&other, "203.0.113.7").await;
    for (address, expected) in [("203.0.113.7", 403), (SENTRY, 403), ("192.0.2.1", 202)] {
        assert_eq!(status_from(&app, address).await, expected, "{address}");
    }
}

#[tokio::test]
async fn an_empty_resource_counts_as_absent() {
    let app = TestApp::start().await;
    for (resource, body, status) in
        [("", MINIMAL, 200), (" ", MINIMAL, 200), ("", "{}", 400), ("", "", 415), ("issue", MINIMAL, 400)]
    {
        let request = Request::post(CHANNEL, body).header("Sentry-Hook-Resource", resource);
        assert_eq!(request.send(app.port).await.status, status, "{resource:?} {body}");
    }
    assert_eq!(app.alerts().await.len(), 1, "the two are one alert");
}
