//! GlitchTip and Bugsink, from their webhooks to the channel.

use std::time::Duration;

use e2e::Stack;
use harness::{
    wait::{SOON, wait_for},
    workspace_root,
};
use sentry_sender::{Webhook, webhook::json_files};
use serde_json::{Value, json};

const LONG: Duration = Duration::from_secs(60);

fn fixture(name: &str) -> Webhook {
    Webhook::from_file(&workspace_root().join("tests/fixtures").join(name)).expect("the fixture is there")
}

/// Sends it until it is answered 200: they name no key, so the body is the firing.
async fn taken(stack: &Stack, channel: u64, webhook: &Webhook) {
    wait_for("it is accepted", SOON, || async {
        let reply = stack.send(channel, webhook).await;
        assert!(matches!(reply.status, 200 | 202 | 503), "{reply:?}");
        (reply.status == 200).then_some(())
    })
    .await;
}

/// Everything that the channel shows.
fn text(stack: &Stack, channel: u64) -> String {
    stack.sandbox.messages(channel).iter().map(|message| message.json.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_they_send_is_shown_once() {
    let stack = Stack::start().await;
    for (folder, news) in [("glitchtip", 16), ("bugsink", 14)] {
        let channel = stack.authorized_channel(folder).await;
        let folder = workspace_root().join("tests/fixtures").join(folder);
        for file in json_files(&folder).expect("the fixtures are there") {
            let webhook = Webhook::from_file(&file).expect("readable");
            for _ in 0..2 {
                taken(&stack, channel, &webhook).await;
            }
        }
        stack.until_drained(LONG).await;
        let said = stack.status(channel).await;
        assert!(said.contains(&format!("\nReceived = {news}\nPosted = {news}\n")), "{said}");
        for message in stack.sandbox.messages(channel) {
            assert!(message.pings.is_empty(), "{:?}", message.pings);
        }
    }
    stack.assert_all_posted(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_of_glitchtip_is_shown_with_everything_that_it_says() {
    let stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    taken(&stack, channel, &fixture("glitchtip/older_issue.json")).await;
    stack.until_shown(channel, 1, LONG).await;
    let shown = text(&stack, channel);
    for said in [
        "KeyError: 'sku'",
        "shop.cart in price",
        "shop-backend",
        "production",
        "shop@2.4.1",
        "SHOP-BACKEND-7",
        "https://glitchtip.example.com/acme/issues/477",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }

    let many = stack.authorized_channel("many").await;
    taken(&stack, many, &fixture("glitchtip/general_issues.json")).await;
    let titles: Vec<_> =
        stack.until_shown(many, 3, LONG).await.into_iter().map(|shown| (shown.title, shown.count)).collect();
    let expected = [
        "ValueError: no such plan: gold",
        "Payment gateway answered late",
        "Cache warmed up: 123 entries (and 4 more issues)",
    ];
    assert_eq!(titles, expected.map(|title| (title.to_owned(), 1)));

    let hostile = stack.authorized_channel("hostile").await;
    let mut body: Value =
        serde_json::from_slice(fixture("glitchtip/general_issue.json").body()).expect("JSON");
    let foreign = "``` @everyone <@&1> [x](https://evil.example)\u{202E}";
    body["attachments"][0]["title"] = json!(foreign);
    body["attachments"][0]["text"] = json!(foreign);
    for field in body["attachments"][0]["fields"].as_array_mut().expect("a list") {
        field["value"] = json!(foreign);
    }
    taken(&stack, hostile, &Webhook::other(body.to_string())).await;
    stack.until_shown(hostile, 1, LONG).await;
    for message in stack.sandbox.messages(hostile) {
        assert!(message.pings.is_empty(), "{:?}", message.pings);
        assert!(!message.json.to_string().contains('\u{202E}'), "{}", message.json);
    }
    stack.assert_all_posted(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_that_is_down_and_up_and_down_again_is_told_three_times() {
    let stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    let [down, up] = ["down", "up"].map(|state| fixture(&format!("glitchtip/uptime_{state}.json")));
    for webhook in [&down, &down, &up, &up, &down] {
        taken(&stack, channel, webhook).await;
        stack.until_drained(LONG).await;
    }
    let said = stack.status(channel).await;
    assert!(said.contains("\nReceived = 3\nPosted = 3\n"), "{said}");
    let shown = text(&stack, channel);
    assert!(shown.contains("Shop front page") && shown.contains("has gone down"), "{shown}");
    stack.assert_all_posted(LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issue_of_bugsink_that_is_back_links_to_its_first_message() {
    let stack = Stack::start().await;
    for shape in ["custom", "slack", "discord"] {
        let channel = stack.authorized_channel(shape).await;
        taken(&stack, channel, &fixture(&format!("bugsink/{shape}_new.json"))).await;
        stack.until_shown(channel, 1, LONG).await;
        taken(&stack, channel, &fixture(&format!("bugsink/{shape}_unmuted.json"))).await;
        let shown = stack.until_shown(channel, 2, LONG).await;
        let back = text(&stack, channel);
        let link = format!("https://discord.com/channels/{}/{channel}/{}", stack.guild, shown[0].message);
        assert!(back.contains(&link), "{shape}: {back}");
        assert!(back.contains("more than 100 events per 1 hour occurred"), "{shape}: {back}");
    }
    stack.assert_all_posted(LONG).await;
}
