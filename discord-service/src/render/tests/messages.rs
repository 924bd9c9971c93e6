//! What is around the embeds of a message.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared::UserId;

use super::{super::message, discord::text, *};

#[test]
fn a_lone_embed_is_posted_with_its_buttons_and_its_mention() {
    let embed = rendered(exception());
    let body = message(std::slice::from_ref(&embed), &BTreeSet::from([UserId::new(7)]), "n-1");
    assert_eq!(
        body,
        json!({
            "content": "<@7>",
            "nonce": "n-1",
            "enforce_nonce": true,
            "allowed_mentions": { "parse": [], "users": ["7"] },
            "embeds": [embed.json],
            "components": [{ "type": 1, "components": [{
                "type": 2,
                "style": 5,
                "label": "Open in Sentry",
                "url": "https://acme.sentry.io/issues/6100221732/?referrer=webhooks_plugin",
                "disabled": false,
            }, {
                "type": 2,
                "style": 2,
                "label": "Stack trace",
                "custom_id": "stack-trace",
                "disabled": false,
            }] }],
        })
    );
}

#[test]
fn without_a_frame_there_is_no_stack_trace_and_without_a_link_nothing_to_open() {
    let labels = |alert: Alert| {
        let body = message(&[rendered(alert)], &BTreeSet::new(), "n-1");
        let buttons = body.pointer("/components/0/components").and_then(Value::as_array);
        buttons.into_iter().flatten().map(|button| text(button, "/label").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(labels(Alert { frame: None, ..exception() }), ["Open in Sentry"]);
    assert_eq!(labels(Alert { url: None, ..exception() }), ["Stack trace"]);
    assert_eq!(labels(bare()), [""; 0]);
}

#[test]
fn a_shared_post_has_no_button_and_without_mentions_no_content() {
    let embeds = [rendered(exception()), rendered(bare())];
    let body = message(&embeds, &BTreeSet::new(), "n-1");
    assert_eq!(
        body,
        json!({
            "nonce": "n-1",
            "enforce_nonce": true,
            "allowed_mentions": { "parse": [], "users": [] },
            "embeds": [embeds[0].json, embeds[1].json],
        })
    );
}

#[test]
fn embeds_of_one_post_never_share_a_url_since_discord_would_show_only_the_first() {
    let at = |url: &str| rendered(Alert { url: Some(url.to_owned()), ..bare() });
    let same = at("https://a.example/1");
    let embeds = [same.clone(), at("https://a.example/1#2"), same.clone(), rendered(bare()), same];
    let body = message(&embeds, &BTreeSet::new(), "n-1");
    let urls: Vec<_> = (0..5).map(|n| text(&body["embeds"][n], "/url")).collect();
    assert_eq!(
        urls,
        [
            "https://a.example/1",
            "https://a.example/1#2",
            "https://a.example/1#3",
            "",
            "https://a.example/1#4"
        ]
    );
}
