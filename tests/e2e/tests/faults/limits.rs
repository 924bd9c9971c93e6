//! Discord's limits under many commands and many dead rows.

use std::time::Duration;

use e2e::{Ledger, Seed, Stack, Storm, report, scaled};
use futures::future::join_all;
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Channel, Config, Effect, Fault};
use shared::{
    ChannelId,
    verdict::{Verdict, VerdictRequest},
    wire,
};
use tokio::time::Instant;

use crate::{SETTLED, builder, discord};

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_shown_within_two_seconds_beside_a_hundred_typed_commands() {
    // A channel's own limit: five messages in five seconds.
    let config = Config::default().clocks(|clocks| clocks.identify_window = Duration::from_millis(200));
    let (ledger, stack) = (Ledger::default(), Stack::builder().sandbox(config).start().await);
    let channel = stack.authorized_channels(1, &ledger).await[0];
    stack.until_drained(SOON).await;
    for _ in 0..100 {
        stack.sandbox.say(stack.owner, channel, "!sentry h").expect("the owner may write");
    }
    let replies = || {
        let messages = stack.sandbox.messages(channel);
        messages.iter().filter(|message| message.author == stack.sandbox.bot()).count() - 1
    };
    // The replies have used their share of this window.
    wait_for("replies", SOON, async || (replies() >= 2).then_some(())).await;
    let start = Instant::now();
    ledger.send(&stack, channel, "beside a flood").await;
    stack.until_shown(channel, 2, Duration::from_secs(30)).await;
    report(&format!("beside 100 typed commands an alert was shown after {:?}", start.elapsed()));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    ledger.settle(&stack, SOON).await;
    assert!(replies() < 20, "replies are given up after five seconds: {}", replies());
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_whose_id_differs_from_channel_to_channel_stay_known() {
    let (seed, ledger) = (Seed::new(), Ledger::default());
    let stack = Stack::builder().sandbox(discord().bucket_per_channel(true)).start().await;
    let channels = stack.authorized_channels(scaled(4, 20), &ledger).await;
    Storm { channels: &channels, first: 0, each: scaled(40, 100), noisy: 0.3, pause: Duration::ZERO }
        .rage(&stack, &ledger, &seed)
        .await;
    ledger.settle(&stack, SETTLED).await;
    assert_eq!(stack.sandbox.stats().rate_limited, 0);
}

/// Channels that the store lists and that Discord does not show to the bot.
const DEAD_ROWS: u64 = 67;

#[tokio::test(flavor = "multi_thread")]
async fn channels_that_the_bot_cannot_see_are_asked_for_ever_more_rarely() {
    const LOOK_UP: &str = "GET /channels/{channel_id}";
    let (ledger, stack) = (Ledger::default(), builder().start().await);
    let calm = stack.authorized_channels(1, &ledger).await[0];
    let nats = stack.nats.client().await;
    let list = async_nats::jetstream::new(nats.clone()).get_key_value("channel-list").await;
    let list = list.expect("the store is there");
    let mut rows = Vec::new();
    for number in 0..DEAD_ROWS {
        let channel = stack.sandbox.add_channel(stack.guild, Channel::text(format!("dead-{number}")));
        list.put(format!("{channel}.{}", stack.guild), "".into()).await.expect("NATS takes it");
        let unseen = Fault::new(Effect::MissingAccess).on_endpoint(LOOK_UP).on_channel(channel);
        stack.sandbox.add_fault(unseen);
        rows.push(channel);
    }
    let verdict = async |channel: u64| {
        let project = "shop".to_owned();
        let question = VerdictRequest { channel: ChannelId::new(channel), mention: None, project };
        let question = serde_json::to_vec(&question).expect("JSON");
        let answer = nats.request(wire::VERDICT, question.into()).await.expect("a verdict");
        serde_json::from_slice::<Verdict>(&answer.payload).expect("JSON")
    };
    let looked_up = || stack.sandbox.stats().answers(LOOK_UP, Some(403));
    let start = Instant::now();
    // After 0 and 10 seconds, and again after 30.
    wait_for("the time in which each was asked for three times", Duration::from_secs(60), async || {
        let verdicts = join_all(rows.iter().map(|channel| verdict(*channel))).await;
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::ChannelNotAuthorized));
        (start.elapsed() > Duration::from_secs(21)).then_some(())
    })
    .await;
    assert!((2 * DEAD_ROWS..=2 * DEAD_ROWS + 5).contains(&looked_up()), "{} look-ups", looked_up());

    let start = Instant::now();
    ledger.send(&stack, calm, "beside dead rows").await;
    stack.until_shown(calm, 2, SOON).await;
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());

    // After an admin authorizes such a channel, nothing waits for the next
    // look.
    stack.sandbox.clear_faults();
    assert_eq!(verdict(rows[0]).await, Verdict::ChannelNotAuthorized);
    stack.command(stack.owner, &format!("!sentry channel authorize <#{}>", rows[0])).await;
    assert_eq!(verdict(rows[0]).await, Verdict::Accepted);
    ledger.settle(&stack, SOON).await;
}
