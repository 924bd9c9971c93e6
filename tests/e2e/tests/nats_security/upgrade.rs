//! An upgrade: new builds with the streams and the `accounts.conf` of an older
//! build. All works, and `/readyz` says what the operator has to do.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_nats::jetstream::{self, stream};
use e2e::{Stack, issue_change};
use harness::{
    authority::Authority,
    nats::NatsServer,
    python,
    wait::{SOON, wait_for},
};
use sentry_sender::{Webhook, body::Exception};
use shared::wire;

use crate::{
    permissions::{CLIENT_SECRET, builder, issue_body, until_answered},
    refused::page,
    server::{Files, client, configuration, reconfigure},
};

/// The rights that the file has, each with the one that it had.
const CHANGES: [(&str, &str); 11] = [
    (r#""$KV.refusals.>""#, r#""$KV.refusals.*""#),
    (r#""$KV.seen.>""#, r#""$KV.seen.*.*""#),
    (r#""$JS.API.STREAM.INFO.KV_sources",   "$JS.API.STREAM.CREATE.KV_sources""#, ""),
    (r#""$JS.API.STREAM.MSG.GET.KV_seen""#, r#""$JS.API.DIRECT.GET.KV_seen.$KV.seen.*.*""#),
    (r#""$JS.API.STREAM.MSG.GET.KV_sources""#, ""),
    (r#""reopening""#, ""),
    (r#""$KV.sources.*""#, ""),
    (r#""$KV.stack_traces.*.*""#, ""),
    (r#""$KV.channel-rules.*""#, ""),
    (r#""$KV.routed.>""#, ""),
    (r#""stored.*.*""#, r#""alerts.*.*""#),
];
/// The time between two alerts. They are about a few issues, so that they fold
/// and Discord's limits delay nothing.
const PAUSE: Duration = Duration::from_millis(30);
const ISSUES: u64 = 10;
const SCHEMA: &str = "sentry-bot-schema";
const ALERTS: u64 = 20;

fn before(configuration: &str) -> String {
    CHANGES.iter().fold(configuration.to_owned(), |text, (new, old)| {
        assert!(text.contains(new), "{new} is not in accounts.conf any more");
        text.replace(new, old)
    })
}

/// Streams as the build before made them.
async fn make_streams(nats: &NatsServer, ca: &std::path::Path) -> jetstream::Context {
    let (operator, _) = client(nats, ca, "operator").await;
    let js = jetstream::new(operator);
    let stream = |name: &str, subjects: &str| stream::Config {
        name: name.to_owned(),
        subjects: vec![subjects.to_owned()],
        allow_direct: true,
        metadata: [(SCHEMA.to_owned(), "1".to_owned())].into(),
        ..stream::Config::default()
    };
    js.create_stream(stream(wire::ALERTS, wire::ALERTS_SUBJECTS)).await.expect("made");
    for name in [wire::SEEN, wire::TRUST, wire::LANES, wire::MESSAGES, wire::CHANNELS] {
        let bucket = stream::Config {
            max_messages_per_subject: 1,
            allow_rollup: true,
            deny_delete: true,
            ..stream(&wire::bucket_stream(name), &format!("$KV.{name}.>"))
        };
        js.create_stream(bucket).await.expect("made");
    }
    js
}

async fn until_it_says(stack: &Stack, discord: &[&str], ingress: &[&str]) {
    for (service, wanted) in [(&stack.discord, discord), (&stack.ingress, ingress)] {
        wait_for(&format!("/readyz is true and names {wanted:?}"), SOON, || async {
            let (status, said) = page(service, "/readyz").await?;
            (status == 200 && wanted.iter().all(|wanted| said.contains(wanted))).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_rights_and_the_streams_of_the_build_before_all_works_and_readyz_says_what_to_do() {
    let (files, authority) = (Files::new(), Authority::new());
    let full = configuration(&files, &authority);
    let nats = files.server(&before(&full)).await;
    let ca = files.write("ca.crt", authority.pem());
    let js = make_streams(&nats, &ca).await;
    let stack = builder(&files, nats, &ca).start().await;
    let loaded = stack.authorized_channel("under load").await;
    let over = AtomicBool::new(false);
    let upgrade = async {
        upgrade(&stack, &js, &files, &full).await;
        over.store(true, Ordering::Relaxed);
    };
    let (sent, ()) = tokio::join!(send_until(&over, &stack, loaded), upgrade);
    assert!(sent > 30, "{sent} alerts are no load");
    stack.until_shown(loaded, sent, SOON * 2).await;
    for (stream, name) in [(wire::ALERTS, "waits"), (wire::DEAD_LETTERS, "is a dead letter")] {
        wait_for(&format!("no alert {name}"), SOON, || async {
            (js.get_stream(stream).await.ok()?.cached_info().state.messages == 0).then_some(())
        })
        .await;
    }
    assert_eq!(stack.alerts(loaded), sent);
}

/// Sends alerts until it is over. Returns how many. Each is sent until it is
/// accepted, and counts once.
async fn send_until(over: &AtomicBool, stack: &Stack, channel: u64) -> u64 {
    let mut sent = 0;
    while !over.load(Ordering::Relaxed) {
        let title = format!("under load {}", sent % ISSUES);
        stack.accepted(channel, &Webhook::legacy(Exception::new(&*title).issue(&title).json())).await;
        sent += 1;
        tokio::time::sleep(PAUSE).await;
    }
    sent
}

async fn upgrade(stack: &Stack, js: &jetstream::Context, files: &Files, full: &str) {
    let channel = stack.authorized_channel("alerts").await;
    let url = stack.url(channel, "");
    let change = async |action: &str, title: &str| {
        let changed = issue_change("7", title, action, "Jane").idempotency_key(action);
        until_answered(stack, 200, &url, &changed).await;
    };
    change("created", "KeyError").await;
    for number in 0..ALERTS {
        let title = format!("alert {number}");
        let alert = Webhook::legacy(Exception::new(&*title).issue(&title).json()).idempotency_key(&title);
        until_answered(stack, 200, &url, &alert).await;
    }
    stack.until_shown(channel, ALERTS + 1, SOON).await;
    change("resolved", "KeyError").await;
    wait_for("the message says that it was resolved", SOON, || async {
        stack.shown(channel).iter().any(|embed| embed.status.is_some()).then_some(())
    })
    .await;

    // A signed request and its repeat, which has another `Nats-Msg-Id`.
    let signed = stack.authorized_channel("signed").await;
    stack.hand_in_secret(signed, CLIENT_SECRET).await;
    let body = issue_body();
    let signature = python::signature(CLIENT_SECRET, body.as_bytes());
    let request = Webhook::platform("issue", body).header("Sentry-Hook-Signature", signature);
    let url = stack.url(signed, "");
    until_answered(stack, 200, &url, &request).await;
    until_answered(stack, 200, &url, &request).await;
    stack.until_shown(signed, 1, SOON).await;

    let ingress = ["STREAM.INFO.KV_sources", "STREAM.MSG.GET.KV_seen", "$KV.seen.>"];
    let discord = ["reopening", "stored.*.*", "$KV.stack_traces.*.*", "accounts.conf"];
    until_it_says(stack, &discord, &ingress).await;
    let of = async |name: &str| js.get_stream(name).await.expect("it is there").cached_info().config.clone();
    let alerts = of(wire::ALERTS).await;
    assert!(alerts.republish.is_some() && alerts.max_bytes > 0, "{alerts:?}");
    assert_eq!(alerts.metadata[SCHEMA], "2");
    for bucket in [wire::TRUST, wire::LANES, wire::MESSAGES] {
        assert!(!of(&wire::bucket_stream(bucket)).await.allow_direct, "{bucket}");
    }

    // The operator does it.
    reconfigure(files, &stack.nats, full);
    wait_for("discord-service misses nothing any more", SOON * 2, || async {
        let (status, said) = page(&stack.discord, "/readyz").await?;
        (status == 200 && !said.contains("lacks")).then_some(())
    })
    .await;
    crate::assert_it_works(stack).await;
    assert_eq!((stack.alerts(signed), stack.alerts(channel)), (1, ALERTS + 1));
}
