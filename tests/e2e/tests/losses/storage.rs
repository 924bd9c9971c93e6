//! NATS has too little storage, and later enough.

use std::time::Duration;

use async_nats::jetstream;
use futures::StreamExt as _;
use harness::{
    free_port,
    nats::NatsServer,
    service::Service,
    wait::{SOON, wait_for},
};

use shared::wire;

use crate::{HEALED, NOTICED, USURPER, alert, readyz, usurp, works};

/// The stand-in takes alerts, so only its name shows what it is.
const ANY_SIZE: i32 = -1;

fn configuration(max_file_store: &str) -> String {
    format!("jetstream {{ max_file_store: {max_file_store} }}\n")
}

fn start(service: &'static str, nats: &NatsServer) -> Service {
    let (nats, address) = (nats.url(), format!("127.0.0.1:{}", free_port()));
    let variables = [
        ("RUNTIME_MODE", "development"),
        ("NATS_URL", &*nats),
        ("INGRESS_ADDR", &address),
        ("DISCORD_TOKEN", "token"),
        // Nobody is there.
        ("DISCORD_API_URL", "http://127.0.0.1:9"),
    ];
    Service::start(service, &variables)
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_that_goes_away_between_two_steps_of_the_start_ends_no_process() {
    for made in [1, 6] {
        let mut nats = NatsServer::start().await;
        let services = ["ingress-service", "discord-service"].map(|service| start(service, &nats));
        let js = jetstream::new(nats.client().await);
        wait_for("some streams are made", SOON, || async {
            (js.stream_names().count().await >= made).then_some(())
        })
        .await;
        nats.kill();
        for service in &services {
            wait_for("it lives and is not ready", SOON, || async {
                (readyz(service).await?.0 == 503).then_some(())
            })
            .await;
        }
        nats.restart().await;
        for service in &services {
            wait_for("the streams are there", HEALED, || async {
                readyz(service).await?.1.contains(r#""streams":"ok""#).then_some(())
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_storage_is_named_with_the_setting_until_there_is_enough() {
    let files = tempfile::tempdir().expect("a directory");
    let path = files.path().join("nats.conf");
    std::fs::write(&path, configuration("1GB")).expect("written");
    let mut nats = NatsServer::start_with(&["-c", path.to_str().expect("UTF-8")]).await;
    let services = ["ingress-service", "discord-service"].map(|service| start(service, &nats));
    for service in &services {
        wait_for("/readyz names the setting and the need", SOON, || async {
            let (status, said) = readyz(service).await?;
            let named = said.contains("ALERTS: cannot be made: NATS has too little storage")
                && said.contains("it needs 2048 MiB on each of 1 servers, as ALERTS_MAX_BYTES says");
            (status == 503 && named).then_some(())
        })
        .await;
        assert!(service.log().contains("lower ALERTS_MAX_BYTES, or raise NATS's max_file_store"));
    }
    std::fs::write(&path, configuration("8GB")).expect("written");
    nats.restart().await;
    for service in &services {
        wait_for("the streams are there", Duration::from_secs(30), || async {
            readyz(service).await?.1.contains(r#""streams":"ok""#).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_queue_cannot_be_made_again_neither_service_is_ready_and_no_alert_is_accepted() {
    let stack = crate::start().await;
    let channel = stack.authorized_channel("alerts").await;
    works(&stack, channel, "before").await;
    let js = jetstream::new(stack.nats.client().await);
    usurp(&js, wire::ALERTS, ANY_SIZE).await;
    for service in [&stack.ingress, &stack.discord] {
        wait_for("/readyz names the stream", NOTICED, || async {
            let (status, said) = readyz(service).await?;
            (status == 503 && said.contains("ALERTS: cannot be made")).then_some(())
        })
        .await;
    }
    assert_eq!(stack.send(channel, &alert("nowhere")).await.status, 503);
    js.delete_stream(USURPER).await.expect("deleted");
    works(&stack, channel, "after").await;
    stack.ingress.ready().await;
    stack.discord.ready().await;
}
