//! What becomes of an issue after its first alert was moved or muted.

use e2e::{Stack, issue_change, regression};
use sandbox_discord::{Effect, Fault};
use sentry_sender::Webhook;

use crate::scene::{LONG, POST, alert_of, builder, mute, route, rule, titles};

const GREEN: u64 = 0x4D_C7_71;
const RED: u64 = 0xE0_3E_2F;
/// The project of the changes.
const PROJECT: (&str, &str) = ("project", "backend-api");

/// Sends it and waits until Discord shows it.
async fn tell(stack: &Stack, home: u64, webhook: &Webhook) {
    stack.accepted(home, webhook).await;
    stack.until_drained(LONG).await;
}

fn colours(stack: &Stack, channel: u64) -> Vec<u64> {
    let messages = stack.sandbox.messages(channel);
    messages.iter().map(|message| message.embeds()[0]["color"].as_u64().expect("a colour")).collect()
}

fn status(stack: &Stack, channel: u64, message: usize) -> String {
    stack.shown(channel)[message].status.clone().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn folding_edits_and_regressions_go_where_the_issue_is() {
    let mut stack = builder().start().await;
    let (home, target) = (stack.authorized_channel("home").await, stack.authorized_channel("api").await);
    route(&stack, home, target, &[PROJECT]).await;
    tell(&stack, home, &issue_change("7", "KeyError", "created", "")).await;
    assert_eq!((titles(&stack, target), titles(&stack, home)), (vec!["KeyError".to_owned()], vec![]));
    tell(&stack, home, &issue_change("7", "KeyError", "assigned", "Jane")).await;
    tell(&stack, home, &issue_change("7", "KeyError", "resolved", "Jane")).await;
    assert_eq!(colours(&stack, target), [GREEN]);
    assert!(status(&stack, target, 0).contains("Resolved by Jane"));

    // Another pod knows where the issue is, and so does a home without the rule.
    let successor = stack.add_discord();
    successor.ready().await;
    std::mem::replace(&mut stack.discord, successor).kill();
    stack.whisper("sentry rule remove", home, &[("number", "1")]).await;
    tell(&stack, home, &regression("7", "KeyError")).await;
    assert_eq!(colours(&stack, target), [RED, RED], "one is new, and the first is edited");
    tell(&stack, home, &issue_change("7", "KeyError", "resolved", "Ann")).await;
    assert_eq!(colours(&stack, target), [GREEN, GREEN]);
    assert_eq!(titles(&stack, home), Vec::<String>::new());

    // Alerts of one issue that wait are one embed.
    route(&stack, home, target, &[PROJECT]).await;
    stack.sandbox.add_fault(Fault::new(Effect::Status(503)).on_endpoint(POST).on_channel(target));
    let waiting = ["blocks", "folded", "folded", "folded", "folded"];
    let alerts = waiting.map(|title| alert_of(home, "backend-api", title));
    e2e::publish_alerts(&stack, alerts).await;
    harness::wait::wait_for("a post fails", LONG, || async {
        (stack.sandbox.stats().answers(POST, Some(503)) > 1).then_some(())
    })
    .await;
    stack.sandbox.clear_faults();
    stack.until_shown(target, 7, LONG).await;
    let folded: Vec<u64> = stack.shown(target)[2..].iter().map(|shown| shown.count).collect();
    assert_eq!(folded.iter().sum::<u64>(), 5);
    assert!(folded.iter().any(|count| *count > 1), "{folded:?}");

    // An issue that has messages on both sides.
    stack.whisper("sentry rule remove", home, &[("number", "1")]).await;
    tell(&stack, home, &issue_change("8", "ValueError", "created", "")).await;
    route(&stack, home, target, &[PROJECT]).await;
    e2e::publish_alerts(
        &stack,
        [shared::Alert { issue_id: Some("8".to_owned()), ..alert_of(home, "backend-api", "ValueError") }],
    )
    .await;
    stack.until_drained(LONG).await;
    tell(&stack, home, &issue_change("8", "ValueError", "resolved", "Ann")).await;
    assert_eq!(colours(&stack, home), [GREEN]);
    assert_eq!(colours(&stack, target).last(), Some(&GREEN));
    assert_eq!(titles(&stack, home), ["ValueError"]);
    stack.assert_all_posted(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_muted_issue_is_edited_and_makes_no_message() {
    let stack = builder().start().await;
    let (home, target) = (stack.authorized_channel("home").await, stack.authorized_channel("api").await);
    tell(&stack, home, &issue_change("6", "OSError", "created", "")).await;
    route(&stack, home, target, &[PROJECT]).await;
    tell(&stack, home, &issue_change("7", "KeyError", "created", "")).await;
    mute(&stack, home, &[("for", "1h"), PROJECT]).await;
    for (issue, title) in [("6", "OSError"), ("7", "KeyError")] {
        tell(&stack, home, &issue_change(issue, title, "resolved", "Jane")).await;
    }
    assert_eq!((colours(&stack, home), colours(&stack, target)), (vec![GREEN], vec![GREEN]));
    for (issue, title) in [("6", "OSError"), ("7", "KeyError")] {
        tell(&stack, home, &regression(issue, title)).await;
    }
    assert_eq!((colours(&stack, home), colours(&stack, target)), (vec![RED], vec![RED]), "edits alone");
    e2e::publish_alerts(&stack, [alert_of(home, "backend-api", "new")]).await;
    stack.until_drained(LONG).await;
    assert_eq!((stack.alerts(home), stack.alerts(target)), (1, 1));

    // A mute of the target keeps quiet what comes from a home, too.
    let (elsewhere, quiet) =
        (stack.authorized_channel("elsewhere").await, stack.authorized_channel("q").await);
    route(&stack, elsewhere, quiet, &[PROJECT]).await;
    mute(&stack, quiet, &[("for", "1h"), ("level", "error")]).await;
    e2e::publish_alerts(&stack, [alert_of(elsewhere, "backend-api", "muted there")]).await;
    stack.until_drained(LONG).await;
    assert_eq!((stack.alerts(elsewhere), stack.alerts(quiet)), (0, 0));
    rule(&stack, quiet, &[("action", "drop")]).await;
    stack.assert_all_posted(LONG).await;
}
