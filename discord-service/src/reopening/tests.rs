use super::*;

const GUILD: GuildId = GuildId::new(u64::MAX);

fn of(channels: Option<&[u64]>) -> Reopening {
    let channels = channels.map(|ids| ids.iter().map(|id| ChannelId::new(*id)).collect());
    Reopening { guild: GUILD, channels, spread: false, deleted: Vec::new() }
}

#[test]
fn a_broadcast_is_read_as_it_was_written() {
    let deleted = Reopening { deleted: vec![ChannelId::new(7)], ..of(Some(&[])) };
    assert!(!deleted.opens() && of(None).opens() && of(Some(&[7])).opens());
    for told in [of(None), of(Some(&[])), of(Some(&[0, 7])), Reopening { spread: true, ..of(None) }, deleted]
    {
        assert_eq!(Reopening::decode(&told.encode()), Some(told));
    }
    let json = String::from_utf8(of(Some(&[7])).encode()).expect("text");
    assert_eq!(json, r#"{"guild":"18446744073709551615","channels":["7"],"spread":false}"#);
    assert!(!String::from_utf8_lossy(&of(None).encode()).contains("channels"));
}

#[test]
fn a_later_build_may_say_more_and_what_is_unreadable_is_nothing() {
    let more = br#"{"guild":"1","why":{"role":"2"}}"#;
    let told = Reopening { guild: GuildId::new(1), ..of(None) };
    assert_eq!(Reopening::decode(more), Some(told));
    for unreadable in ["", "{}", "null", "1", r#"{"guild":1}"#, r#"{"guild":"1","channels":[2]}"#] {
        assert_eq!(Reopening::decode(unreadable.as_bytes()), None, "{unreadable}");
    }
}

#[test]
fn it_concerns_the_channels_that_it_names_and_their_threads() {
    let (one, two) = (ChannelId::new(1), ChannelId::new(2));
    assert!(of(None).concerns(GUILD, one, None));
    assert!(of(Some(&[1])).concerns(GUILD, one, None));
    assert!(of(Some(&[1])).concerns(GUILD, two, Some(one)));
    assert!(!of(Some(&[1])).concerns(GUILD, two, None));
    assert!(!of(Some(&[])).concerns(GUILD, one, None));
    assert!(!of(None).concerns(GuildId::new(1), one, None));
}
