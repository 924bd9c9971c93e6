use shared::ChannelId;

use super::*;

fn of(channels: Option<Vec<u64>>, spread: bool) -> Reopening {
    let channels = channels.map(|ids| ids.into_iter().map(ChannelId::new).collect());
    Reopening { guild: GuildId::new(1), channels, spread, deleted: Vec::new() }
}

fn merged(mut told: Reopening, more: Reopening) -> Reopening {
    merge(&mut told, more);
    told
}

#[test]
fn what_is_told_of_a_guild_together_names_every_channel_once() {
    let both = merged(of(Some(vec![2, 1]), false), of(Some(vec![2, 3]), false));
    assert_eq!(both, of(Some(vec![1, 2, 3]), false));
    assert_eq!(merged(both.clone(), of(None, false)), of(None, false));
    assert_eq!(merged(of(None, false), both), of(None, false));
}

#[test]
fn what_came_with_no_crowd_of_guilds_is_not_spread() {
    assert_eq!(merged(of(None, true), of(None, true)), of(None, true));
    assert_eq!(merged(of(None, true), of(Some(vec![1]), false)), of(None, false));
    assert_eq!(merged(of(Some(vec![1]), false), of(None, true)), of(None, false));
}

#[test]
fn very_many_channels_are_the_whole_guild() {
    let all = |count: usize| of(Some((0..count as u64).collect()), false);
    assert_eq!(merged(all(MAX_CHANNELS), all(1)), all(MAX_CHANNELS));
    assert_eq!(merged(all(MAX_CHANNELS + 1), all(1)), of(None, false));
}
