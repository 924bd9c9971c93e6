//! The program from outside.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use serde_json::json;

use crate::{
    client::{http, read},
    receiver::Receiver,
};

/// Stops the program when dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts it, and reads what it prints up to this line.
fn start(arguments: &[&str], last: &str) -> (Program, Vec<String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox-sentry"));
    let child = command.args(["--port", "0"]).args(arguments).stdout(Stdio::piped()).spawn();
    let mut program = Program(child.expect("it runs"));
    let mut lines = Vec::new();
    for line in BufReader::new(program.0.stdout.take().unwrap()).lines() {
        lines.push(line.unwrap());
        if lines.last().is_some_and(|line| line.starts_with(last)) {
            break;
        }
    }
    (program, lines)
}

/// What follows this on a line.
fn after<'a>(lines: &'a [String], label: &str) -> &'a str {
    lines.iter().find_map(|line| line.strip_prefix(label)).unwrap_or_else(|| panic!("no {label}: {lines:?}"))
}

#[tokio::test]
async fn it_prints_what_it_has_and_its_example_works() {
    let receiver = Receiver::start();
    let target = receiver.url();
    let arguments = ["--webhook-url", target, "--insecure", "--client-secret", "s3cret"];
    let (_program, lines) = start(&arguments, "    -d '{\"project\"");
    let (url, token) = (after(&lines, "Sandbox Sentry: "), after(&lines, "Token: "));
    assert_eq!(after(&lines, "Client secret: "), "s3cret");
    assert_eq!(after(&lines, "Organization "), "acme, project backend-api");
    assert_eq!(after(&lines, "Webhooks go to: "), target);
    let issue = after(&lines, "Issue ").split(':').next().unwrap();
    let path = format!("{url}/api/0/organizations/acme/issues/{issue}/");
    assert!(lines.contains(&format!("  curl -s -X PUT {path} \\")), "{lines:?}");
    let request = http().put(path).bearer_auth(token).json(&json!({ "status": "resolved" }));
    assert_eq!(read(request.send().await.unwrap()).await.body["status"], "resolved");
    let webhook = receiver.next().await;
    assert_eq!(webhook.kind(), "issue.resolved");
    assert_eq!(webhook.header("sentry-hook-signature").len(), 64);
}

#[test]
fn help_names_its_flags() {
    let output = Command::new(env!("CARGO_BIN_EXE_sandbox-sentry")).arg("--help").output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    for flag in ["--port", "--webhook-url", "--ca-file", "--insecure", "--token", "--client-secret"] {
        assert!(said.contains(flag), "{flag}");
    }
}
