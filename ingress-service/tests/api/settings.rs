//! What the program says of its settings.

use std::process::Output;

use crate::support::program::ingress;

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
        (vec![("CHANNEL_BACKLOG_MAX", "40000")], "CHANNEL_BACKLOG_MAX: 40000 alerts of 8 KiB"),
        (
            vec![("ALERTS_MAX_BYTES", "1048576")],
            "set it to 16 at most, or ALERTS_MAX_BYTES to 1310720000 at least",
        ),
        (vec![("NATS_URL", "nats://bot:hunter2@127.0.0.1")], "NATS_URL: expected no user in the URL"),
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
        assert!(said.contains(name) && !said.contains("hunter2"), "{said}");
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
