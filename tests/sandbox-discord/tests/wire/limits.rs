//! Every limit of a message: the most that is taken, and one more.

use serde_json::{Value, json};

use crate::client::World;

fn a(count: usize) -> String {
    "ä".repeat(count)
}

/// One more than the limit is refused at this path, the limit itself is not.
pub(crate) async fn limit(path: &str, code: &str, fits: Value, too_much: Value) {
    let world = World::start().await;
    let answer = world.post(fits).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer = world.post(too_much).await;
    assert_eq!((answer.status, answer.code()), (400, 50035), "{}", answer.body);
    assert_eq!(answer.body["message"], "Invalid Form Body");
    assert_eq!(answer.error_at(path), code, "{}", answer.body);
    assert_eq!(world.sandbox.messages(world.channel).len(), 1);
}

pub(crate) fn embed(embed: Value) -> Value {
    json!({ "embeds": [embed] })
}

pub(crate) fn field(name: &str, value: &str) -> Value {
    embed(json!({ "fields": [{ "name": name, "value": value }] }))
}

fn button(button: Value) -> Value {
    json!({ "content": "x", "components": [{ "type": 1, "components": [button] }] })
}

fn link(label: &str, url: &str) -> Value {
    button(json!({ "type": 2, "style": 5, "label": label, "url": url }))
}

const TOO_LONG: &str = "BASE_TYPE_MAX_LENGTH";
pub(crate) const REQUIRED: &str = "BASE_TYPE_REQUIRED";
const BAD_URL: &str = "URL_TYPE_INVALID_URL";

#[tokio::test]
async fn content_is_at_most_2000_characters() {
    limit("/content", TOO_LONG, json!({ "content": a(2000) }), json!({ "content": a(2001) })).await;
}

#[tokio::test]
async fn a_nonce_is_at_most_25_characters() {
    let with = |nonce: String| json!({ "content": "x", "nonce": nonce });
    limit("/nonce", TOO_LONG, with(a(25)), with(a(26))).await;
}

#[tokio::test]
async fn a_message_has_at_most_ten_embeds() {
    let with = |count| json!({ "embeds": vec![json!({ "title": "x" }); count] });
    limit("/embeds", TOO_LONG, with(10), with(11)).await;
}

#[tokio::test]
async fn an_embeds_title_is_at_most_256_characters() {
    let with = |count| embed(json!({ "title": a(count) }));
    limit("/embeds/0/title", TOO_LONG, with(256), with(257)).await;
}

#[tokio::test]
async fn an_embeds_description_is_at_most_4096_characters() {
    let with = |count| embed(json!({ "description": a(count) }));
    limit("/embeds/0/description", TOO_LONG, with(4096), with(4097)).await;
}

#[tokio::test]
async fn an_embed_has_at_most_25_fields() {
    let with = |count| embed(json!({ "fields": vec![json!({ "name": "n", "value": "v" }); count] }));
    limit("/embeds/0/fields", TOO_LONG, with(25), with(26)).await;
}

#[tokio::test]
async fn a_fields_name_is_1_to_256_characters() {
    let path = "/embeds/0/fields/0/name";
    limit(path, TOO_LONG, field(&a(256), "v"), field(&a(257), "v")).await;
    limit(path, REQUIRED, field("n", "v"), field(" \n ", "v")).await;
}

#[tokio::test]
async fn a_fields_value_is_1_to_1024_characters_after_trimming() {
    let path = "/embeds/0/fields/0/value";
    limit(path, TOO_LONG, field("n", &format!("  {}\n", a(1024))), field("n", &a(1025))).await;
    limit(path, REQUIRED, field("n", "\u{200b}"), field("n", "\u{2003} \u{1f}")).await;
    let without = embed(json!({ "fields": [{ "name": "n" }] }));
    limit(path, REQUIRED, field("n", "v"), without).await;
}

#[tokio::test]
async fn a_footer_is_at_most_2048_and_an_author_256_characters() {
    let footer = |count| embed(json!({ "footer": { "text": a(count) } }));
    limit("/embeds/0/footer/text", TOO_LONG, footer(2048), footer(2049)).await;
    let author = |count| embed(json!({ "author": { "name": a(count) } }));
    limit("/embeds/0/author/name", TOO_LONG, author(256), author(257)).await;
}

#[tokio::test]
async fn all_embeds_together_are_at_most_6000_characters() {
    let with = |more: usize| {
        json!({ "embeds": [
            { "title": a(100), "description": a(2900) },
            { "description": a(2000), "fields": [{ "name": a(100), "value": a(800) }],
              "footer": { "text": a(50) }, "author": { "name": a(50 + more) } },
        ] })
    };
    limit("/embeds", "MAX_EMBED_SIZE_EXCEEDED", with(0), with(1)).await;
}

#[tokio::test]
async fn a_colour_has_24_bits() {
    let with = |colour: i64| embed(json!({ "title": "x", "color": colour }));
    limit("/embeds/0/color", "NUMBER_TYPE_MAX", with(0x00FF_FFFF), with(0x0100_0000)).await;
    limit("/embeds/0/color", "NUMBER_TYPE_MIN", with(0), with(-1)).await;
}

#[tokio::test]
async fn a_timestamp_is_iso_8601() {
    let with = |time: &str| embed(json!({ "title": "x", "timestamp": time }));
    limit("/embeds/0/timestamp", "DATE_TIME_TYPE_PARSE", with("2025-01-02T03:04:05Z"), with("yesterday"))
        .await;
}

#[tokio::test]
async fn links_are_http_and_their_host_has_a_dot_or_is_an_address() {
    let with = |url: &str| embed(json!({ "title": "x", "url": url }));
    for (fits, too_much, code) in [
        ("https://sentry.io/issues/1", "https://localhost/issues/1", BAD_URL),
        ("http://10.0.0.1:9000/x", "http://sentry:9000/x", BAD_URL),
        ("http://[::1]/", "https://", BAD_URL),
        ("https://a.b/?q=%20", "https://a.b/?q= x", BAD_URL),
        ("HTTPS://A.B", "http://", BAD_URL),
        ("https://a.b", "not a link", "URL_TYPE_INVALID_SCHEME"),
        ("https://a.b", "", "URL_TYPE_INVALID_SCHEME"),
        ("https://a.b", "javascript:alert(1)", "URL_TYPE_INVALID_SCHEME"),
        ("https://a.b", "ftp://a.b/", "URL_TYPE_INVALID_SCHEME"),
    ] {
        limit("/embeds/0/url", code, with(fits), with(too_much)).await;
    }
    let thumbnail = |url: &str| embed(json!({ "title": "x", "thumbnail": { "url": url } }));
    limit(
        "/embeds/0/thumbnail/url",
        BAD_URL,
        thumbnail("https://a.b/c.png"),
        thumbnail("http://glyphs/c.png"),
    )
    .await;
}

#[tokio::test]
async fn a_link_is_at_most_2048_characters_and_a_buttons_512() {
    let url = |count: usize| format!("https://a.b/{}", "x".repeat(count - 12));
    let with = |count| embed(json!({ "title": "x", "url": url(count) }));
    limit("/embeds/0/url", TOO_LONG, with(2048), with(2049)).await;
    let path = "/components/0/components/0/url";
    limit(path, TOO_LONG, link("x", &url(512)), link("x", &url(513))).await;
    limit(path, BAD_URL, link("x", "https://a.b"), link("x", "https://localhost")).await;
}

#[tokio::test]
async fn a_button_has_a_label_of_at_most_80_characters_and_a_link() {
    let path = "/components/0/components/0";
    let label = format!("{path}/label");
    limit(&label, TOO_LONG, link(&a(80), "https://a.b"), link(&a(81), "https://a.b")).await;
    let fits = link("x", "https://a.b");
    let bare = button(json!({ "type": 2, "style": 5, "label": "x" }));
    limit(&format!("{path}/url"), "BUTTON_COMPONENT_URL_REQUIRED", fits.clone(), bare).await;
    let both = button(json!({ "type": 2, "style": 5, "label": "x", "url": "https://a.b", "custom_id": "c" }));
    limit(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", fits.clone(), both).await;
    let without = button(json!({ "type": 2, "style": 1, "label": "x" }));
    limit(&format!("{path}/custom_id"), "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED", fits.clone(), without).await;
    let blank = button(json!({ "type": 2, "style": 5, "url": "https://a.b" }));
    limit(path, "BUTTON_COMPONENT_INVALID_LABEL", fits, blank).await;
}

#[tokio::test]
async fn a_button_that_acts_has_a_custom_id_of_its_own() {
    let press = |id: &str| json!({ "type": 2, "style": 2, "label": "x", "custom_id": id });
    let row =
        |buttons: &[Value]| json!({ "content": "x", "components": [{ "type": 1, "components": buttons }] });
    let path = "/components/0/components/0";
    let id = format!("{path}/custom_id");
    limit(&id, TOO_LONG, row(&[press(&a(100))]), row(&[press(&a(101))])).await;
    limit(&id, REQUIRED, row(&[press("a")]), row(&[press("")])).await;
    let second = "/components/0/components/1/custom_id";
    let twice = row(&[press("a"), press("a")]);
    limit(second, "COMPONENT_CUSTOM_ID_DUPLICATED", row(&[press("a"), press("b")]), twice).await;
    let mut both = press("a");
    both["url"] = "https://a.b".into();
    let code = "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE";
    limit(path, code, row(&[press("a")]), row(&[both])).await;
    let style = json!({ "type": 2, "style": 7, "label": "x", "custom_id": "a" });
    limit(&format!("{path}/style"), "NUMBER_TYPE_MAX", row(&[press("a")]), row(&[style])).await;
}

#[tokio::test]
async fn a_menu_is_alone_in_its_row_and_has_at_most_25_options() {
    let option = |value: usize| json!({ "label": format!("o{value}"), "value": value.to_string() });
    let menu = |options: Vec<Value>| json!({ "type": 3, "custom_id": "m", "options": options });
    let row = |items: &[Value]| json!({ "content": "x", "components": [{ "type": 1, "components": items }] });
    let many = |count| row(&[menu((0..count).map(option).collect())]);
    let path = "/components/0/components/0/options";
    limit(path, TOO_LONG, many(25), many(26)).await;
    limit(path, REQUIRED, many(1), many(0)).await;
    let twice = row(&[menu(vec![option(1), option(1)])]);
    limit(&format!("{path}/1/value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", many(2), twice).await;
    let button = json!({ "type": 2, "style": 2, "label": "x", "custom_id": "b" });
    let wide = row(&[menu(vec![option(1)]), button]);
    limit("/components/0", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", many(1), wide).await;
}

#[tokio::test]
async fn there_are_at_most_five_rows_of_five_buttons() {
    let one = json!({ "type": 2, "style": 5, "label": "x", "url": "https://a.b" });
    let rows = |rows, buttons| {
        let row = json!({ "type": 1, "components": vec![one.clone(); buttons] });
        json!({ "content": "x", "components": vec![row; rows] })
    };
    limit("/components", TOO_LONG, rows(5, 5), rows(6, 1)).await;
    limit("/components/0/components", TOO_LONG, rows(1, 1), rows(1, 6)).await;
    limit("/components/0/components", REQUIRED, rows(1, 1), rows(1, 0)).await;
}

#[tokio::test]
async fn allowed_mentions_are_checked() {
    let with = |allowed: Value| json!({ "content": "x", "allowed_mentions": allowed });
    let fits = with(json!({ "users": ["1", "2"], "parse": ["roles", "everyone"] }));
    for (path, code, allowed) in [
        ("", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", json!({ "parse": ["users"], "users": ["1"] })),
        ("/parse/0", "BASE_TYPE_CHOICES", json!({ "parse": ["all"] })),
        ("/users/0", "NUMBER_TYPE_COERCE", json!({ "users": ["olivia"] })),
        ("/users/1", "SET_TYPE_ALREADY_CONTAINS_VALUE", json!({ "users": ["1", "1"] })),
        ("/users", TOO_LONG, json!({ "users": (1..=101).map(|id| id.to_string()).collect::<Vec<_>>() })),
        ("/roles", "LIST_TYPE_CONVERT", json!({ "roles": "1" })),
    ] {
        limit(&format!("/allowed_mentions{path}"), code, fits.clone(), with(allowed)).await;
    }
}
