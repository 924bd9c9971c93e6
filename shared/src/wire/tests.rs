use super::*;

#[test]
fn the_partition_of_a_channel_never_changes() {
    let partitions = [0, 1, 123_456_789_012_345_678, u64::MAX].map(|id| partition(ChannelId::new(id)));
    assert_eq!(partitions, [0, 39, 42, 24]);
}

#[test]
fn snowflakes_spread_over_all_partitions() {
    let mut seen = std::collections::HashSet::new();
    for n in 0..1_000u64 {
        seen.insert(partition(ChannelId::new((900_000_000_000 + n * 86_400_000) << 22)));
    }
    assert_eq!(seen.len() as u64, PARTITIONS);
}

#[test]
fn a_subject_names_its_channel() {
    let channel = ChannelId::new(42);
    assert_eq!(subject_channel(&alert_subject(channel)), Some(channel));
    assert_eq!(dead_letter_subject("expired", channel), "dead.expired.42");
    assert_eq!(subject_channel("alerts.1.x"), None);
}
