//! Tokens and signatures: what channels demand, and who gets in.

use std::time::Duration;

use async_nats::jetstream::{self, stream};
use harness::{
    nats::NatsServer,
    python,
    wait::{SOON, wait_for},
};
use shared::{alert::Trust, trust::ChannelTrust, wire};

use crate::support::{
    MINIMAL, Request, TestApp,
    trust::{KeysFile, bucket, mirror, now, record, start, start_alone},
};

const STORED: &str = r#"{"success":"200"}"#;
const AWAY: &str = r#"{"error":{"message":"Alert queue unavailable"}}"#;
/// A change is seen within a second; on a busy machine the look at it takes its time.
const SEEN_WITHIN: Duration = Duration::from_secs(3);

fn refused(channel: u64) -> String {
    format!(r#"{{"error":{{"message":"Unauthorized channel","channel":{channel}}}}}"#)
}

/// A webhook for the channel; `token` may be empty.
fn to(channel: u64, token: &str, body: &str) -> Request {
    Request::post(&format!("/sentry-bot/channel?id={channel}&token={token}"), body)
}

fn signed(request: Request, secret: &str, body: &str) -> Request {
    let signature = python::signature(secret, body.as_bytes());
    request.header("Sentry-Hook-Signature", &signature).header("Sentry-Hook-Timestamp", &now())
}

fn body(n: usize) -> String {
    MINIMAL.replace("\"m\"", &format!("\"caf\u{e9} \\u2603 {n}\""))
}

#[tokio::test]
async fn each_channel_gets_what_it_demands() {
    const OPEN: u64 = 10;
    const TOKEN: u64 = 11;
    const SECRET: u64 = 12;
    const SECURED: u64 = 13;
    let keys = KeysFile::of(&[1]);
    let app = start(
        &keys,
        &[
            (TOKEN, record(false, &["swordfish"], vec![])),
            (
                SECRET,
                record(false, &[], vec![keys.seal(SECRET, "s1", "old"), keys.seal(SECRET, "s2", "hunter2")]),
            ),
            (SECURED, record(true, &["swordfish"], vec![keys.seal(SECURED, "s1", "hunter2")])),
        ],
    )
    .await;
    let (in_, token, key) = (Some(Trust::None), Trust::Token("of swordfish".into()), Trust::Signature);
    let rows = [
        (OPEN, "", None, in_.clone()),
        (OPEN, "", Some("anything"), in_.clone()),
        (OPEN, "swordfish", None, None),
        (TOKEN, "", None, in_.clone()),
        (TOKEN, "swordfish", None, Some(token.clone())),
        (TOKEN, "Swordfish", None, None),
        (SECRET, "", None, in_),
        (SECRET, "", Some("hunter2"), Some(key("s2".into()))),
        (SECRET, "", Some("old"), Some(key("s1".into()))),
        (SECRET, "", Some("hunter3"), None),
        (SECRET, "swordfish", Some("hunter2"), None),
        (SECURED, "", None, None),
        (SECURED, "swordfish", None, Some(token.clone())),
        (SECURED, "swordfish", Some("wrong"), Some(token)),
        (SECURED, "wrong", Some("hunter2"), None),
        (SECURED, "", Some("hunter2"), Some(key("s1".into()))),
        (SECURED, "swordfish", Some("hunter2"), Some(key("s1".into()))),
    ];
    let mut expected = Vec::new();
    for (n, (channel, token, secret, trust)) in rows.into_iter().enumerate() {
        let request = to(channel, token, &body(n));
        let request = secret.map_or(request.clone(), |secret| signed(request, secret, &body(n)));
        let response = request.send(app.port).await;
        match trust {
            Some(trust) => {
                response.expect(200, STORED);
                expected.push((channel, trust));
            }
            None => response.expect(401, &refused(channel)),
        }
    }
    let alerts = app.alerts().await.into_iter().map(|alert| (alert.channel.get(), alert.trust));
    assert_eq!(alerts.collect::<Vec<_>>(), expected);
    let asked = app.verdicts().asked().len();
    assert_eq!(asked, expected.len(), "who is not trusted causes no question");
}

#[tokio::test]
async fn a_signature_is_of_this_body_for_this_channel_and_of_now() {
    let keys = KeysFile::of(&[1]);
    let secured = |channel, secret| (channel, record(true, &[], vec![keys.seal(channel, "s1", secret)]));
    let app = start(&keys, &[secured(1, "one"), secured(2, "two")]).await;
    let body = body(0);
    let right = python::signature("one", body.as_bytes());
    let longer = format!("{body} ");
    let (truncated, reordered) = (r#"{"project":"shop","message":"m"}"#, body.replace("shop", "pohs"));
    let (upper, prefixed) = (right.to_uppercase(), format!("sha256={right}"));
    let time = |off: i64| (chrono::Utc::now().timestamp() + off).to_string();
    let with = |channel, signature: &str, time: &str, body: &str| {
        let request = to(channel, "", body).header("Sentry-Hook-Signature", signature);
        request.header("Sentry-Hook-Timestamp", time)
    };
    for request in [
        with(2, &right, &now(), &body),
        with(1, &right, &now(), &longer),
        with(1, &right, &now(), &reordered),
        with(1, &upper, &now(), &body),
        with(1, &prefixed, &now(), &body),
        with(1, "", &now(), &body),
        with(1, &right, &time(-660), &body),
        with(1, &right, &time(660), &body),
        with(1, &right, "soon", &body),
        with(1, &right, &now(), &body).header("Sentry-Hook-Signature", &right),
        with(1, &right, &now(), &body).header("Sentry-Hook-Timestamp", &now()),
    ] {
        assert_eq!(request.send(app.port).await.status, 401, "{}", String::from_utf8_lossy(&request.bytes()));
    }
    // The schema is looked at first.
    assert_eq!(with(1, &right, &now(), truncated).send(app.port).await.status, 400);
    assert_eq!(app.alerts().await.len(), 0);
    let without_time = to(1, "", &body).header("Sentry-Hook-Signature", &right);
    without_time.send(app.port).await.expect(200, STORED);
}

#[tokio::test]
async fn a_secret_verifies_as_long_as_secrets_key_opens_it() {
    let (former, keys, lost) = (KeysFile::of(&[1]), KeysFile::of(&[2, 1]), KeysFile::of(&[3]));
    let app = start(
        &keys,
        &[
            (1, record(true, &[], vec![former.seal(1, "s1", "hunter2")])),
            (2, record(false, &[], vec![lost.seal(2, "s1", "hunter2")])),
            // Sealed for another channel.
            (3, record(true, &[], vec![keys.seal(1, "s1", "hunter2")])),
        ],
    )
    .await;
    signed(to(1, "", &body(1)), "hunter2", &body(1)).send(app.port).await.expect(200, STORED);
    signed(to(2, "", &body(2)), "hunter2", &body(2)).send(app.port).await.expect(401, &refused(2));
    to(2, "", &body(2)).send(app.port).await.expect(200, STORED);
    signed(to(3, "", &body(3)), "hunter2", &body(3)).send(app.port).await.expect(401, &refused(3));
}

#[tokio::test]
async fn without_discord_service_a_secured_channel_is_as_secure() {
    let keys = KeysFile::of(&[1]);
    let app =
        start_alone(&keys, &[(1, record(true, &["swordfish"], vec![keys.seal(1, "s1", "hunter2")]))]).await;
    let unverified = r#"{"success":"202"}"#;
    to(1, "", &body(0)).send(app.port).await.expect(401, &refused(1));
    to(1, "swordfish", &body(1)).send(app.port).await.expect(202, unverified);
    signed(to(1, "", &body(2)), "hunter2", &body(2)).send(app.port).await.expect(202, unverified);
    assert_eq!(app.alerts().await.len(), 2);
}

/// Sends untrusted alerts until one is answered so.
async fn wait_for_status(app: &TestApp, status: u16, limit: Duration, why: &str) {
    wait_for(why, limit, || async {
        (to(1, "", MINIMAL).send(app.port).await.status == status).then_some(())
    })
    .await;
}

#[tokio::test]
async fn changes_are_seen_within_a_second_and_what_cannot_be_read_lets_nobody_in() {
    let app = start(&KeysFile::of(&[1]), &[]).await;
    let bucket = bucket(&app.nats).await;
    let secured = || async { mirror(&app.nats, 1, &record(true, &["swordfish"], vec![])).await };
    wait_for_status(&app, 200, SEEN_WITHIN, "nothing is demanded").await;
    secured().await;
    wait_for_status(&app, 401, SEEN_WITHIN, "it was secured").await;
    bucket.delete("1").await.expect("deleted");
    wait_for_status(&app, 200, SEEN_WITHIN, "it was deleted").await;
    secured().await;
    wait_for_status(&app, 401, SEEN_WITHIN, "it was secured again").await;
    bucket.purge("1").await.expect("purged");
    wait_for_status(&app, 200, SEEN_WITHIN, "it was purged").await;
    for unreadable in ["garbage", r#"{"v":2,"secured":false}"#] {
        bucket.put("1", unreadable.into()).await.expect("written");
        wait_for_status(&app, 401, SEEN_WITHIN, "it cannot be read").await;
        mirror(&app.nats, 1, &record(false, &[], vec![])).await;
        wait_for_status(&app, 200, SEEN_WITHIN, "it was opened").await;
    }
    to(2, "", MINIMAL).send(app.port).await.expect(200, STORED);
}

#[tokio::test]
async fn changes_are_seen_after_nats_was_away_and_when_the_bucket_was_made_anew() {
    let secured: ChannelTrust = record(true, &["swordfish"], vec![]);
    let mut app = start(&KeysFile::of(&[1]), &[(1, secured.clone()), (2, secured.clone())]).await;
    app.nats.restart().await;
    app.wait_until_ready().await;
    to(1, "", MINIMAL).send(app.port).await.expect(401, &refused(1));
    mirror(&app.nats, 1, &record(false, &[], vec![])).await;
    wait_for("the channel was opened", SOON, || async {
        matches!(to(1, "", MINIMAL).send(app.port).await.status, 200 | 202).then_some(())
    })
    .await;

    let js = jetstream::new(app.nats.client().await);
    js.delete_key_value(wire::TRUST).await.expect("deleted");
    mirror(&app.nats, 1, &secured).await;
    wait_for_status(&app, 401, SOON, "the new bucket says that it is secured").await;
    to(2, "wrong", MINIMAL).send(app.port).await.expect(401, &refused(2));
}

#[tokio::test]
async fn until_the_bucket_was_read_nobody_gets_in() {
    let nats = NatsServer::start().await;
    let js = jetstream::new(nats.client().await);
    // Not a bucket: nothing can be read of it.
    let subjects = vec!["nothing".to_owned()];
    let config = stream::Config { name: "KV_trust".into(), subjects, ..Default::default() };
    js.create_stream(config).await.expect("made");
    let app = TestApp::launch(nats, &["--runtime-mode", "development"]).await;
    wait_for("NATS is there", SOON, || async {
        app.admin("/readyz").await.1.contains(r#""nats":"ok""#).then_some(())
    })
    .await;
    let (status, checks) = app.admin("/readyz").await;
    assert_eq!(status, 503);
    assert!(checks.contains(r#""trust":"not read yet""#), "{checks}");
    let response = to(1, "", MINIMAL).send(app.port).await;
    response.expect(503, AWAY);
    assert!(response.head.contains("retry-after: "), "{}", response.head);
    js.delete_stream("KV_trust").await.expect("deleted");
    app.wait_until_ready().await;
    to(1, "", MINIMAL).send(app.port).await.expect(202, r#"{"success":"202"}"#);
}
