//! The README's quick start, from a new channel to a refused alert.

use e2e::Stack;
use harness::wait::{SOON, wait_for};
use sentry_sender::{Webhook, body::Exception};

fn webhook(title: &str) -> Webhook {
    Webhook::legacy(Exception::new(title).project("backend-api").json())
}

#[tokio::test(flavor = "multi_thread")]
async fn authorize_alert_mention_register_alert_revoke() {
    let stack = Stack::start().await;
    let channel = stack.channel("alerts");

    let refused = stack.send(channel, &webhook("before")).await;
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.body,
        format!(r#"{{"error":{{"message":"Unauthorized channel","channel":{channel}}}}}"#)
    );

    let reply = stack.command(stack.owner, &format!("!sentry channel authorize <#{channel}>")).await;
    assert!(reply.content().starts_with(&format!("<#{channel}> is now authorized")), "{}", reply.content());

    let accepted = stack.accepted(channel, &webhook("first")).await;
    assert_eq!(accepted.body, r#"{"success":"200"}"#);
    let shown = stack.until_shown(channel, 1, SOON).await;
    assert_eq!((shown[0].title.as_str(), shown[0].count), ("first", 1));

    let mentioned = format!("&mention={}", stack.owner);
    let refused = stack.send_to(&stack.url(channel, &mentioned), &webhook("nobody's")).await;
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.body,
        format!(r#"{{"error":{{"message":"User is not registered to any project","id":{}}}}}"#, stack.owner)
    );

    let reply = stack.command_in(channel, stack.owner, "!sentry project register backend-api").await;
    assert_eq!(reply.content(), "Registered Sentry project: `backend-api`");
    stack.accepted_at(&stack.url(channel, &mentioned), &webhook("second")).await;
    let shown = stack.until_shown(channel, 2, SOON).await;
    let message = stack.sandbox.messages(channel).into_iter().find(|message| message.id == shown[1].message);
    let message = message.expect("it was just shown");
    assert_eq!(message.content(), format!("<@{}>", stack.owner));
    assert!(message.pings.users.contains(&stack.owner), "{:?}", message.pings);

    let reply = stack.command(stack.owner, &format!("!sentry channel revoke <#{channel}>")).await;
    assert_eq!(reply.content(), format!("Revoked access from <#{channel}>"));
    assert_eq!(stack.send(channel, &webhook("after")).await.status, 401);

    stack.until_drained(SOON).await;
    assert_eq!(stack.shown(channel).len(), 2);
    assert_eq!(stack.stored("DEAD_LETTERS").await, 0);
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_by_slash_commands() {
    let stack = Stack::start().await;
    let (owner, channel) = (stack.owner, stack.channel("alerts"));
    let id = channel.to_string();
    let used = |path: &'static str, option: (&'static str, String)| {
        let sandbox = &stack.sandbox;
        async move {
            let options = [(option.0, option.1.as_str())];
            let invocation = wait_for("the command is registered", SOON, || async {
                sandbox.slash(owner, channel, path, &options).ok()
            });
            invocation.await.message(SOON).await.expect("an answer").content().to_owned()
        }
    };
    wait_for("replies name commands that can be clicked", SOON, || async {
        let used = stack.sandbox.slash(owner, channel, "sentry help", &[]).ok()?;
        let reply = used.message(SOON).await?.content().to_owned();
        let (_, id) = reply.split_once("Use </sentry channel authorize:")?;
        id.split_once("> to authorize channels.")?.0.parse::<u64>().ok()
    })
    .await;
    let reply = used("sentry channel authorize", ("channel", id.clone())).await;
    assert!(reply.starts_with(&format!("<#{id}> is now authorized")), "{reply}");
    let reply = used("sentry project register", ("slug", "backend-api".to_owned())).await;
    assert!(reply.starts_with("Registered Sentry project: `backend-api`"), "{reply}");
    let mentioned = stack.url(channel, &format!("&mention={owner}"));
    stack.accepted_at(&mentioned, &webhook("first")).await;
    stack.until_shown(channel, 1, SOON).await;
    let reply = used("sentry channel revoke", ("channel", id.clone())).await;
    assert_eq!(reply, format!("Revoked access from <#{id}>"));
    assert_eq!(stack.send(channel, &webhook("after")).await.status, 401);
    stack.assert_clean();
}
