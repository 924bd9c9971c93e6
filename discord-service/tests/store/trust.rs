//! What channels trust: in the store, and in the mirror for the ingress.

use std::time::Duration;

use async_nats::jetstream;
use discord_service::{
    store::{Store, WriteOutcome},
    trust::{Secured, Trusts},
};
use futures::future::join_all;
use harness::wait::{SOON, wait_for};
use serde_json::{Value, json};
use shared::{
    ChannelId,
    bus::{self, Role},
    shutdown::CancellationToken,
    trust::{ChannelTrust, ClientSecret, SecretKey, SecretsKeys, TokenKey, VERSION},
    wire,
};

use crate::{
    in_both_stores,
    world::{CHANNEL, GUILD, OTHER_CHANNEL, World, client},
};

in_both_stores!(
    trust_is_kept_as_it_was_written_and_replaced_only_as_it_was_read,
    of_changes_at_the_same_instant_none_is_lost,
    another_instance_sees_a_change_within_a_second,
    the_mirror_is_mended_when_it_is_lost_or_wrong,
    secrets_are_sealed_anew_under_the_first_key,
);

const LONG: Duration = Duration::from_secs(3_600);
const SECOND: Duration = Duration::from_secs(1);

fn trust(id: &str) -> ChannelTrust {
    ChannelTrust {
        v: VERSION,
        secured: true,
        secured_ms: 1_700_000_000_123,
        tokens: vec![TokenKey { id: id.to_owned(), sha256: "ab".repeat(32) }],
        secrets: vec![SecretKey { id: "s".to_owned(), sealed: "c2VhbGVk".to_owned() }],
    }
}

async fn trust_is_kept_as_it_was_written_and_replaced_only_as_it_was_read(world: World) {
    let (one, other) = (world.store().await, world.store().await);
    assert_eq!(one.trust(CHANNEL).await.unwrap(), None);
    assert!(one.channels_with_trust().await.unwrap().is_empty());
    assert!(!one.replace_trust(CHANNEL, Some(&trust("a")), &trust("b")).await.unwrap(), "nothing is there");
    assert!(one.replace_trust(CHANNEL, None, &trust("a")).await.unwrap());
    assert_eq!(other.trust(CHANNEL).await.unwrap(), Some(trust("a")));
    assert!(!other.replace_trust(CHANNEL, None, &trust("b")).await.unwrap(), "something is there");
    assert!(other.replace_trust(CHANNEL, Some(&trust("a")), &ChannelTrust::default()).await.unwrap());
    assert_eq!(one.trust(CHANNEL).await.unwrap(), Some(ChannelTrust::default()));
    assert!(!one.replace_trust(CHANNEL, Some(&trust("a")), &trust("b")).await.unwrap(), "it changed");

    assert!(one.replace_trust(OTHER_CHANNEL, None, &trust("c")).await.unwrap());
    let mut channels = one.channels_with_trust().await.unwrap();
    channels.sort_unstable();
    assert_eq!(channels, [CHANNEL, OTHER_CHANNEL]);
    // The predecessor's lists do not see it.
    assert_eq!(one.channels(GUILD).await.unwrap(), []);

    let newer = ChannelTrust { v: VERSION + 1, ..trust("d") };
    assert!(one.replace_trust(OTHER_CHANNEL, Some(&trust("c")), &newer).await.unwrap());
    one.trust(OTHER_CHANNEL).await.expect_err("a newer build may mean more by it");
}

async fn of_changes_at_the_same_instant_none_is_lost(world: World) {
    let keys = keys("one", &[1]);
    let (one, other) = (trusts(&world, Some(keys.clone())).await, trusts(&world, Some(keys)).await);
    let changes = (0..4).map(|number: u8| {
        let pod = if number.is_multiple_of(2) { &one } else { &other };
        async move { pod.add_secret(CHANNEL, &secret(number)).await.unwrap() }
    });
    join_all(changes).await;
    let token = Secured::generate().unwrap();
    let (opened, secured) = tokio::join!(one.open(CHANNEL), other.secure(CHANNEL, &token));
    assert!(opened.is_ok() && secured.is_ok());
    let kept = world.store().await.trust(CHANNEL).await.unwrap().expect("it was changed");
    assert_eq!((kept.secrets.len(), kept.tokens.len()), (4, 1));
    assert_eq!(mirrored(&world, CHANNEL).await, serde_json::to_value(&kept).unwrap());
}

async fn another_instance_sees_a_change_within_a_second(world: World) {
    let (one, other) = (world.cached(LONG).await, world.cached(LONG).await);
    assert_eq!(other.trust(CHANNEL).await.unwrap(), None);
    assert!(one.replace_trust(CHANNEL, None, &trust("a")).await.unwrap());
    assert_eq!(one.trust(CHANNEL).await.unwrap(), Some(trust("a")), "its own at once");
    wait_for("the change is seen", SECOND, || async {
        other.trust(CHANNEL).await.ok().filter(|seen| *seen == Some(trust("a")))
    })
    .await;
    // Nobody announces this one: it is remembered, and read for a change all the same.
    let silent = world.store().await;
    assert!(silent.replace_trust(CHANNEL, Some(&trust("a")), &trust("b")).await.unwrap());
    assert_eq!(other.trust(CHANNEL).await.unwrap(), Some(trust("a")));
    assert_eq!(other.trust_now(CHANNEL).await.unwrap(), Some(trust("b")));
}

async fn the_mirror_is_mended_when_it_is_lost_or_wrong(world: World) {
    let store = world.store().await;
    assert!(store.replace_trust(CHANNEL, None, &trust("a")).await.unwrap());
    let expected = serde_json::to_value(trust("a")).unwrap();
    // An entry that the store does not know: the channel must not stand open for that.
    let bucket = bucket(&world).await;
    bucket.put("7", r#"{"v":1,"secured":true}"#.into()).await.unwrap();
    bucket.put(CHANNEL.to_string(), "rubbish".into()).await.unwrap();

    let stop = CancellationToken::new();
    tokio::spawn(trusts(&world, None).await.reconcile(stop.clone()));
    until_mirrored(&world, CHANNEL, &expected).await;
    assert_eq!(mirrored(&world, ChannelId::new(7)).await, json!({"v": 1, "secured": true}));

    jetstream::new(world.nats.client().await).delete_key_value(wire::TRUST).await.unwrap();
    until_mirrored(&world, CHANNEL, &expected).await;
    stop.cancel();
}

async fn secrets_are_sealed_anew_under_the_first_key(world: World) {
    let former = keys("former", &[1]);
    trusts(&world, Some(former.clone())).await.add_secret(CHANNEL, &secret(1)).await.unwrap();
    let sealed = world.store().await.trust(CHANNEL).await.unwrap().expect("it was stored").secrets[0].clone();

    let stop = CancellationToken::new();
    let both = trusts(&world, Some(keys("both", &[2, 1]))).await;
    tokio::spawn(both.reconcile(stop.clone()));
    let latter = keys("latter", &[2]);
    let resealed = wait_for("it is sealed anew", SOON, || async {
        let kept = world.store().await.trust(CHANNEL).await.ok()??;
        latter.open(CHANNEL, &kept.secrets[0].sealed).ok()?;
        Some(kept)
    })
    .await;
    assert_eq!(resealed.secrets[0].id, sealed.id, "alerts that wait under it stay good");
    assert!(former.open(CHANNEL, &resealed.secrets[0].sealed).is_err(), "the former key can go");
    until_mirrored(&world, CHANNEL, &serde_json::to_value(&resealed).unwrap()).await;
    stop.cancel();
}

#[tokio::test]
async fn a_change_is_in_the_mirror_when_it_is_answered_and_a_secret_nowhere_in_the_clear() {
    let world = World::nats().await;
    let trusts = trusts(&world, Some(keys("clear", &[1]))).await;
    let secured = Secured::generate().unwrap();
    trusts.secure(CHANNEL, &secured).await.unwrap();
    let kept = mirrored(&world, CHANNEL).await;
    assert_eq!((&kept["secured"], &kept["tokens"][0]["sha256"]), (&json!(true), &json!(secured.key.sha256)));
    trusts.add_secret(CHANNEL, &secret(7)).await.unwrap();
    assert!(!mirrored(&world, CHANNEL).await.to_string().contains("7777"));
    assert_eq!(trusts.open(CHANNEL).await.unwrap(), WriteOutcome::Changed);
    let kept = mirrored(&world, CHANNEL).await;
    assert_eq!((&kept["secured"], kept["tokens"].as_array().unwrap().len()), (&json!(false), 1));
}

async fn trusts(world: &World, keys: Option<SecretsKeys>) -> Trusts {
    let settings = world.settings();
    bucket(world).await;
    let js = jetstream::new(client(&settings).await);
    Trusts::new(world.store().await, &js, keys)
}

fn secret(number: u8) -> ClientSecret {
    number.to_string().repeat(64).into_bytes().into()
}

/// `SECRETS_KEY` of keys that are 32 times these bytes.
fn keys(name: &str, bytes: &[u8]) -> SecretsKeys {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let list: Vec<_> = bytes.iter().map(|&byte| BASE64_STANDARD.encode([byte; 32])).collect();
    let file = format!("{}/{name}-{}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
    std::fs::write(&file, list.join(",")).unwrap();
    let settings = crate::world::settings(&[format!("--secrets-key-file={file}")]);
    SecretsKeys::from_settings(&settings.common).unwrap().expect("it is set")
}

async fn bucket(world: &World) -> jetstream::kv::Store {
    let js = jetstream::new(world.nats.client().await);
    bus::ensure(&js, &world.settings().common.nats, Role::Discord).await.unwrap();
    js.get_key_value(wire::TRUST).await.unwrap()
}

async fn mirrored(world: &World, channel: ChannelId) -> Value {
    let entry = bucket(world).await.get(channel.to_string()).await.unwrap().expect("it is mirrored");
    serde_json::from_slice(&entry).unwrap()
}

async fn until_mirrored(world: &World, channel: ChannelId, expected: &Value) {
    wait_for("the mirror agrees with the store", SOON, || async {
        let entry = bucket(world).await.get(channel.to_string()).await.ok()??;
        (serde_json::from_slice::<Value>(&entry).ok()? == *expected).then_some(())
    })
    .await;
}
