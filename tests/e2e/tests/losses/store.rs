//! NATS loses the store's buckets. Admins authorize channels again, and secured
//! channels stay secured.

use std::time::Duration;

use async_nats::jetstream;
use e2e::Stack;
use harness::wait::wait_for;
use serde_json::{Value, json};
use shared::wire;

use crate::{HEALED, Load, NOTICED, alert, builder, lose, lose_until_noticed, readyz, start, works};

/// discord-service uses what it has read from the store for less than a minute.
const FORGOTTEN: Duration = Duration::from_secs(70);

/// Authorizes the channel once the loss of the store was noticed.
async fn authorize_again(stack: &Stack, channel: u64) {
    wait_for("the channel is refused", FORGOTTEN, || async {
        (stack.try_send(channel, &alert("refused")).await?.status == 401).then_some(())
    })
    .await;
    wait_for("the channel is authorized again", HEALED, || async {
        let command = format!("!sentry channel authorize <#{channel}>");
        stack.command(stack.owner, &command).await.content().contains("is now authorized").then_some(())
    })
    .await;
}

/// Secures the channel, and waits until it is secured. Returns the query with
/// its token.
async fn secure(stack: &Stack, channel: u64) -> String {
    let token = stack.secure(channel).await;
    let js = jetstream::new(stack.nats.client().await);
    wait_for("the channel is secured", HEALED, || async {
        let kept =
            js.get_key_value(wire::CHANNEL_TRUST).await.ok()?.get(channel.to_string()).await.ok()??;
        let kept: Value = serde_json::from_slice(&kept).ok()?;
        (kept["secured"] == true).then_some(())
    })
    .await;
    token
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buckets_of_the_store_that_are_lost_under_load_lose_no_alert_and_open_no_channel() {
    let stack = builder().discord("PUBLIC_URL", "https://bot.example.com").start().await;
    let [channel, secured] =
        [stack.authorized_channel("alerts").await, stack.authorized_channel("secured").await];
    secure(&stack, secured).await;
    let load = Load::new();
    let losses = async {
        for bucket in [wire::CHANNEL_LIST, wire::USER_PROJECTS, wire::CHANNEL_TRUST, wire::CHANNEL_RULES] {
            lose_until_noticed(&stack, &wire::bucket_stream(bucket), &[&stack.discord]).await;
            if bucket == wire::CHANNEL_LIST {
                authorize_again(&stack, channel).await;
                authorize_again(&stack, secured).await;
            }
            works(&stack, channel, &format!("after the loss of {bucket}")).await;
            wait_for("an alert without a token is refused, or waits", HEALED, || async {
                let answer = stack.try_send(secured, &alert("without a token")).await?;
                assert_ne!(answer.status, 200, "{bucket} was lost");
                matches!(answer.status, 202 | 401).then_some(())
            })
            .await;
        }
    };
    load.during(&stack, channel, losses).await;
    wait_for("each accepted alert is shown or a dead letter", HEALED, || async {
        load.missing(&stack, channel).await.is_empty().then_some(())
    })
    .await;
    assert_eq!(stack.alerts(secured), 0);
    stack.ingress.ready().await;
    stack.discord.ready().await;
}

/// Gives the channel a rule, as the store keeps it.
async fn give_a_rule(stack: &Stack, channel: u64) {
    let js = jetstream::new(stack.nats.client().await);
    let rule = json!({"id": 1, "conditions": {}, "action": "keep", "by": 1, "made_ms": 0});
    let rules = json!({"v": 1, "rules": [rule], "last_rule": 1});
    let bucket = js.get_key_value(wire::CHANNEL_RULES).await.expect("a bucket of the store");
    bucket.put(channel.to_string(), rules.to_string().into()).await.expect("written");
    let rows = js.get_key_value(wire::CHANNEL_LIST).await.expect("a bucket of the store");
    let row = format!("{channel}.{}", stack.guild);
    rows.put(row, json!({"rules": true}).to_string().into()).await.expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_whose_keys_or_rules_are_lost_takes_nothing_until_it_is_given_some_again() {
    let mut stack = Stack::builder().discord("PUBLIC_URL", "https://bot.example.com").start().await;
    let [secured, open] = [stack.authorized_channel("secured").await, stack.authorized_channel("open").await];
    let ruled = stack.authorized_channel("ruled").await;
    secure(&stack, secured).await;
    give_a_rule(&stack, ruled).await;
    for bucket in [wire::CHANNEL_TRUST, wire::TRUST, wire::CHANNEL_RULES] {
        lose(&stack, &wire::bucket_stream(bucket)).await;
    }
    // Now no process remembers what the channels demanded.
    stack.discord.restart();
    stack.ingress.restart();
    stack.ingress.ready().await;
    stack.discord.ready().await;
    works(&stack, open, "an open channel goes on").await;
    for channel in [secured, ruled] {
        wait_for("an alert is stored without a verdict", HEALED, || async {
            let answer = stack.try_send(channel, &alert("without a verdict")).await?;
            assert_ne!(answer.status, 200, "nobody knows what the channel demands");
            (answer.status == 202).then_some(())
        })
        .await;
    }
    works(&stack, open, "the open channel still goes on").await;
    assert_eq!((stack.alerts(secured), stack.alerts(ruled)), (0, 0), "nobody knows what to do with them");

    give_a_rule(&stack, ruled).await;
    works(&stack, ruled, "with a rule again").await;
    let token = secure(&stack, secured).await;
    wait_for("an alert with the new token is shown", HEALED, || async {
        stack.try_send_to(&stack.url(secured, &token), &alert("with the token")).await?;
        stack.shown(secured).iter().any(|shown| shown.title == "with the token").then_some(())
    })
    .await;
    assert!(stack.shown(secured).iter().all(|shown| shown.title == "with the token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nats_may_come_back_with_an_empty_disk_under_load() {
    let mut stack = start().await;
    let channel = stack.authorized_channel("alerts").await;
    works(&stack, channel, "before").await;
    let load = Load::new();
    load.during(&stack, channel, load.goes_on(10)).await;
    stack.nats.kill();
    let unready = async {
        for service in [&stack.ingress, &stack.discord] {
            wait_for("/readyz is false", NOTICED, || async {
                (readyz(service).await?.0 == 503).then_some(())
            })
            .await;
        }
    };
    load.during(&stack, channel, unready).await;
    // Alerts that were accepted until now may be gone with the disk.
    load.accepted.lock().expect("no panic while held").clear();
    std::fs::remove_dir_all(stack.nats.files().join("jetstream")).expect("its files are there");
    stack.nats.restart().await;
    let back = async {
        stack.ingress.ready().await;
        stack.discord.ready().await;
        // The store is gone as well, so nothing is authorized.
        authorize_again(&stack, channel).await;
        works(&stack, channel, "after").await;
        load.goes_on(40).await;
    };
    load.during(&stack, channel, back).await;
    assert!(stack.discord.log().contains("NATS has lost a bucket of the store"), "{}", stack.discord.log());
    stack.until_drained(HEALED).await;
    assert_eq!(load.missing(&stack, channel).await, Vec::<String>::new());
}
