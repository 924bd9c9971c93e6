//! The users of `k8s/components/nats-cluster/accounts.conf`: what they may do is
//! enough for the whole product, and keeps the ingress from what is not its own.

use std::path::{Path, PathBuf};

use async_nats::jetstream;
use e2e::{Builder, Stack, issue_change};
use harness::{
    authority::Authority,
    nats::NatsServer,
    python,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Effect, Fault};
use sentry_sender::{Webhook, body::Exception};
use shared::wire;

use crate::{
    assert_it_works,
    server::{DISCORD_PASSWORD, Files, INGRESS_PASSWORD, client, with_passwords},
};

const SECRETS_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const CLIENT_SECRET: &str = "5ec2e7000000000000000000000000000000000000000000000000000000beef";

/// The product over TLS, each service as its user. Also returns the path of the
/// authority's certificate.
async fn start(files: &Files) -> (Stack, PathBuf) {
    let authority = Authority::new();
    let nats = with_passwords(files, &authority).await;
    let ca = files.write("ca.crt", authority.pem());
    (builder(files, nats, &ca).start().await, ca)
}

/// The product at this server over TLS, each service as its user.
pub(crate) fn builder(files: &Files, nats: NatsServer, ca: &Path) -> Builder {
    let password_file = files.write("password", format!("{DISCORD_PASSWORD}\n"));
    let builder = Stack::builder().nats(nats);
    let builder = builder.ingress("NATS_CA_FILE", ca.display()).discord("NATS_CA_FILE", ca.display());
    let builder = builder.ingress("SECRETS_KEY", SECRETS_KEY).discord("SECRETS_KEY", SECRETS_KEY);
    let builder = builder.ingress("NATS_USER", "ingress-service").ingress("NATS_PASSWORD", INGRESS_PASSWORD);
    builder
        .discord("NATS_USER", "discord-service")
        .discord("NATS_PASSWORD_FILE", password_file.display())
        .discord("PUBLIC_URL", "https://bot.example.com")
}

fn legacy(title: &str) -> Webhook {
    Webhook::legacy(Exception::new(title).issue(title).json()).idempotency_key(title)
}

/// Sends it until the answer has this status. It counts as one firing.
pub(crate) async fn until_answered(stack: &Stack, status: u16, url: &str, webhook: &Webhook) {
    wait_for(&format!("an answer of {status}"), SOON, || async {
        (stack.send_to(url, webhook).await.status == status).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_with_the_permissions_that_are_deployed_everything_works_also_after_restarts() {
    let files = Files::new();
    let (mut stack, _) = start(&files).await;
    assert_it_works(&stack).await;

    // Posts, edits, projects and mentions.
    let issues = stack.authorized_channel("issues").await;
    let url = stack.url(issues, "");
    for (action, actor) in [("created", ""), ("resolved", "Jane")] {
        until_answered(
            &stack,
            200,
            &url,
            &issue_change("7", "KeyError", action, actor).idempotency_key(action),
        )
        .await;
    }
    wait_for("the message says that it was resolved", SOON, || async {
        let shown = stack.shown(issues);
        shown.iter().any(|embed| embed.status.is_some()).then_some(())
    })
    .await;
    let reply = stack.command_in(issues, stack.owner, "!sentry project register backend-api").await;
    assert!(reply.content().starts_with("Registered Sentry project: `backend-api`"), "{}", reply.content());
    let reply = stack.command_in(issues, stack.owner, "!sentry test").await;
    assert!(reply.content().contains("it was posted after "), "{}", reply.content());

    // Tokens and signatures, and what was seen of them.
    let secured = stack.authorized_channel("secured").await;
    let token = stack.secure(secured).await;
    stack.hand_in_secret(secured, CLIENT_SECRET).await;
    until_answered(&stack, 200, &stack.url(secured, &token), &legacy("with the token")).await;
    until_answered(&stack, 401, &stack.url(secured, ""), &legacy("refused")).await;
    let body = issue_body();
    let signed = Webhook::platform("issue", body.clone())
        .header("Sentry-Hook-Signature", python::signature(CLIENT_SECRET, body.as_bytes()));
    until_answered(&stack, 200, &stack.url(secured, ""), &signed).await;
    stack.until_shown(secured, 2, SOON).await;
    // A repeat.
    until_answered(&stack, 200, &stack.url(secured, ""), &signed).await;
    stack
        .until_status(secured, |said| said.contains("`token: missing`") && said.contains("a second time"))
        .await;

    // Dead letters and their way back.
    let closed = stack.authorized_channel("closed").await;
    stack.sandbox.add_fault(Fault::new(Effect::MissingAccess).on_channel(closed));
    until_answered(&stack, 200, &stack.url(closed, ""), &legacy("came back")).await;
    stack.until_status(closed, |said| said.contains("Dead Letters = 1")).await;
    stack.sandbox.clear_faults();
    let reply = stack.command_in(closed, stack.owner, "!sentry replay").await;
    assert_eq!(reply.content().lines().next(), Some("Replaying 1 alert"));
    assert!(reply.content().contains("Discord refused posts"), "{}", reply.content());
    assert_eq!(stack.until_shown(closed, 1, SOON).await[0].title, "came back");
    let reply = stack.command(stack.owner, &format!("!sentry channel revoke <#{closed}>")).await;
    assert_eq!(reply.content(), format!("Revoked access from <#{closed}>"));

    // Each part goes and comes back.
    stack.nats.kill();
    for service in [&stack.ingress, &stack.discord] {
        wait_for("it is not ready", SOON, || async { (service.readyz().await == Some(503)).then_some(()) })
            .await;
    }
    stack.nats.restart().await;
    stack.ingress.ready().await;
    stack.discord.ready().await;
    assert_it_works(&stack).await;
    stack.discord.restart();
    stack.ingress.restart();
    stack.ingress.ready().await;
    stack.discord.ready().await;
    until_answered(&stack, 401, &stack.url(secured, ""), &legacy("refused again")).await;
    assert_it_works(&stack).await;
    assert_eq!((stack.alerts(secured), stack.alerts(closed)), (2, 1));
    for service in [&stack.ingress, &stack.discord] {
        assert!(!service.log().contains("NATS objects"), "{}", service.log());
    }
}

pub(crate) fn issue_body() -> String {
    serde_json::json!({
        "action": "created",
        "installation": {"uuid": "a8e5d37a-696c-4c54-adb5-b3f28d64c7de"},
        "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
        "data": {"issue": {
            "id": "8", "title": "signed", "level": "error", "status": "unresolved",
            "project": {"id": "4505", "name": "Backend API", "slug": "backend-api"},
        }},
    })
    .to_string()
}

/// Checks what a user may not publish and subscribe to. Each refusal names the
/// subject.
async fn assert_kept_from(nats: &NatsServer, ca: &Path, user: &str, publish: &[&str], subscribe: &[&str]) {
    let (client, mut objected) = client(nats, ca, user).await;
    let publish = publish.iter().map(|subject| (true, *subject));
    for (sent, subject) in publish.chain(subscribe.iter().map(|subject| (false, *subject))) {
        let mut held = None;
        if sent {
            // An empty request of the API is one that the server would look at.
            client.publish(subject.to_owned(), "{}".into()).await.expect("it is connected");
        } else {
            held = Some(client.subscribe(subject.to_owned()).await.expect("it is connected"));
        }
        client.flush().await.expect("it is connected");
        let objection = tokio::time::timeout(SOON, objected.recv()).await.ok().flatten();
        let objection = objection.unwrap_or_else(|| format!("{user} may use it"));
        let kind = if sent { "Publish" } else { "Subscription" };
        assert!(
            objection.contains(&format!("Permissions Violation for {kind} to \"{subject}\"")),
            "{subject}: {objection}"
        );
        drop(held);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ingress_user_reads_no_alert_removes_nothing_and_writes_neither_trust_nor_leases() {
    let files = Files::new();
    let (stack, ca) = start(&files).await;
    let channel = stack.authorized_channel("alerts").await;
    stack.sandbox.add_fault(Fault::new(Effect::Status(500)).on_channel(channel));
    until_answered(&stack, 200, &stack.url(channel, ""), &legacy("waiting")).await;

    let publish = [
        // To read alerts, in each way that JetStream has.
        "$JS.API.STREAM.MSG.GET.ALERTS",
        "$JS.API.DIRECT.GET.ALERTS",
        "$JS.API.DIRECT.GET.ALERTS.alerts.1.2",
        "$JS.API.CONSUMER.CREATE.ALERTS",
        "$JS.API.CONSUMER.CREATE.ALERTS.reader.alerts.*.*",
        "$JS.API.CONSUMER.DURABLE.CREATE.ALERTS.reader",
        "$JS.API.STREAM.SNAPSHOT.ALERTS",
        "$JS.API.STREAM.MSG.GET.DEAD_LETTERS",
        "$JS.API.STREAM.MSG.GET.KV_lanes",
        "$JS.API.STREAM.MSG.GET.KV_stack_traces",
        "$JS.API.DIRECT.GET.KV_stack_traces.$KV.stack_traces.1.2",
        "$JS.API.STREAM.INFO.KV_stack_traces",
        "$JS.API.STREAM.MSG.GET.KV_channel-rules",
        "$JS.API.DIRECT.GET.KV_channel-rules.$KV.channel-rules.1",
        "$JS.API.STREAM.MSG.GET.KV_routed",
        "$JS.API.DIRECT.GET.KV_routed.$KV.routed.1.2.3.4",
        // To remove or change them.
        "$JS.API.STREAM.MSG.DELETE.ALERTS",
        "$JS.API.STREAM.PURGE.ALERTS",
        "$JS.API.STREAM.DELETE.ALERTS",
        "$JS.API.STREAM.UPDATE.ALERTS",
        "$JS.API.STREAM.RESTORE.ALERTS",
        // What only discord-service may write.
        "$KV.trust.1",
        "$KV.sources.sentry",
        "$KV.leases.owners",
        "$KV.lanes.1",
        "$KV.channels.1",
        "$KV.channel-list.1.2",
        "$KV.channel-trust.1",
        "$KV.channel-rules.1",
        "$KV.routed.1.2.3.4",
        "$KV.stack_traces.1.2",
        "dead.expired.1",
        "store.changed",
        "reopening",
        "_INBOX.discord-service.x",
        "unknown",
        "$JS.API.STREAM.CREATE.unknown",
    ];
    let subscribe =
        [">", "alerts.>", "dead.*.*", "verdict", "$KV.>", "_INBOX.>", "_INBOX.discord-service.>", "unknown"];
    assert_kept_from(&stack.nats, &ca, "ingress-service", &publish, &subscribe).await;
    let publish = [
        "$JS.API.STREAM.DELETE.ALERTS",
        "$JS.API.CONSUMER.CREATE.ALERTS",
        "$KV.seen.1.x",
        "verdict",
        "unknown",
    ];
    let subscribe = [">", "_INBOX.ingress-service.>", "dead.*.*", "unknown"];
    assert_kept_from(&stack.nats, &ca, "discord-service", &publish, &subscribe).await;

    // The operator may read it, and sees that nothing has changed.
    let (operator, _) = client(&stack.nats, &ca, "operator").await;
    let js = jetstream::new(operator);
    let waiting = js.get_stream(wire::ALERTS).await.expect("the stream is there");
    assert_eq!(waiting.cached_info().state.messages, 1);
    assert!(js.get_stream("unknown").await.is_err());
    stack.sandbox.clear_faults();
    stack.until_shown(channel, 1, SOON).await;
}
