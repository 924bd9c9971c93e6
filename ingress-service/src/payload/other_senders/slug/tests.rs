use super::*;

#[test]
fn a_slug_is_made_as_django_makes_it() {
    for (name, expected) in [
        ("Shop", Some("shop")),
        ("  Web  Shop -- API (v2.0)! ", Some("web-shop-api-v20")),
        ("back_end", Some("back_end")),
        ("- _Shop_ -", Some("shop")),
        ("Müller & Söhne", Some("muller-sohne")),
        ("`@everyone`", Some("everyone")),
        ("Магазин", None),
        ("", None),
    ] {
        assert_eq!(slug(name).as_deref(), expected, "{name}");
    }
    let long = slug(&format!("{}-x", "a".repeat(99))).expect("a slug");
    assert_eq!(long, "a".repeat(99), "it does not end in a hyphen");
}
