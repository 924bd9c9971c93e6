//! The program itself: how it starts and how it ends.

use std::{
    io::{Read as _, Write as _},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use harness::{
    free_port,
    nats::NatsServer,
    wait::{SOON, wait_for},
};

use crate::support::{
    CHANNEL, MINIMAL, Request, client,
    trust::{KeysFile, bucket, mirror, record},
};

fn ingress() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingress-service"));
    command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status();
    assert!(status.is_ok_and(|status| status.success()));
}

#[test]
fn wrong_settings_are_one_line_and_exit_code_64() {
    let directory = tempfile::tempdir().expect("a directory");
    let broken = directory.path().join("broken.pem").display().to_string();
    std::fs::write(&broken, "no PEM").expect("written");
    for (variables, name) in [
        (vec![("RUNTIME_MODE", "prod")], "RUNTIME_MODE"),
        (vec![("INGRESS_ADDR", "8080")], "INGRESS_ADDR"),
        (vec![("ALLOWED_SOURCES", "sentry.io")], "ALLOWED_SOURCES"),
        (vec![("TRUSTED_PROXIES", "x")], "TRUSTED_PROXIES"),
        (vec![("MAX_BODY_BYTES", "-1")], "MAX_BODY_BYTES"),
        (vec![("VERDICT_TIMEOUT_MS", "0.2")], "VERDICT_TIMEOUT_MS"),
        (vec![("CHANNEL_BACKLOG_MAX", "200000")], "is not in 1..=100000"),
        (vec![("SECRETS_KEY", "c2hvcnQ=")], "SECRETS_KEY"),
        (vec![("TLS_CERT_FILE", "x"), ("TLS_KEY_FILE", "")], "TLS_CERT_FILE and TLS_KEY_FILE"),
        (vec![("TLS_CERT_FILE", "/nowhere/c"), ("TLS_KEY_FILE", "/nowhere/k")], "TLS_CERT_FILE"),
        (vec![("TLS_CERT_FILE", &*broken), ("TLS_KEY_FILE", &*broken)], "TLS_CERT_FILE"),
    ] {
        let Output { status, stdout, stderr } =
            ingress().envs(variables.iter().copied()).output().expect("it runs");
        let said = String::from_utf8_lossy(&stderr);
        assert_eq!(status.code(), Some(64), "{variables:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(name), "{said}");
        assert!(stdout.is_empty());
    }
}

#[test]
fn help_lists_the_settings_of_the_contract() {
    let output = ingress().arg("--help").output().expect("it runs");
    assert!(output.status.success());
    let help = String::from_utf8_lossy(&output.stdout);
    for name in [
        "RUNTIME_MODE",
        "NATS_URL",
        "ADMIN_ADDR",
        "INGRESS_ADDR",
        "TLS_CERT_FILE",
        "TLS_KEY_FILE",
        "TLS_HOSTS",
        "ALLOWED_SOURCES",
        "TRUSTED_PROXIES",
        "MAX_BODY_BYTES",
        "VERDICT_TIMEOUT_MS",
        "CHANNEL_BACKLOG_MAX",
        "SENTRY_DSN",
    ] {
        assert!(help.contains(name), "{name} is missing:\n{help}");
    }
}

#[tokio::test]
async fn healthcheck_says_by_its_exit_code_whether_the_service_lives() {
    let healthcheck = |admin_addr: &str| {
        ingress().arg("healthcheck").env("ADMIN_ADDR", admin_addr).output().expect("it runs")
    };
    let nats = NatsServer::start().await;
    let running = Running::start(&nats).await;
    let port = running.admin_port;
    let Output { status, stderr, .. } = healthcheck(&format!("0.0.0.0:{port}"));
    assert_eq!((status.code(), &*stderr), (Some(0), &b""[..]));
    drop(running);
    let Output { status, stderr, .. } = healthcheck(&format!("0.0.0.0:{port}"));
    assert_eq!(status.code(), Some(1));
    let said = String::from_utf8_lossy(&stderr);
    assert!(
        said.starts_with(&format!("ingress-service: cannot ask http://127.0.0.1:{port}/healthz: ")),
        "{said}"
    );
}

/// The program with ports of its own, ended when dropped.
struct Running {
    child: Child,
    port: u16,
    admin_port: u16,
    log: tempfile::NamedTempFile,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    async fn start(nats: &NatsServer) -> Self {
        Self::start_with(nats, &[]).await
    }

    async fn start_with(nats: &NatsServer, variables: &[(&str, &str)]) -> Self {
        let (port, admin_port) = (free_port(), free_port());
        let log = tempfile::NamedTempFile::new().expect("a file");
        let child = ingress()
            .env("RUNTIME_MODE", "development")
            .env("INGRESS_ADDR", format!("127.0.0.1:{port}"))
            .env("ADMIN_ADDR", format!("127.0.0.1:{admin_port}"))
            .env("NATS_URL", nats.url())
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(log.reopen().expect("a second handle"))
            .spawn()
            .expect("it runs");
        let running = Self { child, port, admin_port, log };
        wait_for("the ingress listens", SOON, || async move {
            tokio::net::TcpStream::connect(("127.0.0.1", admin_port)).await.ok()
        })
        .await;
        wait_for("the ingress is ready", SOON, || async move {
            (client::get(admin_port, "/readyz").await.0 == 200).then_some(())
        })
        .await;
        running
    }

    async fn exit_code(&mut self, limit: Duration) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is ours") {
                return status.code();
            }
            assert!(started.elapsed() < limit, "it still runs");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(self.log.path()).expect("readable")
    }
}

#[tokio::test]
async fn sigterm_fails_readiness_finishes_what_is_in_flight_and_ends_with_0() {
    let nats = NatsServer::start().await;
    let mut running = Running::start(&nats).await;
    let (port, admin_port, pid) = (running.port, running.admin_port, running.child.id());
    let request = Request::post(CHANNEL, MINIMAL).bytes();
    let answered = client::run(move || {
        let mut stream = client::connect(port);
        let (first, rest) = request.split_at(request.len() - 5);
        stream.write_all(first).expect("sent");
        let status = Command::new("kill").args(["-TERM", &pid.to_string()]).status();
        assert!(status.is_ok_and(|status| status.success()));
        while !std::net::TcpStream::connect(("127.0.0.1", admin_port)).is_ok_and(unready) {}
        stream.write_all(rest).expect("sent");
        client::read(&mut stream).expect("an answer")
    })
    .await;
    answered.expect(202, r#"{"success":"202"}"#);
    assert_eq!(running.exit_code(SOON).await, Some(0), "{}", running.said());
}

fn unready(mut admin: std::net::TcpStream) -> bool {
    let mut answer = String::new();
    admin.write_all(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sent");
    admin.read_to_string(&mut answer).is_ok() && answer.contains("\"running\":\"stopping\"")
}

#[tokio::test]
async fn sigterm_ends_it_with_0_also_while_nats_hangs() {
    let nats = NatsServer::start().await;
    let mut running = Running::start(&nats).await;
    nats.pause();
    signal(&running.child, "TERM");
    assert_eq!(running.exit_code(SOON).await, Some(0), "{}", running.said());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let nats = NatsServer::start().await;
    let mut running = Running::start(&nats).await;
    signal(&running.child, "TERM");
    wait_for("the first signal is noticed", SOON, || async {
        running.said().contains("a second signal ends").then_some(())
    })
    .await;
    signal(&running.child, "INT");
    assert_eq!(running.exit_code(SOON).await, Some(130), "{}", running.said());
}

#[tokio::test]
async fn refusals_are_logged_and_counted_without_what_was_sent() {
    let nats = NatsServer::start().await;
    let running = Running::start(&nats).await;
    let secret = format!("{CHANNEL}&token=hunter2");
    let body = MINIMAL.replace("shop", "jane@example.com");
    assert_eq!(Request::post(&secret, body).send(running.port).await.status, 401);
    let schema = r#"{"project":"p","message":{"jane":"jane@example.com"},"event":{}}"#;
    assert_eq!(Request::post(CHANNEL, schema).send(running.port).await.status, 400);
    assert_eq!(Request::post("/a%1b[31mb", "").send(running.port).await.status, 400);

    let said = running.said();
    let refusals: Vec<serde_json::Value> = said
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|line: &serde_json::Value| line["message"] == "refused a request")
        .collect();
    assert_eq!(refusals[0]["source"], "127.0.0.1", "{said}");
    assert_eq!(refusals[0]["path"], "/sentry-bot/channel");
    assert_eq!(refusals[0]["status"], 401);
    assert_eq!(refusals[0]["rule"], "token: the channel has none");
    assert_eq!(refusals[1]["rule"], "body: breaks /properties/message/type at \"/message\"");
    assert!(!said.contains("hunter2") && !said.contains("jane"), "{said}");

    let (_, metrics) = client::get(running.admin_port, "/metrics").await;
    for line in [
        r#"sentry_bot_ingress_requests_total{outcome="unauthorized_channel"} 1"#,
        r#"sentry_bot_ingress_requests_total{outcome="validation_failed"} 1"#,
        "sentry_bot_ingress_request_seconds_bucket{",
        "sentry_bot_ingress_certificate_expiry_timestamp_seconds ",
    ] {
        assert!(metrics.contains(line), "{line} is missing:\n{metrics}");
    }
}

#[tokio::test]
async fn what_channels_trust_is_told_in_no_log() {
    let nats = NatsServer::start().await;
    let (keys, lost) = (KeysFile::of(&[1]), KeysFile::of(&[2]));
    mirror(&nats, 1, &record(true, &["swordfish"], vec![keys.seal(1, "s1", "hunter2")])).await;
    for channel in [2, 3] {
        mirror(&nats, channel, &record(true, &[], vec![lost.seal(channel, "s1", "hunter2")])).await;
    }
    bucket(&nats).await.put("4", r#"{"v":1,"tokens":"hunter2"}"#.into()).await.expect("written");
    let key = std::fs::read_to_string(keys.path()).expect("readable");
    let running = Running::start_with(&nats, &[("SECRETS_KEY", &key), ("RUST_LOG", "debug")]).await;

    let signature = harness::python::signature("hunter2", MINIMAL.as_bytes());
    let wrong = signature.chars().rev().collect::<String>();
    let mut statuses = Vec::new();
    for (target, signature) in [
        ("id=1", &signature),
        ("id=1", &signature),
        ("id=1", &wrong),
        ("id=1&token=swordfish", &wrong),
        ("id=1&token=marlin", &signature),
        ("id=2", &signature),
        ("id=4", &signature),
    ] {
        let request = Request::post(&format!("/sentry-bot/channel?{target}"), MINIMAL);
        let request = request.header("Sentry-Hook-Signature", signature);
        statuses.push(request.send(running.port).await.status);
    }
    assert_eq!(statuses, [202, 200, 401, 202, 401, 401, 401]);

    let said = running.said();
    for secret in ["hunter2", "swordfish", "marlin", &signature, &wrong, &key] {
        assert!(!said.contains(secret), "{secret} is in the log:\n{said}");
    }
    for line in [
        "set SECRETS_KEY to what discord-service has",
        "cannot read what the channel trusts; refusing its webhooks",
        "token: not this channel's",
        "trust: the channel's record cannot be read",
    ] {
        assert_eq!(said.matches(line).count(), 1, "{line}:\n{said}");
    }
    let (_, metrics) = client::get(running.admin_port, "/metrics").await;
    for line in [
        r#"sentry_bot_ingress_trust_total{outcome="signature"} 2"#,
        r#"sentry_bot_ingress_trust_total{outcome="token"} 1"#,
        r#"sentry_bot_ingress_trust_total{outcome="wrong_token"} 1"#,
        r#"sentry_bot_ingress_trust_total{outcome="wrong_signature"} 1"#,
        r#"sentry_bot_ingress_trust_total{outcome="sealed_secret"} 1"#,
        r#"sentry_bot_ingress_trust_total{outcome="unreadable"} 1"#,
        r#"sentry_bot_ingress_requests_total{outcome="repeated"} 1"#,
    ] {
        assert!(metrics.contains(line), "{line} is missing:\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_refusals_leaves_few_lines_and_a_count_of_the_others() {
    const FLOOD: u64 = 300;
    let nats = NatsServer::start().await;
    let running = Running::start(&nats).await;
    for _ in 0..FLOOD {
        assert_eq!(Request::post("/elsewhere", "").send(running.port).await.status, 400);
    }
    let counted = wait_for("each refusal is logged or counted", 2 * SOON, || async {
        assert_eq!(Request::post("/elsewhere", "").method("PUT").send(running.port).await.status, 400);
        let lines = running.said();
        let lines = lines.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let (mut logged, mut unlogged) = (0, 0);
        for line in lines {
            logged += u64::from(line["message"] == "refused a request");
            unlogged += line["unlogged"].as_u64().unwrap_or(0);
        }
        (logged + unlogged >= FLOOD).then_some((logged, unlogged))
    });
    let (logged, unlogged) = counted.await;
    assert!(unlogged > 0, "{logged} lines");
}
