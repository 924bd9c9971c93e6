//! An answer of Discord's edge or of a proxy says nothing about a channel. This
//! holds for the first look at it and for posts.

use e2e::{Ledger, Stack};
use harness::wait::SOON;
use sandbox_discord::{Channel, EdgeAnswer, Effect, Fault};
use serde_json::json;

use crate::{SETTLED, builder};

const LOOK_UP: &str = "GET /channels/{channel_id}";

fn forms() -> Vec<EdgeAnswer> {
    vec![
        EdgeAnswer::refusal(403, 40_333, "internal network error"),
        EdgeAnswer::refusal(403, 0, "403: Forbidden"),
        EdgeAnswer::refusal(404, 0, "404: Not Found"),
        EdgeAnswer::refusal(403, 40_001, "Unauthorized"),
        EdgeAnswer::refusal(401, 0, "401: Unauthorized"),
        EdgeAnswer::json(400, &json!({"message": "Bad Request"})),
        EdgeAnswer::text(403, "error code: 1020"),
        EdgeAnswer::text(404, "404 page not found"),
        EdgeAnswer::html(403, "<html>Sorry, you have been blocked</html>"),
        EdgeAnswer::html(200, "<html>Please wait</html>"),
        // Not even where the page quotes the API.
        EdgeAnswer::refusal(403, 50_001, "Missing Access").content_type("text/html"),
    ]
}

/// New channels that the store lists and that no pod has looked up yet.
async fn listed_channels(stack: &Stack, count: usize) -> Vec<u64> {
    let js = async_nats::jetstream::new(stack.nats.client().await);
    let list = js.get_key_value("channel-list").await.expect("the store is there");
    let mut channels = Vec::new();
    for number in 0..count {
        let channel = stack.sandbox.add_channel(stack.guild, Channel::text(format!("listed-{number}")));
        list.put(format!("{channel}.{}", stack.guild), "".into()).await.expect("NATS takes it");
        channels.push(channel);
    }
    channels
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_of_it_ends_in_a_401_for_sentry_or_in_a_dead_letter() {
    let (ledger, stack) = (Ledger::default(), builder().start().await);
    let ready = stack.authorized_channels(1, &ledger).await[0];
    let forms = forms();
    let channels = listed_channels(&stack, forms.len()).await;
    for (channel, form) in channels.iter().zip(&forms) {
        let here = |fault: Fault| fault.on_channel(*channel);
        stack.sandbox.add_fault(here(Fault::new(Effect::Edge(form.clone())).on_endpoint(LOOK_UP)));
        stack.sandbox.add_fault(here(Fault::new(Effect::Edge(form.clone())).times(2)));
    }
    for (channel, form) in channels.iter().zip(&forms) {
        let status = ledger.send(&stack, *channel, "looked up at a bad moment").await;
        assert_eq!(status, Some(202), "{form:?}");
    }
    // Nobody else feels it.
    ledger.send(&stack, ready, "meanwhile").await;
    stack.until_shown(ready, 2, SOON).await;
    stack.sandbox.clear_faults();
    for (channel, form) in channels.iter().zip(&forms) {
        stack.sandbox.add_fault(Fault::new(Effect::Edge(form.clone())).times(2).on_channel(*channel));
    }
    ledger.settle(&stack, SETTLED).await;
    for (channel, form) in channels.iter().zip(&forms) {
        assert_eq!(stack.alerts(*channel), 1, "{form:?}");
        let status = ledger.send(&stack, *channel, "later").await;
        assert_eq!(status, Some(200), "{form:?}");
    }
    ledger.settle(&stack, SETTLED).await;
    assert!(stack.dead_letters().await.is_empty());
}
