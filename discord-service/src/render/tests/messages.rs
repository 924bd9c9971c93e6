//! What is around the embeds of a message.

use serde_json::{Value, json};
use shared::{
    RoleId, UserId,
    alert::{Ping, Routing},
};

use super::{
    super::{Exhibit, Mentions, edit, message},
    discord::text,
    *,
};

#[test]
fn a_lone_embed_is_posted_with_its_buttons_and_its_mention() {
    let alert = Alert { mention: Some(UserId::new(7)), ..exception() };
    let embed = rendered(alert.clone());
    let body = message(std::slice::from_ref(&embed), &Mentions::of([&alert]), "n-1");
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
        let body = message(&[rendered(alert)], &Mentions::default(), "n-1");
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
    let body = message(&embeds, &Mentions::default(), "n-1");
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
fn a_message_pings_whom_urls_and_rules_name_each_once_and_an_edit_keeps_that() {
    let alert = |mention: Option<u64>, ping: Option<Ping>| Alert {
        mention: mention.map(UserId::new),
        routing: Routing { ping, ..Routing::default() },
        ..exception()
    };
    let (user, role) = (|id| Ping::User(UserId::new(id)), |id| Ping::Role(RoleId::new(id)));
    let alerts = [
        alert(Some(7), Some(role(3))),
        alert(Some(7), Some(user(7))),
        alert(None, Some(user(8))),
        alert(None, Some(role(3))),
        alert(None, None),
    ];
    let embeds = alerts.clone().map(rendered);
    let posted = message(&embeds, &Mentions::of(&alerts), "n-1");
    let exhibits: Vec<_> = alerts
        .into_iter()
        .zip(&embeds)
        .map(|(alert, embed)| Exhibit::new(lone(alert), &style(), embed))
        .collect();
    for body in [posted, edit(exhibits.iter(), &style(), 6_000)] {
        assert_eq!(body["content"], "<@7> <@8> <@&3>");
        let exactly = json!({ "parse": [], "users": ["7", "8"], "roles": ["3"] });
        assert_eq!(body["allowed_mentions"], exactly);
    }
    let quiet = Exhibit::new(lone(exception()), &style(), &rendered(exception()));
    let body = edit(std::iter::once(&quiet), &style(), 6_000);
    assert_eq!((body.get("content"), body.get("allowed_mentions")), (None, None));
}

#[test]
fn embeds_of_one_post_never_share_a_url_since_discord_would_show_only_the_first() {
    let at = |url: &str| rendered(Alert { url: Some(url.to_owned()), ..bare() });
    let same = at("https://a.example/1");
    let embeds = [same.clone(), at("https://a.example/1#2"), same.clone(), rendered(bare()), same];
    let body = message(&embeds, &Mentions::default(), "n-1");
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
