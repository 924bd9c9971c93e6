//! The whole story: one integration's URL for three projects, sorted into three
//! channels, and an hour of quiet.

use std::time::{Duration, Instant};

use e2e::{Stack, event_alert, report};
use harness::{
    clock::WallClock,
    wait::{SOON, wait_for},
};
use sandbox_discord::{Message, Role};

use crate::scene::{LONG, builder, hits, mute, route, rule, saying, titles, until_said};

const HOUR: i64 = 60 * 60;
/// How much of the mute is left when the clock steps. A step costs the pod its leases
/// for some seconds, because a machine that slept must not go on.
const LEFT: i64 = 12;
/// The contract's second, and half a second more for a busy machine.
const ON_TIME: Duration = Duration::from_millis(1_500);

/// Sends as the integration does, and waits until nothing waits.
async fn send(stack: &Stack, home: u64, project: &str, titles: &[&str], level: &str, environment: &str) {
    for title in titles {
        stack.accepted(home, &event_alert(project, title, level, environment)).await;
    }
    stack.until_drained(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_url_three_projects_three_channels_and_an_hour_of_quiet() {
    let clock = WallClock::new();
    let mut builder = builder();
    for (name, value) in clock.variables() {
        builder = builder.discord(name, value.clone()).ingress(name, value);
    }
    let mut stack = builder.start().await;
    let home = stack.authorized_channel("sentry").await;
    let (shop, payments) =
        (stack.authorized_channel("shop").await, stack.authorized_channel("payments").await);
    let on_call = Role::new("on call", 0).mentionable();
    stack.sandbox.set_role(stack.guild, on_call.clone());
    let role = on_call.id().to_string();
    rule(&stack, home, &[("action", "drop"), ("environment", "staging*")]).await;
    let fatal = [("project", "payments"), ("level", "fatal"), ("mention", role.as_str())];
    route(&stack, home, payments, &fatal).await;
    route(&stack, home, payments, &[("project", "payments")]).await;
    let said = route(&stack, home, shop, &[("project", "shop")]).await;
    assert!(said.starts_with("Rule 4: "), "{said}");

    send(&stack, home, "docs", &["stays"], "error", "production").await;
    send(&stack, home, "shop", &["for the shop"], "error", "production").await;
    send(&stack, home, "shop", &["nobody's"], "fatal", "staging-2").await;
    send(&stack, home, "payments", &["can wait"], "error", "production").await;
    send(&stack, home, "payments", &["on fire"], "fatal", "production").await;
    assert_eq!(titles(&stack, home), ["stays"]);
    assert_eq!(titles(&stack, shop), ["for the shop"]);
    assert_eq!(titles(&stack, payments), ["can wait", "on fire"]);
    let pinged = |message: &Message| message.pings.roles.iter().copied().collect::<Vec<_>>();
    let messages = stack.sandbox.messages(payments);
    assert_eq!((pinged(&messages[0]), pinged(&messages[1])), (vec![], vec![on_call.id()]));
    assert_eq!(hits(&stack, home).await, [1, 1, 1, 1]);
    assert_eq!(stack.discord.metric("sentry_bot_alerts_routed_total").await, 3.0);
    let typed = stack.command_in(home, stack.owner, "!sentry rule list").await;
    assert_eq!(typed.embeds()[0]["title"], "***SENTRY RULES***");
    let options = [("project", "payments"), ("environment", "staging"), ("level", "fatal")];
    let checked = stack.whisper("sentry rule check", home, &options).await;
    assert!(checked.content().starts_with("Rule 1 decides: "), "{}", checked.content());
    let checked = stack.whisper("sentry rule check", home, &[("project", "docs")]).await;
    assert!(checked.content().starts_with("No rule matches"), "{}", checked.content());

    let muted = Instant::now();
    mute(&stack, home, &[("for", "1h"), ("project", "shop"), ("reason", "a release")]).await;
    let ends = Instant::now() + Duration::from_secs(LEFT.unsigned_abs());
    send(&stack, home, "shop", &["quiet 1", "quiet 2", "quiet 3"], "error", "production").await;
    send(&stack, home, "payments", &["not muted"], "error", "production").await;
    assert_eq!((titles(&stack, shop).len(), titles(&stack, payments).len()), (1, 3));
    let status = stack.status(home).await;
    for line in ["Routed = 4", "Dropped by Rules = 1", "Muted = 3"] {
        assert!(status.contains(line), "{status}");
    }
    clock.step(HOUR - LEFT);
    send(&stack, home, "shop", &["quiet 4"], "error", "production").await;
    let line = until_said(&stack, home, "4 alerts were muted").await;
    let (took, after) = (ends.elapsed(), muted.elapsed());
    assert!(after > Duration::from_secs(LEFT.unsigned_abs()), "it ended early: after {after:?}");
    assert!(line.pings.is_empty());
    send(&stack, home, "shop", &["loud again"], "error", "production").await;
    assert_eq!(titles(&stack, shop), ["for the shop", "loud again"]);

    // A dead pod's successor says it no second time, and ends the next mute as well.
    let answer = mute(&stack, home, &[("for", "1h"), ("project", "docs")]).await;
    send(&stack, home, "docs", &["quiet 5", "quiet 6"], "error", "production").await;
    stack.discord.restart();
    stack.discord.ready().await;
    stack.until_listening().await;
    let pressed = wait_for("the button is pressed", SOON, || async {
        let id = answer.json["components"][0]["components"][0]["custom_id"].as_str()?;
        let pressed = stack.sandbox.press(stack.owner, stack.office, answer.id, id).ok()?;
        pressed.message(SOON).await
    })
    .await;
    assert!(pressed.content().contains("Mute 2 has ended"), "{}", pressed.content());
    until_said(&stack, home, "2 alerts were muted").await;
    send(&stack, home, "docs", &["after it"], "error", "production").await;
    assert_eq!(titles(&stack, home), ["stays", "after it"]);
    assert_eq!(saying(&stack, home, "were muted").len(), 2, "each is said once");
    report(&format!("the end of a mute was said after {took:.1?}"));
    assert!(took < ON_TIME, "{took:?}");
    stack.assert_all_posted(LONG).await;
}
