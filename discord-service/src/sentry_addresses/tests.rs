use super::*;

#[test]
fn the_list_is_read_over_https_alone_but_for_this_machine() {
    assert_eq!("off".parse(), Ok(Publication::Off));
    for good in [
        "https://docs.sentry.io/api/ip-ranges/",
        "https://192.0.2.1:8443/x?y",
        "http://127.0.0.1:8000/",
        "http://[::1]/",
        "http://localhost:1/list",
    ] {
        let url = Url::parse(good).expect("a URL");
        assert_eq!(good.parse(), Ok(Publication::At(url)), "{good}");
    }
    for bad in [
        "",
        "OFF",
        "docs.sentry.io",
        "http://docs.sentry.io/api/ip-ranges/",
        "http://127.0.0.1.example.com/",
        "http://10.0.0.1/",
        "https://user@docs.sentry.io/",
        "file:///etc/hosts",
    ] {
        assert!(bad.parse::<Publication>().is_err(), "{bad}");
    }
}
