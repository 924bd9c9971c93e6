//! Webhooks of GlitchTip and Bugsink as no version of them sends them.

use ingress_service::payload::other_senders::OtherWebhook;
use proptest::{collection, prelude::*, sample, test_runner::TestRunner};
use serde_json::{Value, json};
use shared::ChannelId;

use crate::{
    generated::{sound, value as generated},
    mutated::pointers,
    senders::{FOLDERS, value},
    support::fixtures,
};

/// A body of theirs with some of its values replaced, or with many odd attachments.
fn odd_body() -> impl Strategy<Value = String> {
    let names = FOLDERS.iter().flat_map(|folder| fixtures(folder).into_iter().map(|name| (*folder, name)));
    let replacement =
        || prop_oneof![2 => "[ -~\u{80}-\u{d7ff}]{0,2000}".prop_map(Value::from), 1 => generated()];
    let replaced = (
        sample::select(names.collect::<Vec<_>>()),
        collection::vec((any::<sample::Index>(), replacement()), 0..4),
    )
        .prop_map(|((folder, name), changes)| {
            let mut body = value(folder, &name);
            for (at, replacement) in changes {
                let mut all = Vec::new();
                pointers(&body, "", &mut all);
                if !all.is_empty() {
                    *body.pointer_mut(at.get(&all).as_str()).expect("it was found") = replacement;
                }
            }
            body.to_string()
        });
    let text = || prop_oneof![1 => Just(Value::Null), 5 => ".{0,300}".prop_map(Value::from)];
    let attachment = (text(), text(), text(), text()).prop_map(|(title, link, said, field)| {
        json!({"title": title, "title_link": link, "text": said, "color": "#E52B50",
            "fields": [{"title": "Project", "value": field}, {"title": "Tag", "value": field}]})
    });
    let line =
        sample::select(vec!["GlitchTip Alert", "GlitchTip Alert (9 issues)", "GlitchTip Uptime Alert"]);
    let many = (line, collection::vec(attachment, 0..30))
        .prop_map(|(line, all)| json!({"text": line, "attachments": all}).to_string());
    prop_oneof![2 => replaced, 1 => many]
}

#[test]
fn any_body_makes_one_to_ten_sound_alerts_or_an_error() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(3_000) };
    let made = std::cell::Cell::new(0);
    TestRunner::new(config)
        .run(&odd_body(), |body| {
            if let Ok(Some(webhook)) = OtherWebhook::parse(body.as_bytes()) {
                let alerts = webhook.alerts(ChannelId::new(1), None, 5);
                prop_assert!((1..=10).contains(&alerts.len()));
                made.set(made.get() + alerts.len());
                for alert in alerts {
                    prop_assert!(alert.title.is_some() && !alert.project.is_empty());
                    sound(&alert)?;
                }
            }
            Ok(())
        })
        .expect("no counterexample");
    assert!(made.get() > 6_000, "only {} alerts", made.get());
}
