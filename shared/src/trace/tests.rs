use super::*;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

fn read(sentry: Option<&str>, w3c: Option<&str>) -> Option<String> {
    let header = |name| if name == SENTRY_TRACE { sentry } else { w3c };
    let mut headers = HeaderMap::new();
    TracePoint::from_headers(header)?.write(&mut headers);
    let value = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
    Some([value(SENTRY_TRACE)?, value(TRACEPARENT)?].join(" "))
}

#[test]
fn both_notations_are_read_and_both_are_written() {
    for (flag, sentry, w3c) in [("-1", "-1", "-01"), ("-0", "-0", "-00"), ("", "", "-00")] {
        let expected = format!("{TRACE}-{SPAN}{sentry} 00-{TRACE}-{SPAN}{w3c}");
        assert_eq!(read(Some(&format!("{TRACE}-{SPAN}{flag}")), None), Some(expected));
    }
    let expected = format!("{TRACE}-{SPAN}-1 00-{TRACE}-{SPAN}-01");
    assert_eq!(read(None, Some(&format!("00-{TRACE}-{SPAN}-01"))), Some(expected.clone()));
    assert_eq!(read(Some("garbage"), Some(&format!("00-{TRACE}-{SPAN}-01"))), Some(expected));
}

#[test]
fn what_is_no_point_in_a_trace_is_none() {
    let zeros = format!("{}-{SPAN}-1", "0".repeat(32));
    for value in ["", "-", "x", TRACE, &format!("{TRACE}-"), &format!("{TRACE}-xyz-1"), &zeros] {
        assert_eq!(read(Some(value), None), None, "{value}");
    }
    assert_eq!(read(None, Some(&format!("ff-{TRACE}-{SPAN}-01"))), None);
    assert_eq!(read(None, None), None);
}
