//! The stack trace behind a message's button.

use std::time::Duration;

use async_nats::jetstream;
use e2e::{Stack, issue_change};
use harness::{
    wait::{SOON, wait_for},
    workspace_root,
};
use sandbox_discord::{Effect, Fault, Message, User};
use sentry_sender::{Webhook, body::Exception};
use serde_json::Value;

use super::{LONG, posted, stack};

const PYTHON: &str = "```\nKeyError: 'customer_id'\n\norders/models.py:88 in lookup\n    \
    return CUSTOMERS[payload['customer_id']]\norders/views.py:212 in create\n    cust = payload['customer_id']\n```";
const CHAINED: &str = "```\nConnectionResetError: [Errno 104] Connection reset by peer\n\
    led to OperationalError: could not connect to server: Connection refused\n\n\
    db/pool.py:31 in connect\n    raise OperationalError(msg)\n```";
const MINIFIED: &str = "```\nTypeError: Cannot read properties of undefined (reading 'id')\n\n\
    /static/js/main.3f2c.js:2 in o\n";

fn fixture(name: &str) -> Webhook {
    Webhook::from_file(&workspace_root().join("tests/fixtures").join(name)).expect("the fixture is there")
}

fn labels(message: &Message) -> Vec<String> {
    let buttons = message.json.pointer("/components/0/components").and_then(Value::as_array);
    buttons
        .into_iter()
        .flatten()
        .map(|button| button["label"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// What one person sees after a press. It is pressed again while no pod listens.
async fn shown(stack: &Stack, user: u64, channel: u64, message: u64) -> String {
    let answer = wait_for("the press is answered", SOON * 2, || async {
        let press = stack.sandbox.press(user, channel, message, "stack-trace").expect("it has the button");
        press.message(Duration::from_secs(3)).await
    })
    .await;
    assert_eq!(answer.json["flags"], 64, "others see it: {}", answer.json);
    assert!(answer.pings.is_empty(), "{:?}", answer.pings);
    answer.content().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_press_shows_the_frames_that_sentry_sent_to_one_person_for_three_days() {
    let stack = stack().await;
    let channel = stack.authorized_channel("alerts").await;
    let member = stack.sandbox.add_user(User::new("member"));
    stack.sandbox.set_member(stack.guild, member, &[]);

    let python = posted(&stack, channel, &fixture("legacy/11_python_exception.json")).await;
    assert_eq!(labels(&python), ["Open in Sentry", "Stack trace"]);
    assert_eq!(shown(&stack, member, channel, python.id).await, PYTHON);
    for (name, text) in [("12_chained_exception", CHAINED), ("74_minified_js", MINIFIED)] {
        let message = posted(&stack, channel, &fixture(&format!("legacy/{name}.json"))).await;
        let said = shown(&stack, member, channel, message.id).await;
        assert!(said.starts_with(text) && said.ends_with("\n```"), "{said}");
    }
    let logged = posted(&stack, channel, &fixture("legacy/13_logged_message_warning.json")).await;
    assert_eq!(labels(&logged), ["Open in Sentry"]);

    // An edit leaves the buttons.
    let issue = "6100087109";
    stack.accepted(channel, &issue_change(issue, "KeyError", "resolved", "Jane")).await;
    stack.until_drained(LONG).await;
    let edited = stack.sandbox.messages(channel).into_iter().find(|message| message.id == python.id);
    let edited = edited.expect("it is still there");
    assert!(edited.edited && labels(&edited).len() == 2, "{}", edited.json);
    assert_eq!(shown(&stack, member, channel, python.id).await, PYTHON);

    // A message of several alerts has no buttons.
    stack.sandbox.add_fault(Fault::new(Effect::Status(500)).on_channel(channel));
    for title in ["A", "B", "C"] {
        stack.accepted(channel, &Webhook::legacy(Exception::new(title).issue(title).json())).await;
    }
    stack.sandbox.clear_faults();
    stack.until_drained(LONG).await;
    let messages = stack.sandbox.messages(channel);
    let several = messages.iter().find(|message| message.embeds().len() > 1).expect("two share a message");
    assert_eq!(labels(several), Vec::<String>::new());

    // As after three days.
    let js = jetstream::new(stack.nats.client().await);
    let bucket = js.get_key_value("stack_traces").await.expect("the bucket is there");
    bucket.purge(format!("{channel}.{}", python.id)).await.expect("it is removed");
    let gone = "The stack trace is no longer kept: open the issue in Sentry";
    assert_eq!(shown(&stack, member, channel, python.id).await, gone);
    stack.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stack_trace_of_a_post_whose_pod_was_killed_is_kept_by_its_successor() {
    let mut stack = stack().await;
    let channel = stack.authorized_channel("alerts").await;
    // Discord shows the message, and the pod does not hear of that.
    let silence = Fault::new(Effect::Silence(LONG)).after().on_channel(channel).times(1);
    stack.sandbox.add_fault(silence);
    stack.accepted(channel, &fixture("legacy/11_python_exception.json")).await;
    let message = stack.until_shown(channel, 1, LONG).await[0].message;
    let successor = stack.add_discord();
    std::mem::replace(&mut stack.discord, successor).kill();
    stack.discord.ready().await;
    stack.until_drained(LONG).await;
    assert_eq!(shown(&stack, stack.owner, channel, message).await, PYTHON);
    assert_eq!(stack.sandbox.messages(channel).len(), 1);
}
