//! What the page may do with the bot beside the sandbox.

use std::path::PathBuf;

use sandbox_discord::{Config, Sandbox, demo::Services};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};
use url::Url;

use crate::client::{World, http};

async fn turn(world: &World, fault: &str, on: bool) -> u16 {
    let url = format!("{}/sandbox/demo/faults", world.sandbox.url());
    http().post(url).json(&json!({ "fault": fault, "on": on })).send().await.unwrap().status().as_u16()
}

async fn is_on(world: &World, fault: &str) -> bool {
    let url = format!("{}/sandbox/demo", world.sandbox.url());
    let demo: Value = http().get(url).send().await.unwrap().json().await.unwrap();
    let faults = demo["faults"].as_array().unwrap();
    faults.iter().find(|entry| entry["fault"] == fault).unwrap()["on"] == true
}

#[tokio::test]
async fn each_fault_is_switched_alone() {
    let world = World::start().await;
    for (fault, status) in [("edge_refusal", 403), ("server_errors", 500), ("timed_out", 403)] {
        assert_eq!(turn(&world, fault, true).await, 204);
        assert!(is_on(&world, fault).await, "{fault}");
        assert_eq!(world.post(json!({ "content": "x" })).await.status, status, "{fault}");
        assert_eq!(turn(&world, fault, false).await, 204);
        assert!(!is_on(&world, fault).await, "{fault}");
        assert_eq!(world.post(json!({ "content": "x" })).await.status, 200, "{fault}");
    }
    assert_eq!(turn(&world, "nats_stopped", true).await, 400, "it was not told which process NATS is");
}

#[tokio::test]
async fn without_an_ingress_nothing_is_sent() {
    let world = World::start().await;
    let url = format!("{}/sandbox/demo/send", world.sandbox.url());
    let body = json!({ "channel": world.channel.to_string(), "payload": { "storm": 3 } });
    let answer = http().post(url).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 400);
    let error = json!({ "error": "the sandbox was not told where the ingress is (--ingress)" });
    assert_eq!(answer.json::<Value>().await.unwrap(), error);
}

/// Plays a bot: takes every webhook, and has metrics.
async fn bot() -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let mut head = String::new();
                while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await.unwrap() > 0 {}
                let length =
                    head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
                stream.read_exact(&mut vec![0; length.parse().unwrap()]).await.unwrap();
                let answer = if head.starts_with("GET") {
                    "sentry_bot_ingress_requests_total{outcome=\"stored\"} 4\nsentry_bot_alerts_posted_total 3\n"
                } else {
                    r#"{"success":"200"}"#
                };
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
                    answer.len()
                );
                stream.write_all(answer.as_bytes()).await.unwrap();
            });
        }
    });
    url.parse().unwrap()
}

#[tokio::test]
async fn payloads_go_to_the_ingress_and_its_answers_are_counted() {
    let bot = bot().await;
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let services = Services {
        ingress: Some(bot.clone()),
        ingress_metrics: bot.join("/metrics").ok(),
        discord_metrics: bot.join("/metrics").ok(),
        fixtures: Some(fixtures),
        nats_pid: None,
    };
    let sandbox = Sandbox::start(Config::default().services(services)).await;
    let demo = format!("{}/sandbox/demo", sandbox.url());
    let shown: Value = http().get(&demo).send().await.unwrap().json().await.unwrap();
    assert!(shown["fixtures"].as_array().unwrap().contains(&json!("legacy/11_python_exception.json")));
    assert_eq!(
        shown["counters"],
        json!({ "accepted": 4, "waiting": 0, "posted": 3, "folded": 0, "dead": 0 })
    );
    for (payload, sent) in [
        (json!({ "fixture": "legacy/11_python_exception.json" }), 1),
        (json!({ "pasted": { "body": "{}", "resource": "issue" } }), 1),
        (json!({ "storm": 20 }), 20),
    ] {
        let body = json!({ "channel": "7", "payload": payload, "as_now": true });
        let answer = http().post(format!("{demo}/send")).json(&body).send().await.unwrap();
        let answers = json!([{ "status": 200, "body": r#"{"success":"200"}"#, "count": sent }]);
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({ "sent": sent, "answers": answers }));
    }
    let outside = json!({ "channel": "7", "payload": { "fixture": "../../Cargo.toml" } });
    let refused = http().post(format!("{demo}/send")).json(&outside).send().await.unwrap();
    assert_eq!(refused.status(), 400, "only what is listed is read");
}
