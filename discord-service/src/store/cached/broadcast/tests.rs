use super::*;

#[test]
fn a_broadcast_is_read_as_it_was_written() {
    let guild = GuildId::new(u64::MAX);
    let channel = ChannelId::new(0);
    let all = [
        Written::Channel(guild, channel),
        Written::Projects(guild),
        Written::Trust(channel),
        Written::Rules(channel),
    ];
    for written in all {
        assert_eq!(Written::parse(written.to_string().as_bytes()), Some(written));
    }
    for unknown in ["", ".", "1.", "x", "1.2.3", "{}", "\u{e9}"] {
        assert_eq!(Written::parse(unknown.as_bytes()), None, "{unknown:?}");
    }
}
