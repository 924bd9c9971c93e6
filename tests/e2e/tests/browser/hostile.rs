//! Payloads of somebody who wants to do harm through the page.

use harness::{
    browser::Screen,
    wait::{SOON, wait_for},
};
use sentry_sender::{Webhook, body::Exception};
use serde_json::json;

use crate::scene::Scene;

/// Texts that must be shown as they are. The page would set `stolen` if one of them ran.
const TEXTS: [&str; 6] = [
    "<img src=x onerror=\"window.stolen=1\">",
    "<script>window.stolen=1</script>",
    "[open](javascript:window.stolen=1)",
    "@everyone <@&1> <@1> <#1>",
    "**bold** ||spoiler|| ~~gone~~ `code` ```block``` # heading",
    "<t:0:R> </sentry:1> <:emoji:1> https://evil.example/ [Sentry](https://evil.example)",
];

/// No message may have elements that run something or load from elsewhere. No
/// link may lead elsewhere than to Sentry. Some marks only the bot itself may
/// make.
const FOUND: &str = "
    const log = document.getElementById('messages');
    const own = (url) => new URL(url).origin === location.origin;
    const links = [...log.querySelectorAll('a')].map((link) => link.href);
    return {
        stolen: window.stolen ?? null,
        running: log.querySelectorAll('script, iframe, object, embed, style, form, svg, link').length,
        handlers: [...log.querySelectorAll('*')].flatMap((node) => node.getAttributeNames()).filter((name) => name.startsWith('on')),
        pictures: [...log.querySelectorAll('img')].map((node) => node.src).filter((url) => !own(url)),
        links: links.filter((url) => new URL(url).hostname !== 'acme.sentry.io'),
        marks: [...log.querySelectorAll('.embed :is(.mention, .spoiler, .timestamp[datetime^=\"1970\"], h1, s, [data-command], [data-channel])')].map((node) => node.outerHTML),
        unseen: log.innerText.match(/[\\u202a-\\u202e\\u2066-\\u2069\\u200e\\u200f]/g) || [],
    };
";

#[tokio::test(flavor = "multi_thread")]
async fn what_an_attacker_writes_is_shown_as_text_and_does_nothing() {
    let Some(scene) = Scene::authorized(Screen::DESKTOP).await else { return };
    for (number, text) in TEXTS.iter().enumerate() {
        let exception =
            Exception::new(format!("Error {number}: {text}")).message(*text).issue(number.to_string());
        scene.stack.accepted(scene.alerts, &Webhook::legacy(exception.json())).await;
    }
    let turned = Exception::new("Error: \u{202E}gpj.exe\u{2066}\u{200F}").issue("turned");
    scene.stack.accepted(scene.alerts, &Webhook::legacy(turned.json())).await;
    let folder = harness::workspace_root().join("tests/fixtures/legacy");
    for name in ["40_markdown_everyone.json", "42_non_ascii.json"] {
        let webhook = Webhook::from_file(&folder.join(name)).expect("the fixture is there");
        scene.stack.accepted(scene.alerts, &webhook).await;
    }
    scene.stack.until_drained(SOON).await;
    let count = scene.stack.sandbox.messages(scene.alerts).len();
    wait_for("the page shows all messages", SOON, || async {
        (scene.text("#messages .message").await.len() == count).then_some(())
    })
    .await;
    for shown in TEXTS.map(|text| text.split(' ').next().unwrap_or_default()) {
        // A backtick cannot be shown in code, so another character is in its place.
        scene.until_says("#messages", shown).await;
    }
    let found = scene.value(FOUND).await;
    let nothing = json!({
        "stolen": null, "running": 0, "handlers": [], "pictures": [], "links": [], "marks": [], "unseen": [],
    });
    assert_eq!(found, nothing);
    for message in scene.stack.sandbox.messages(scene.alerts) {
        assert!(message.pings.is_empty(), "{:?}", message.pings);
    }
    scene.close().await;
}
