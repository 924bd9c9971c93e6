use std::{collections::BTreeSet, iter::successors};

use actix_web::http::header::RETRY_AFTER;
use serde_json::{Value, json};
use shared::{ChannelId, UserId};

use super::*;
use crate::{payload::platform::RESOURCES, response::WebhookResponse};

fn document() -> Value {
    serde_json::from_str(DOCUMENT.json).expect("JSON")
}

/// The answers in a row. The `match` does not compile if one is missing.
fn next(answer: &WebhookResponse) -> Option<WebhookResponse> {
    const CHANNEL: ChannelId = ChannelId::new(u64::MAX);
    const USER: UserId = UserId::new(0);
    Some(match answer {
        WebhookResponse::Stored => WebhookResponse::StoredUnverified,
        WebhookResponse::StoredUnverified => WebhookResponse::Repeated,
        WebhookResponse::Repeated => WebhookResponse::Ignored,
        WebhookResponse::Ignored => WebhookResponse::AccessForbidden,
        WebhookResponse::AccessForbidden => WebhookResponse::UnauthorizedIp,
        WebhookResponse::UnauthorizedIp => WebhookResponse::ValidationFailed,
        WebhookResponse::ValidationFailed => WebhookResponse::NotJson,
        WebhookResponse::NotJson => WebhookResponse::TooLarge(2_097_152),
        WebhookResponse::TooLarge(_) => WebhookResponse::ChannelNotInteger,
        WebhookResponse::ChannelNotInteger => WebhookResponse::MentionNotInteger,
        WebhookResponse::MentionNotInteger => WebhookResponse::UnauthorizedChannel(CHANNEL),
        WebhookResponse::UnauthorizedChannel(_) => WebhookResponse::UserUnknown(USER),
        WebhookResponse::UserUnknown(_) => WebhookResponse::UserWithoutProject(USER),
        WebhookResponse::UserWithoutProject(_) => {
            WebhookResponse::UserOnOtherProject(USER, "shop \"2\"".to_owned())
        }
        WebhookResponse::UserOnOtherProject(..) => WebhookResponse::QueueUnavailable,
        WebhookResponse::QueueUnavailable => WebhookResponse::BacklogFull(CHANNEL),
        WebhookResponse::BacklogFull(_) => WebhookResponse::BrokenHead,
        WebhookResponse::BrokenHead => WebhookResponse::SlowHead,
        WebhookResponse::SlowHead => WebhookResponse::LargeHead,
        WebhookResponse::LargeHead => WebhookResponse::Internal,
        WebhookResponse::Internal => return None,
    })
}

fn answers() -> impl Iterator<Item = WebhookResponse> {
    successors(Some(WebhookResponse::Stored), next)
}

fn response<'a>(document: &'a Value, status: &str) -> &'a Value {
    &document["paths"]["/sentry-bot/channel"]["post"]["responses"][status]
}

/// The names of the bodies that the document allows under this status.
fn bodies(document: &Value, status: &str) -> Vec<String> {
    let schema = &response(document, status)["content"]["application/json"]["schema"];
    let alternatives = schema["oneOf"].as_array().cloned().unwrap_or_else(|| vec![schema.clone()]);
    let names = alternatives.iter().filter_map(|schema| schema["$ref"].as_str()?.rsplit('/').next());
    names.map(str::to_owned).collect()
}

/// Whether a body of this name is this one.
fn is(document: &Value, name: &str, body: &Value) -> bool {
    let schema = json!({
        "$ref": format!("#/components/schemas/{name}"),
        "components": document["components"],
    });
    jsonschema::validator_for(&schema).expect("a schema").is_valid(body)
}

#[test]
fn every_answer_is_documented_and_every_documented_answer_is_given() {
    let document = document();
    let mut given = BTreeSet::new();
    for answer in answers() {
        let status = answer.status().as_str().to_owned();
        let body = serde_json::from_str(&answer.body()).expect("JSON");
        let fitting: Vec<_> =
            bodies(&document, &status).into_iter().filter(|name| is(&document, name, &body)).collect();
        assert_eq!(fitting.len(), 1, "{answer:?} is {status} {body}: {fitting:?}");
        given.extend(fitting.into_iter().map(|name| (status.clone(), name)));
        assert_eq!(
            answer.response().headers().contains_key(RETRY_AFTER),
            response(&document, &status)["headers"].get("Retry-After").is_some(),
            "{answer:?}"
        );
    }
    let responses = &document["paths"]["/sentry-bot/channel"]["post"]["responses"];
    let statuses = responses.as_object().expect("responses").keys();
    let documented: BTreeSet<_> = statuses
        .flat_map(|status| bodies(&document, status).into_iter().map(move |name| (status.clone(), name)))
        .collect();
    assert_eq!(given, documented);
}

#[test]
fn what_is_taken_is_documented_as_it_is_checked() {
    let document = document();
    for (name, schema) in [
        ("LegacyWebhook", include_str!("../../schemas/legacy.json")),
        ("GlitchTipWebhook", include_str!("../../schemas/glitchtip.json")),
        ("GlitchTipDiscordWebhook", include_str!("../../schemas/glitchtip_discord.json")),
        ("BugsinkWebhook", include_str!("../../schemas/bugsink.json")),
        ("BugsinkDiscordWebhook", include_str!("../../schemas/bugsink_discord.json")),
        ("BugsinkSlackWebhook", include_str!("../../schemas/bugsink_slack.json")),
    ] {
        let mut schema: Value = serde_json::from_str(schema).expect("a schema");
        schema.as_object_mut().expect("an object").remove("$schema");
        assert_eq!(document["components"]["schemas"][name], schema, "{name}");
    }

    let parameters = &document["paths"]["/sentry-bot/channel"]["post"]["parameters"];
    let header = parameters.as_array().expect("parameters").iter().find(|parameter| {
        parameter["name"] == crate::payload::platform::RESOURCE && parameter["in"] == "header"
    });
    let documented = &header.expect("the header")["schema"]["examples"];
    assert_eq!(*documented, json!(RESOURCES.iter().map(|resource| resource.name()).collect::<Vec<_>>()));
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}
