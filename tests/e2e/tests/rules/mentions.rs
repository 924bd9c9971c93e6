//! Whom the messages of a rule's alerts ping: exactly whom the rule names.

use e2e::{issue_change, publish_alerts};
use harness::wait::wait_for;
use sandbox_discord::{Effect, Fault, Message, Role, User};
use sentry_sender::{Webhook, body::Exception};

use crate::scene::{LONG, POST, alert_of, builder, route, until_said};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_pings_exactly_whom_the_rule_names_and_keeps_it_when_folded_and_edited() {
    let stack = builder().start().await;
    let (home, target) = (stack.authorized_channel("home").await, stack.authorized_channel("api").await);
    let (on_call, admins) = (Role::new("on call", 0).mentionable(), Role::new("admins", 0));
    for role in [&on_call, &admins] {
        stack.sandbox.set_role(stack.guild, role.clone());
    }
    let nina = stack.sandbox.add_user(User::new("nina"));
    stack.sandbox.set_member(stack.guild, nina, &[]);
    let [role, unpingable, everyone, user] =
        [on_call.id(), admins.id(), stack.guild, nina].map(|id| id.to_string());
    for nobody in [&unpingable, &everyone] {
        let options = [("action", "keep"), ("mention", nobody.as_str())];
        let refused = stack.whisper("sentry rule add", home, &options).await;
        assert!(!refused.content().starts_with("Rule "), "{}", refused.content());
    }
    route(&stack, home, target, &[("project", "backend-api"), ("mention", &role)]).await;
    route(&stack, home, target, &[("project", "web"), ("mention", &user)]).await;
    let pings_role = |message: &Message| {
        assert_eq!((&message.pings.roles, message.pings.everyone), (&[on_call.id()].into(), false));
        assert!(message.content().contains(&format!("<@&{role}>")), "{}", message.content());
        assert_eq!(message.received["allowed_mentions"]["parse"].as_array().map_or(0, Vec::len), 0);
    };

    stack.accepted(home, &issue_change("7", "KeyError", "created", "")).await;
    let message = until_said(&stack, target, "KeyError").await;
    pings_role(&message);
    assert!(message.pings.users.is_empty());
    stack.accepted(home, &issue_change("7", "KeyError", "resolved", "Jane")).await;
    stack.until_drained(LONG).await;
    let edited = until_said(&stack, target, "KeyError").await;
    assert!(edited.edited);
    assert_eq!(edited.highlights.roles, [on_call.id()].into(), "it stays highlighted");
    pings_role(&edited);

    // What is folded while it waits, beside text that would like to ping.
    let hostile = format!("<@&{unpingable}> <@{user}> @everyone");
    stack.sandbox.add_fault(Fault::new(Effect::Status(503)).on_endpoint(POST).on_channel(target));
    let titles = ["blocks", "folded", "folded", hostile.as_str()];
    publish_alerts(&stack, titles.map(|title| alert_of(home, "backend-api", title))).await;
    wait_for("a post fails", LONG, || async {
        (stack.sandbox.stats().answers(POST, Some(503)) > 1).then_some(())
    })
    .await;
    stack.sandbox.clear_faults();
    stack.until_shown(target, 5, LONG).await;
    for message in &stack.sandbox.messages(target)[1..] {
        pings_role(message);
        assert!(message.pings.users.is_empty(), "{}", message.json);
    }

    publish_alerts(&stack, [alert_of(home, "web", "for nina")]).await;
    let message = until_said(&stack, target, "for nina").await;
    assert_eq!((&message.pings.users, message.pings.roles.len()), (&[nina].into(), 0));

    // The predecessor's mention beside the rule's.
    let registered = stack.command_in(home, stack.owner, "!sentry project register backend-api").await;
    assert!(registered.content().starts_with("Registered"), "{}", registered.content());
    let webhook = Webhook::legacy(Exception::new("for both").issue("for both").json());
    stack.accepted_at(&stack.url(home, &format!("&mention={}", stack.owner)), &webhook).await;
    let message = until_said(&stack, target, "for both").await;
    pings_role(&message);
    assert_eq!(message.pings.users, [stack.owner].into());
    stack.assert_all_posted(LONG).await;
}
