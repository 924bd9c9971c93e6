//! The slash commands are registered at Discord, and only when they differ.

use std::time::Duration;

use discord_service::{
    commands::{SlashId, register_slash_commands},
    discord::Discord,
};
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Config, Effect, Fault, Sandbox};
use serde_json::{Value, json};
use shared::shutdown::CancellationToken;

const LIST: &str = "GET /applications/{application_id}/commands";
const REPLACE: &str = "PUT /applications/{application_id}/commands";

struct Scene {
    sandbox: Sandbox,
    discord: Discord,
    stop: CancellationToken,
}

impl Scene {
    async fn set() -> Self {
        let sandbox = Sandbox::start(Config::default()).await;
        let url = sandbox.url().parse().expect("a URL");
        let discord = Discord::new(&url, sandbox.token().into()).expect("a client");
        Self { sandbox, discord, stop: CancellationToken::new() }
    }

    async fn register(&self) {
        register_slash_commands(&self.discord, &SlashId::default(), &self.stop)
            .await
            .expect("the token is good");
    }

    fn path(&self) -> String {
        format!("/applications/{}/commands", self.sandbox.bot())
    }

    async fn registered(&self) -> Vec<Value> {
        self.discord.get(&self.path(), &self.path()).await.expect("a list")
    }

    async fn put(&self, commands: &Value) {
        let (method, path) = ("PUT".parse().expect("a method"), self.path());
        let _: Value = self.discord.send(method, &path, &path, commands).await.expect("taken");
    }

    fn replaced(&self) -> u64 {
        self.sandbox.stats().answers(REPLACE, Some(200))
    }
}

#[tokio::test]
async fn they_are_registered_once_for_all_guilds() {
    let scene = Scene::set().await;
    for _ in 0..3 {
        scene.register().await;
    }
    assert_eq!(scene.replaced(), 1);
    let registered = scene.registered().await;
    assert_eq!(registered.len(), 1);
    let sentry = &registered[0];
    assert_eq!((&sentry["name"], &sentry["contexts"]), (&json!("sentry"), &json!([0])));
    assert_eq!(sentry["default_member_permissions"], (1 << 11).to_string(), "Send Messages");
    let names = |of: &Value| -> Vec<String> {
        let options = of["options"].as_array().expect("options");
        options.iter().map(|option| option["name"].as_str().expect("text").to_owned()).collect()
    };
    let all = ["help", "channel", "project", "rule", "mute", "unmute", "replay", "status", "test"];
    assert_eq!(names(sentry), all);
    assert_eq!(names(&sentry["options"][1]), ["show", "authorize", "revoke", "secure", "open", "secret"]);
    assert_eq!(names(&sentry["options"][2]), ["show", "register", "revoke"]);
    let rule = &sentry["options"][3];
    assert_eq!(names(rule), ["add", "list", "remove", "move", "check"]);
    let add = ["action", "project", "environment", "level", "kind", "to", "mention", "channel"];
    assert_eq!(names(&rule["options"][0]), add);
    assert_eq!(names(&rule["options"][4]), ["project", "environment", "level", "kind", "channel"]);
    let mute = ["for", "project", "environment", "level", "kind", "issue", "reason", "channel"];
    assert_eq!(names(&sentry["options"][4]), mute);
}

#[tokio::test]
async fn what_differs_is_replaced() {
    let scene = Scene::set().await;
    scene.put(&json!([{"name": "sentry", "description": "an older one"}])).await;
    scene.register().await;
    let registered = scene.registered().await;
    assert_eq!(registered[0]["options"].as_array().map(Vec::len), Some(9));
    assert_eq!(scene.replaced(), 2);
}

#[tokio::test]
async fn pods_that_start_together_agree() {
    let scene = Scene::set().await;
    tokio::join!(scene.register(), scene.register(), scene.register());
    assert_eq!(scene.registered().await.len(), 1);
    let replaced = scene.replaced();
    scene.register().await;
    assert_eq!(scene.replaced(), replaced);
}

#[tokio::test]
async fn it_is_tried_until_discord_answers() {
    let scene = Scene::set().await;
    scene.sandbox.add_fault(Fault::new(Effect::Status(503)).on_endpoint(LIST).times(1));
    scene.register().await;
    assert_eq!((scene.registered().await.len(), scene.replaced()), (1, 1));
}

#[tokio::test]
async fn a_refusal_ends_it_and_a_bad_token_ends_the_process() {
    let scene = Scene::set().await;
    scene.sandbox.add_fault(Fault::new(Effect::Refuse(400, 50_035)).on_endpoint(REPLACE).times(1));
    scene.register().await;
    assert!(scene.registered().await.is_empty());
    scene.sandbox.set_token("another");
    register_slash_commands(&scene.discord, &SlashId::default(), &scene.stop)
        .await
        .expect_err("the token is bad");
}

#[tokio::test]
async fn it_stops_when_told() {
    let scene = Scene::set().await;
    scene.sandbox.add_fault(Fault::new(Effect::Status(503)).everywhere());
    let registering = scene.register();
    let stopping = async {
        wait_for("a try", SOON, || async { (!scene.sandbox.stats().requests.is_empty()).then_some(()) })
            .await;
        scene.stop.cancel();
    };
    let both = async { tokio::join!(registering, stopping) };
    tokio::time::timeout(Duration::from_secs(10), both).await.expect("stops");
}
