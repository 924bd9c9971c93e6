use super::*;

#[test]
fn an_id_is_one_to_twenty_digits_that_fit_64_bits() {
    assert_eq!("0".parse(), Ok(ChannelId::new(0)));
    assert_eq!("007".parse(), Ok(ChannelId::new(7)));
    assert_eq!("18446744073709551615".parse(), Ok(ChannelId::new(u64::MAX)));
    for bad in
        ["", "+1", "-1", " 1", "1 ", "1.0", "0x1", "18446744073709551616", "٣", "000000000000000000001"]
    {
        assert_eq!(bad.parse::<ChannelId>(), Err(InvalidId), "{bad:?}");
    }
}
