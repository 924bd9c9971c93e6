//! Rights and passwords that change while the services run.

use async_nats::jetstream::{self, stream};
use e2e::Stack;
use harness::{
    authority::Authority,
    wait::{SOON, wait_for},
};
use sentry_sender::{Webhook, body::Exception};

use crate::{
    assert_it_works,
    refused::page,
    server::{DISCORD_PASSWORD, Files, INGRESS_PASSWORD, client, configuration, reconfigure},
};

const UPDATE: &str = r#""$JS.API.STREAM.UPDATE.*""#;
const ALERTS: &str = r#""alerts.*.*""#;

#[tokio::test(flavor = "multi_thread")]
async fn missing_rights_are_named_and_a_rotated_password_is_read_again() {
    let (files, authority) = (Files::new(), Authority::new());
    let full = configuration(&files, &authority);
    let nats = files.server(&full.replace(UPDATE, "")).await;
    let ca = files.write("ca.crt", authority.pem());
    let password_file = files.write("password", DISCORD_PASSWORD);
    // As an older build made it. The right to update it is missing.
    let (operator, _) = client(&nats, &ca, "operator").await;
    let older = stream::Config {
        name: "KV_lanes".to_owned(),
        subjects: vec!["$KV.lanes.>".to_owned()],
        max_messages_per_subject: 1,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        ..stream::Config::default()
    };
    jetstream::new(operator).create_stream(older).await.expect("made");
    let stack = Stack::builder()
        .nats(nats)
        .ingress("NATS_CA_FILE", ca.display())
        .ingress("NATS_USER", "ingress-service")
        .ingress("NATS_PASSWORD", INGRESS_PASSWORD)
        .discord("NATS_CA_FILE", ca.display())
        .discord("NATS_USER", "discord-service")
        .discord("NATS_PASSWORD_FILE", password_file.display())
        .start()
        .await;
    assert_it_works(&stack).await;
    wait_for("the missing right is named, and it works", SOON, || async {
        let (status, said) = page(&stack.discord, "/readyz").await?;
        (status == 200 && said.contains("$JS.API.STREAM.UPDATE.*")).then_some(())
    })
    .await;

    // A right that every alert needs is taken away, and given back.
    let channel = stack.authorized_channel("more").await;
    reconfigure(&files, &stack.nats, &full.replacen(ALERTS, "", 1));
    wait_for("/readyz names the right", SOON, || async {
        stack.try_send(channel, &Webhook::legacy(Exception::new("refused").json())).await;
        let (status, said) = page(&stack.ingress, "/readyz").await?;
        (status == 503 && said.contains(r#"Publish to \"alerts."#)).then_some(())
    })
    .await;
    reconfigure(&files, &stack.nats, &full);
    stack.ingress.ready().await;
    assert_it_works(&stack).await;

    // The password is another one, in the file too.
    let rotated = "another-staple";
    files.write("password", rotated);
    reconfigure(&files, &stack.nats, &full.replace(DISCORD_PASSWORD, rotated));
    assert_it_works(&stack).await;
    stack.discord.ready().await;
    assert!(!stack.discord.log().contains(rotated));
}
