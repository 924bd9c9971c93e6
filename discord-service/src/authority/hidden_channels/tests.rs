use super::*;

const CHANNEL: ChannelId = ChannelId::new(1);
const GUILD: GuildId = GuildId::new(9);

/// How often Discord is asked within so long, by somebody who asks every second.
async fn asked(hidden: &HiddenChannels, start: Instant, within: Duration) -> usize {
    let mut asked = 0;
    for now in (0..within.as_secs()).map(|second| start + Duration::from_secs(second)) {
        if hidden.why(CHANNEL, now).await.is_none() {
            hidden.note(CHANNEL, &[GUILD], "Missing Access", now).await;
            asked += 1;
        }
    }
    asked
}

#[tokio::test]
async fn a_channel_is_asked_for_ever_more_rarely() {
    let (hidden, start) = (HiddenChannels::new(10), Instant::now());
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    // After 0, 10, 30, 70, 150 and 310 seconds.
    assert_eq!(asked(&hidden, start, minutes(10)).await, 6);
    assert_eq!(hidden.why(CHANNEL, start + minutes(10)).await.as_deref(), Some("Missing Access"));
    let later = start + minutes(24 * 60);
    assert!((26..=28).contains(&asked(&hidden, later, minutes(24 * 60)).await), "hourly in the end");
}

#[tokio::test]
async fn questions_at_the_same_time_lengthen_nothing() {
    let (hidden, now) = (HiddenChannels::new(10), Instant::now());
    for _ in 0..100 {
        hidden.note(CHANNEL, &[GUILD], "Missing Access", now).await;
    }
    assert!(hidden.why(CHANNEL, now + FIRST - Duration::from_millis(1)).await.is_some());
    assert!(hidden.why(CHANNEL, now + FIRST).await.is_none());
}

#[tokio::test]
async fn what_may_be_within_reach_is_asked_for_at_once() {
    let (hidden, now) = (HiddenChannels::new(10), Instant::now());
    let other = ChannelId::new(2);
    let note = async || {
        for (channel, guild) in [(CHANNEL, GUILD), (other, GuildId::new(8))] {
            hidden.note(channel, &[guild, GuildId::new(7)], "Missing Access", now).await;
        }
    };
    let known = async || [hidden.why(CHANNEL, now).await.is_some(), hidden.why(other, now).await.is_some()];
    note().await;
    hidden.forget(CHANNEL).await;
    assert_eq!(known().await, [false, true]);
    note().await;
    hidden.forget_guild(GUILD).await;
    assert_eq!(known().await, [false, true]);
    note().await;
    hidden.forget_guild(GuildId::new(7)).await;
    assert_eq!(known().await, [false, false]);
    // And it begins again with the shortest wait.
    assert_eq!(asked(&hidden, now, Duration::from_secs(30)).await, 2);
}
