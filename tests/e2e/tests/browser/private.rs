//! What only one person sees.

use harness::browser::Screen;
use sandbox_discord::User;

use crate::scene::{SECRET, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_for_its_asker_alone_and_a_secret_goes_in_a_form() {
    let Some(scene) = Scene::authorized(Screen::DESKTOP).await else { return };
    let olga = scene.stack.sandbox.add_user(User::new("olga"));
    scene.stack.sandbox.set_member(scene.stack.guild, olga, &[]);
    scene.send("/sentry channel secret channel:#alerts").await;
    scene.browser.element("dialog", "Client secret for #alerts").await;
    scene.browser.fill("textbox", SECRET, "0123456789abcdef0123456789abcdef").await;
    scene.browser.click("button", "Submit").await;
    scene.until_says("#messages .ephemeral", "Stored the client secret").await;
    assert!(!scene.text("body").await.concat().contains("0123456789abcdef"), "the page shows the secret");

    scene.browser.click("option", "olga").await;
    scene.until_says("#messages", "").await;
    assert_eq!(scene.text("#messages .ephemeral").await, Vec::<String>::new());
    scene.browser.click("option", "owner (owner)").await;
    scene.browser.click("button", "Dismiss message").await;
    assert_eq!(scene.text("#messages .ephemeral").await, Vec::<String>::new());
    scene.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_trace_is_shown_to_the_one_who_clicks() {
    let Some(scene) = Scene::authorized(Screen::DESKTOP).await else { return };
    scene.send_as_sentry("python exception").await;
    scene.browser.click("button", "Stack trace").await;
    let answer = scene.until_says("#messages .ephemeral pre", "orders/models.py:88 in lookup").await;
    assert!(answer.contains("return CUSTOMERS[payload['customer_id']]"), "{answer}");
    let public = scene.stack.sandbox.messages(scene.alerts);
    assert!(public.iter().all(|message| !message.content().contains("orders/models.py:88")), "{public:?}");
    scene.close().await;
}
