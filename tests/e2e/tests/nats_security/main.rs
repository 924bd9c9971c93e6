//! NATS as it is secured in production: the whole product over TLS, with
//! passwords and with credentials files. Also what the services say if NATS
//! refuses them.

mod operator;
mod permissions;
mod refused;
mod rights;
mod server;
mod upgrade;

use e2e::Stack;
use harness::wait::{SOON, wait_for};
use sentry_sender::{Webhook, body::Exception};

use crate::{
    operator::Operator,
    server::{Files, with_credentials},
};

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
async fn with_a_credentials_file_for_each_service_and_in_an_account_that_demands_limits_alerts_are_posted() {
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
