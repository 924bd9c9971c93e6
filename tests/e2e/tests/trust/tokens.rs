//! Tokens, from the command that makes one to the post.

use sentry_sender::Webhook;

use crate::scene::{LONG, Scene, body, legacy, slash};

#[tokio::test(flavor = "multi_thread")]
async fn a_secured_channel_takes_only_its_own_token_until_it_is_opened() {
    let scene = Scene::start().await;
    let stack = &scene.stack;
    let channel = stack.authorized_channel("alerts").await;
    let other = stack.authorized_channel("other").await;
    let (token, others) = (scene.secure(channel).await, scene.secure(other).await);
    scene.until(200, channel, &token, &legacy("with the token")).await;
    let unsigned = Webhook::platform("event_alert", body("of an integration"));
    let unsigned = unsigned.idempotency_key("of-an-integration");
    scene.until(200, channel, &token, &unsigned).await;
    let folder = harness::workspace_root().join("tests/fixtures/glitchtip");
    let glitchtip = Webhook::from_file(&folder.join("general_issue.json")).expect("the fixture is there");
    scene.until(200, channel, &token, &glitchtip).await;

    for webhook in [legacy("refused"), unsigned.clone(), glitchtip] {
        for query in ["", "&token=", "&token=wrong", &others, &format!("{token}x")] {
            scene.refused(channel, query, &webhook).await;
        }
    }
    scene.refused(other, &token, &legacy("refused")).await;
    let said = stack.until_status(channel, |said| said.contains("token: not this channel's")).await;
    assert!(said.contains("The token in the URL was missing or wrong."), "{said}");
    assert!(said.contains("`token: missing`"), "{said}");
    stack.until_status(other, |said| said.contains("`token: not this channel's`")).await;
    let reply = stack.command_in(channel, stack.owner, "!sentry test").await;
    let posted = "Sent a sample alert: it was posted after ";
    assert!(reply.content().starts_with(posted), "{}", reply.content());

    let reply = slash(stack, "sentry channel open", channel, &[]).await;
    assert!(reply.content().contains(" takes all alerts again."), "{}", reply.content());
    scene.until(200, channel, "", &legacy("without a token")).await;
    scene.until(200, channel, &token, &legacy("with the token still")).await;
    scene.refused(channel, "&token=wrong", &legacy("refused")).await;
    stack.until_drained(LONG).await;

    let new = scene.secure(channel).await;
    scene.until(401, channel, &token, &legacy("with the token still")).await;
    scene.until(200, channel, &new, &legacy("with the new token")).await;
    stack.until_drained(LONG).await;
    let mut titles: Vec<_> =
        stack.shown(channel).into_iter().map(|shown| (shown.title, shown.count)).collect();
    titles.sort();
    let expected = [
        "Sample alert: nothing is broken",
        "ValueError: no such plan: gold",
        "of an integration",
        "with the new token",
        "with the token",
        "with the token still",
        "without a token",
    ];
    assert_eq!(titles, expected.map(|title| (title.to_owned(), 1)));
    assert_eq!((stack.alerts(other), stack.stored("DEAD_LETTERS").await), (0, 0));
    let secrets = [&token, &new, &others].map(|query| query.trim_start_matches("&token="));
    scene.assert_kept_secret(&secrets);
    stack.assert_clean();
}
