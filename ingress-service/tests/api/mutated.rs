//! Webhooks of the Integration Platform as no version of Sentry sends them.

use std::{cell::RefCell, collections::BTreeSet};

use ingress_service::payload::platform::{PlatformWebhook, known};
use proptest::{prelude::*, sample, test_runner::TestRunner};
use serde_json::{Value, json};
use shared::{Alert, ChannelId};

use crate::{
    generated::{sound, value},
    support::{CHANNEL, Request, TestApp, client, fixtures, platform_fixture},
};

/// Everything inside this value, by JSON pointer.
pub(crate) fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, value) in inner {
        let at = format!("{at}/{name}");
        found.push(at.clone());
        pointers(value, &at, found);
    }
}

#[derive(Debug, Clone)]
enum Mutation {
    Replace(sample::Index, Value),
    /// To another of the resource's actions.
    Act(sample::Index),
    Damage(sample::Index, u8),
}

fn change() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        6 => (any::<sample::Index>(), value()).prop_map(|(at, value)| Mutation::Replace(at, value)),
        3 => any::<sample::Index>().prop_map(Mutation::Act),
        1 => (any::<sample::Index>(), any::<u8>()).prop_map(|(at, byte)| Mutation::Damage(at, byte)),
    ]
}

fn apply(resource: &str, body: Vec<u8>, change: &Mutation) -> Vec<u8> {
    let Ok(mut json) = serde_json::from_slice::<Value>(&body) else { return body };
    match change {
        Mutation::Replace(at, value) => {
            let mut all = Vec::new();
            pointers(&json, "", &mut all);
            if !all.is_empty() {
                *json.pointer_mut(at.get(&all).as_str()).expect("it was found") = value.clone();
            }
        }
        Mutation::Act(at) => {
            let actions: Vec<_> = known(resource.as_bytes()).expect("known").actions().collect();
            if json.is_object() {
                json["action"] = json!(at.get(&actions));
            }
        }
        Mutation::Damage(at, byte) => {
            let mut body = body;
            let at = at.index(body.len());
            body[at] = *byte;
            return body;
        }
    }
    json.to_string().into_bytes()
}

/// A resource, and a body that was once its.
fn webhook() -> impl Strategy<Value = (String, Vec<u8>)> {
    // A hundred spans tell no more than the small ones.
    let mut names = fixtures("platform");
    names.retain(|name| !name.contains("n_plus_one"));
    let mutated =
        (sample::select(names), proptest::collection::vec(change(), 0..4)).prop_map(|(name, changes)| {
            let resource = name.split('.').next().unwrap_or_default().to_owned();
            let body = platform_fixture(&name).into_bytes();
            let body = changes.iter().fold(body, |body, change| apply(&resource, body, change));
            (resource, body)
        });
    let resources: Vec<_> =
        fixtures("platform").iter().filter_map(|name| Some(name.split('.').next()?.to_owned())).collect();
    let arbitrary =
        (sample::select(resources), value(), sample::select(vec!["created", "triggered", "resolved"]))
            .prop_map(|(resource, data, action)| {
                (resource, json!({"action": action, "data": data}).to_string().into_bytes())
            });
    prop_oneof![5 => mutated, 1 => arbitrary]
}

#[test]
fn five_thousand_bodies_make_a_sound_alert_or_an_error() {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(5_000) };
    let kinds = RefCell::new(BTreeSet::new());
    TestRunner::new(config)
        .run(&webhook(), |(resource, body)| {
            let resource = known(resource.as_bytes()).expect("known");
            if let Ok(Some(webhook)) = PlatformWebhook::parse(resource, &body) {
                let alert = webhook.alert(ChannelId::new(1), None, 5);
                let details = &alert.details;
                sound(&alert)?;
                let said =
                    [&details.actor, &details.assignee, &details.how, &details.category, &details.priority];
                let evidence = details.evidence.iter().flat_map(|(name, value)| [name, value]);
                let brief =
                    said.into_iter().flatten().chain(evidence).all(|text| text.chars().count() <= 256);
                prop_assert!(brief);
                prop_assert!(details.evidence.len() <= 3);
                prop_assert!(!alert.project.is_empty());
                kinds.borrow_mut().insert(alert.kind.clone());
                prop_assert_eq!(Alert::decode(&alert.encode()).expect("it was encoded"), alert);
            }
            Ok(())
        })
        .expect("no counterexample");
    // 3 resources of the kind `error` or with one action, and 29 actions beside.
    assert!(kinds.borrow().len() > 25, "only {:?}", kinds.borrow());
}

#[tokio::test]
async fn a_thousand_requests_are_answered_without_a_5xx() {
    let app = TestApp::start().await;
    let port = app.port;
    client::run(move || {
        let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) };
        TestRunner::new(config)
            .run(&webhook(), |(resource, body)| {
                let request = Request::post(CHANNEL, body).header("Sentry-Hook-Resource", &resource).bytes();
                let mut stream = client::connect(port);
                let _ = std::io::Write::write_all(&mut stream, &request);
                let response = client::read(&mut stream).expect("an answer");
                prop_assert!(
                    matches!(response.status, 200 | 400 | 415),
                    "{} {}",
                    response.status,
                    response.body
                );
                Ok(())
            })
            .expect("no counterexample");
    })
    .await;
}
