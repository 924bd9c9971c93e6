//! A store that is away, or has lost the rules: alerts wait, and nothing that a rule
//! drops comes through.

use async_nats::jetstream;
use e2e::{Stack, publish_alerts};
use harness::{firestore::FirestoreEmulator, wait::wait_for};
use shared::wire;

use crate::scene::{LONG, alert_of, builder, route, rule, titles, until_titles};

/// A home that drops a project and sends another to the second channel.
async fn sorted_home(stack: &Stack) -> (u64, u64) {
    let (home, target) = (stack.authorized_channel("home").await, stack.authorized_channel("shop").await);
    rule(stack, home, &[("action", "drop"), ("project", "noise")]).await;
    route(stack, home, target, &[("project", "shop")]).await;
    (home, target)
}

async fn one_of_each(stack: &Stack, home: u64) {
    let projects = ["noise", "shop", "backend-api"];
    publish_alerts(stack, projects.map(|project| alert_of(home, project, &format!("of {project}")))).await;
}

fn nothing_shown(stack: &Stack, channels: [u64; 2]) {
    for channel in channels {
        assert_eq!(titles(stack, channel), Vec::<String>::new(), "posted while nobody knew the rules");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_firestore_is_away_alerts_wait_for_the_rules() {
    let Some(firestore) = FirestoreEmulator::start().await else { return };
    let mut stack = builder()
        .discord("FIRESTORE_EMULATOR_HOST", firestore.host())
        .discord("GOOGLE_CLOUD_PROJECT", firestore.project().name())
        .start()
        .await;
    let (home, target) = sorted_home(&stack).await;
    firestore.pause();
    // What the store said is believed for a minute, but not by another process.
    stack.discord.restart();
    one_of_each(&stack, home).await;
    wait_for("it says that the store is away", LONG, || async {
        let answer = reqwest::get(format!("{}/readyz", stack.discord.admin())).await.ok()?;
        answer.text().await.ok()?.contains("store").then_some(())
    })
    .await;
    assert_eq!(stack.stored(wire::ALERTS).await, 3);
    nothing_shown(&stack, [home, target]);
    firestore.unpause();
    assert_eq!(until_titles(&stack, target, 1).await, ["of shop"]);
    assert_eq!(until_titles(&stack, home, 1).await, ["of backend-api"]);
    stack.assert_all_posted(LONG).await;
    assert_eq!((stack.alerts(home), stack.alerts(target)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_rules_are_lost_alerts_wait_until_there_are_rules_again() {
    let mut stack = builder().start().await;
    let (home, target) = sorted_home(&stack).await;
    let plain = stack.authorized_channel("plain").await;
    let js = jetstream::new(stack.nats.client().await);
    stack.discord.kill();
    js.delete_key_value("channel-rules").await.expect("the bucket is there");
    one_of_each(&stack, home).await;
    publish_alerts(&stack, [alert_of(plain, "noise", "elsewhere")]).await;
    stack.discord.restart();
    assert_eq!(until_titles(&stack, plain, 1).await, ["elsewhere"], "other channels go on");
    wait_for("only the home's alerts wait", LONG, || async {
        (stack.stored(wire::ALERTS).await == 3).then_some(())
    })
    .await;
    nothing_shown(&stack, [home, target]);
    rule(&stack, home, &[("action", "drop"), ("project", "noise")]).await;
    stack.until_drained(LONG).await;
    assert_eq!(titles(&stack, home), ["of shop", "of backend-api"]);
    let list = stack.whisper("sentry rule list", home, &[]).await;
    assert!(list.json.to_string().contains("noise"), "{}", list.json);
    stack.assert_all_posted(LONG).await;
}
