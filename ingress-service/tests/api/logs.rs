//! What the program logs and counts, and what it does not.

use harness::{
    nats::NatsServer,
    wait::{SOON, wait_for},
};

use crate::support::{
    CHANNEL, MINIMAL, Request, client,
    program::Running,
    trust::{KeysFile, bucket, mirror, record},
};

#[tokio::test]
async fn refusals_are_logged_and_counted_without_what_was_sent() {
    let nats = NatsServer::start().await;
    let running = Running::start(&nats).await;
    let secret = format!("{CHANNEL}&token=hunter2");
    let body = MINIMAL.replace("shop", "jane@example.com");
    assert_eq!(Request::post(&secret, body).send(running.port).await.status, 401);
    let schema = r#"{"project":"p","message":{"jane":"jane@example.com"},"event":{}}"#;
    assert_eq!(Request::post(CHANNEL, schema).send(running.port).await.status, 400);
    assert_eq!(Request::post("/a%1b[31mb", "").send(running.port).await.status, 400);
    let token = "hunter2".repeat(6) + "h";
    for mistyped in [
        "&id=7&token=hunter2",
        "%3Fid=7&token=hunter2",
        "=hunter2",
        ";x?token=hunter2",
        "/%26hunter2",
        &format!("/{token}"),
        &format!("/id/7,token:{token}"),
    ] {
        let target = format!("/sentry-bot/channel{mistyped}");
        assert_eq!(Request::post(&target, MINIMAL).send(running.port).await.status, 400, "{target}");
        assert_eq!(Request::post(&target, MINIMAL).method("PUT").send(running.port).await.status, 400);
    }

    let said = running.said();
    let refusals: Vec<serde_json::Value> = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &serde_json::Value| line["message"] == "refused a request")
        .collect();
    assert_eq!(refusals[0]["source"], "127.0.0.1", "{said}");
    assert_eq!(refusals[0]["path"], "/sentry-bot/channel");
    assert_eq!(refusals[0]["status"], 401);
    assert_eq!(refusals[0]["rule"], "token: the channel has none");
    assert_eq!(refusals[1]["rule"], "body: breaks /properties/message/type at \"/message\"");
    assert!(!said.contains("hunter2") && !said.contains("jane"), "{said}");

    let (_, metrics) = client::get(running.admin_port, "/metrics").await;
    for line in [
        r#"sentry_bot_ingress_requests_total{outcome="unauthorized_channel"} 1"#,
        r#"sentry_bot_ingress_requests_total{outcome="validation_failed"} 1"#,
        "sentry_bot_ingress_request_seconds_bucket{",
        "sentry_bot_ingress_certificate_expiry_timestamp_seconds ",
    ] {
        assert!(metrics.contains(line), "{line} is missing:\n{metrics}");
    }
}

#[tokio::test]
async fn sentry_from_an_unknown_address_is_counted_by_itself() {
    let nats = NatsServer::start().await;
    let running = Running::start_with(&nats, &[("RUNTIME_MODE", "production")]).await;
    for agent in ["sentry/26.11.0 (https://sentry.io)", "SENTRY/9", "curl/8.0", "my sentry/1", "sentry"] {
        let request = Request::post(CHANNEL, MINIMAL).header("User-Agent", agent);
        assert_eq!(request.send(running.port).await.status, 403, "{agent}");
    }
    let (_, metrics) = client::get(running.admin_port, "/metrics").await;
    for line in [
        r#"sentry_bot_ingress_source_refusals_total{agent="sentry"} 2"#,
        r#"sentry_bot_ingress_source_refusals_total{agent="other"} 3"#,
        "sentry_bot_ingress_sentry_networks 13",
    ] {
        assert!(metrics.contains(line), "{line} is missing:\n{metrics}");
    }
}

#[tokio::test]
async fn a_refusal_behind_a_proxy_names_the_sender() {
    let nats = NatsServer::start().await;
    let variables = [("RUNTIME_MODE", "production"), ("TRUSTED_PROXIES", "127.0.0.1")];
    let running = Running::start_with(&nats, &variables).await;
    for sender in ["192.0.2.7", "192.0.2.8:443"] {
        let request = Request::post(CHANNEL, MINIMAL).header("X-Forwarded-For", sender);
        assert_eq!(request.send(running.port).await.status, 403, "{sender}");
    }
    let said = running.said();
    for source in [r#""source":"192.0.2.7""#, r#""source":"192.0.2.8""#] {
        assert!(said.contains(source), "{said}");
    }
}

#[tokio::test]
async fn what_channels_trust_is_told_in_no_log() {
    let nats = NatsServer::start().await;
    let (keys, lost) = (KeysFile::of(&[1]), KeysFile::of(&[2]));
    mirror(&nats, 1, &record(true, &["swordfish"], vec![keys.seal(1, "s1", "hunter2")])).await;
    for channel in [2, 3] {
        mirror(&nats, channel, &record(true, &[], vec![lost.seal(channel, "s1", "hunter2")])).await;
    }
    bucket(&nats).await.put("4", r#"{"v":1,"tokens":"hunter2"}"#.into()).await.expect("written");
    let key = std::fs::read_to_string(keys.path()).expect("readable");
    let running = Running::start_with(&nats, &[("SECRETS_KEY", &key), ("RUST_LOG", "debug")]).await;

    let signature = harness::python::signature("hunter2", MINIMAL.as_bytes());
    let wrong = signature.chars().rev().collect::<String>();
    let mut statuses = Vec::new();
    for (target, signature) in [
        ("id=1", &signature),
        ("id=1", &signature),
        ("id=1", &wrong),
        ("id=1&token=swordfish", &wrong),
        ("id=1&token=marlin", &signature),
        ("id=2", &signature),
        ("id=4", &signature),
    ] {
        let request = Request::post(&format!("/sentry-bot/channel?{target}"), MINIMAL);
        let request = request.header("Sentry-Hook-Signature", signature);
        statuses.push(request.send(running.port).await.status);
    }
    assert_eq!(statuses, [202, 200, 401, 202, 401, 401, 401]);

    let said = running.said();
    for secret in ["hunter2", "swordfish", "marlin", &signature, &wrong, &key] {
        assert!(!said.contains(secret), "{secret} is in the log:\n{said}");
    }
    for line in [
        "set SECRETS_KEY to what discord-service has",
        "cannot read what the channel trusts; refusing its webhooks",
        "token: not this channel's",
        "trust: the channel's record cannot be read",
    ] {
        assert_eq!(said.matches(line).count(), 1, "{line}:\n{said}");
    }
    let (_, metrics) = client::get(running.admin_port, "/metrics").await;
    for line in [
        r#"sentry_bot_ingress_trust_total{outcome="signature"} 2"#,
        r#"sentry_bot_ingress_trust_total{outcome="token"} 1"#,
        r#"sentry_bot_ingress_trust_total{outcome="wrong_token"} 1"#,
        r#"sentry_bot_ingress_trust_total{outcome="wrong_signature"} 1"#,
        r#"sentry_bot_ingress_trust_total{outcome="sealed_secret"} 1"#,
        r#"sentry_bot_ingress_trust_total{outcome="unreadable"} 1"#,
        r#"sentry_bot_ingress_requests_total{outcome="repeated"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is missing:\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_refusals_leaves_few_lines_and_a_count_of_the_others() {
    const FLOOD: u64 = 300;
    let nats = NatsServer::start().await;
    let running = Running::start(&nats).await;
    for _ in 0..FLOOD {
        assert_eq!(Request::post("/elsewhere", "").send(running.port).await.status, 400);
    }
    let counted = wait_for("each refusal is logged or counted", 2 * SOON, || async {
        assert_eq!(Request::post("/elsewhere", "").method("PUT").send(running.port).await.status, 400);
        let lines = running.said();
        let lines = lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let (mut logged, mut unlogged) = (0, 0);
        for line in lines {
            logged += u64::from(line["message"] == "refused a request");
            unlogged += line["unlogged"].as_u64().unwrap_or(0);
        }
        (logged + unlogged >= FLOOD).then_some((logged, unlogged))
    });
    let (logged, unlogged) = counted.await;
    assert!(unlogged > 0, "{logged} lines");
}
