//! NATS as it is secured in production: the whole product over TLS, with
//! passwords and with credentials files, and what it says where it is not let in.

mod operator;
mod refused;
mod server;

use e2e::{Builder, Stack};
use harness::{
    authority::Authority,
    wait::{SOON, wait_for},
};
use sentry_sender::{Webhook, body::Exception};

use crate::{
    operator::Operator,
    server::{DISCORD_PASSWORD, Files, INGRESS_PASSWORD, with_credentials, with_passwords},
};

fn both(builder: Builder, name: &str, value: impl ToString) -> Builder {
    builder.ingress(name, value.to_string()).discord(name, value.to_string())
}

/// Commands, verdicts, the queue and posts: all of it crosses NATS.
async fn assert_it_works(stack: &Stack) {
    let channel = stack.authorized_channel("alerts").await;
    let mut sent = 0;
    wait_for("an alert is taken with a verdict", SOON, || {
        sent += 1;
        let alert = Webhook::legacy(Exception::new(format!("alert {sent}")).json());
        async move { (stack.send(channel, &alert).await.status == 200).then_some(()) }
    })
    .await;
    stack.until_shown(channel, sent, SOON).await;
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_with_a_user_for_each_service_alerts_are_posted_also_after_a_restart_of_nats() {
    let (files, authority) = (Files::new(), Authority::new());
    let nats = with_passwords(&files, &authority).await;
    let ca = files.write("ca.crt", authority.pem());
    let password_file = files.write("password", format!("{DISCORD_PASSWORD}\n"));
    let builder = both(Stack::builder().nats(nats), "NATS_CA_FILE", ca.display());
    let mut stack = builder
        .ingress("NATS_USER", "ingress")
        .ingress("NATS_PASSWORD", INGRESS_PASSWORD)
        .discord("NATS_USER", "discord")
        .discord("NATS_PASSWORD_FILE", password_file.display())
        .start()
        .await;
    assert_it_works(&stack).await;
    stack.nats.kill();
    for service in [&stack.ingress, &stack.discord] {
        wait_for("it is not ready", SOON, || async { (service.readyz().await == Some(503)).then_some(()) })
            .await;
    }
    stack.nats.restart().await;
    stack.ingress.ready().await;
    stack.discord.ready().await;
    assert_it_works(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_credentials_file_for_each_service_alerts_are_posted() {
    let (files, operator) = (Files::new(), Operator::new());
    let nats = with_credentials(&files, &operator).await;
    let ingress = files.write("ingress.creds", operator.credentials());
    let discord = files.write("discord.creds", operator.credentials());
    let stack = Stack::builder()
        .nats(nats)
        .ingress("NATS_CREDS_FILE", ingress.display())
        .discord("NATS_CREDS_FILE", discord.display())
        .start()
        .await;
    assert_it_works(&stack).await;
}
