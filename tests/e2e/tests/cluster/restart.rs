//! NATS is restarted under several pods and load.

use std::time::Duration;

use e2e::{Ledger, report, scaled};
use tokio::time::sleep;

use crate::{
    SETTLED, builder,
    load::{Balancer, Load},
    more_discord, until_shared,
};

const LOOKS_EVERY: Duration = Duration::from_millis(250);
/// With load, before and between.
const BREATH: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn nats_restarts_under_load_and_every_alert_comes_out_once_and_in_order() {
    let (mut stack, ledger) = (builder().start().await, Ledger::default());
    let pods = more_discord(&stack, 2).await;
    let channels = stack.authorized_channels(6, &ledger).await;
    let (second, port) = stack.add_ingress();
    second.ready().await;
    until_shared(&[&stack.discord, &pods[0], &pods[1]], 1).await;
    let balancer = Balancer::start(&[(&stack.ingress, stack.port), (&second, port)], LOOKS_EVERY);
    let mut load = Load::start(&channels, ledger, &balancer);
    for _ in 0..scaled(2, 6) {
        sleep(BREATH).await;
        stack.nats.kill();
        sleep(BREATH / 2).await;
        stack.nats.restart().await;
        stack.ingress.ready().await;
    }
    until_shared(&[&stack.discord, &pods[0], &pods[1]], 1).await;
    sleep(BREATH).await;
    let refused = load.stop().await.refused;
    report(&format!("{} alerts accepted around NATS's restarts, {refused} refused", load.ledger.accepted()));
    load.ledger.settle(&stack, SETTLED).await;
    assert!(stack.dead_letters().await.is_empty());
}
