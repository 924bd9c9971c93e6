//! Who may send.

use crate::support::{CHANNEL, MINIMAL, Request, TestApp};

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
