//! discord-service as a process: how it starts, what it logs, how it ends.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use e2e::Stack;
use harness::{
    free_port,
    service::{Service, binary},
    wait::{SOON, wait_for},
};
use sentry_sender::{Webhook, body::Exception};

async fn ends_with(variables: &[(&str, &str)], code: i32) -> String {
    let mut service = Service::start("discord-service", variables);
    let status = service.ended(SOON).await;
    assert_eq!(status.code(), Some(code), "{}", service.log());
    service.log()
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_one_line_and_exit_code_64() {
    for (variables, line) in [
        (
            &[][..],
            "discord-service: DISCORD_TOKEN: set it, or with STORE=firestore keep it in the document keys/api\n",
        ),
        (
            &[("LEASE_TTL_SECS", "16")][..],
            "discord-service: LEASE_TTL_SECS: invalid value '16' for '--lease-ttl-secs <LEASE_TTL_SECS>': 16 is not in 2..=15 (see --help)\n",
        ),
        (
            &[("DISCORD_TOKEN", "a"), ("DISCORD_TOKEN_FILE", "/b")][..],
            "discord-service: DISCORD_TOKEN and DISCORD_TOKEN_FILE are both set: set one of them\n",
        ),
        (
            &[("DISCORD_TOKEN", "a"), ("SECRETS_KEY", "c2hvcnQ=")][..],
            "discord-service: SECRETS_KEY: expected 32 bytes in base64, or several with commas between: make one with `openssl rand -base64 32`\n",
        ),
        (
            &[("DISCORD_TOKEN", "a"), ("NATS_CREDS_FILE", "/nowhere")][..],
            "discord-service: NATS_CREDS_FILE: cannot read /nowhere: No such file or directory (os error 2)\n",
        ),
        (
            &[("DISCORD_TOKEN", "a\nb")][..],
            "discord-service: DISCORD_TOKEN: a token has no spaces, line breaks or characters beyond ASCII\n",
        ),
        (
            &[("DISCORD_TOKEN", "a"), ("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere")][..],
            "discord-service: GOOGLE_APPLICATION_CREDENTIALS: cannot read /nowhere: No such file or directory (os error 2)\n",
        ),
        (
            &[("DISCORD_TOKEN", "a"), ("FIRESTORE_EMULATOR_HOST", "nowhere")][..],
            "discord-service: FIRESTORE_EMULATOR_HOST: invalid value 'nowhere' for '--firestore-emulator-host <FIRESTORE_EMULATOR_HOST>': expected host:port (see --help)\n",
        ),
    ] {
        let log = ends_with(variables, 64).await;
        assert_eq!(log, line);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nats_is_away_it_lives_is_not_ready_and_stops_at_once() {
    let nats = format!("nats://127.0.0.1:{}", free_port());
    lives_unready_and_stops(&[("DISCORD_TOKEN", "token"), ("NATS_URL", &nats)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_that_has_the_token_is_away_it_lives_is_not_ready_and_stops_at_once() {
    let firestore = format!("127.0.0.1:{}", free_port());
    lives_unready_and_stops(&[("FIRESTORE_EMULATOR_HOST", &firestore)]).await;
}

async fn lives_unready_and_stops(variables: &[(&str, &str)]) {
    let mut service = Service::start("discord-service", variables);
    wait_for("it says that it is not ready", SOON, || async {
        (service.readyz().await == Some(503)).then_some(())
    })
    .await;
    assert_eq!(healthcheck(&service), Some(0));
    service.signal("TERM");
    let start = Instant::now();
    let status = service.ended(SOON).await;
    assert!(status.success(), "{status}");
    // It does not use the 25 seconds that work in flight would get.
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(healthcheck(&service), Some(1));
}

/// The exit code of `discord-service healthcheck`, asked as its container's engine would.
fn healthcheck(service: &Service) -> Option<i32> {
    let admin_addr = service.admin().replace("http://127.0.0.1", "0.0.0.0");
    let mut command = Command::new(binary("discord-service"));
    command.arg("healthcheck").env_clear().env("ADMIN_ADDR", admin_addr);
    command.output().expect("it runs").status.code()
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_loses_nothing_and_ends_with_success() {
    let mut stack = Stack::start().await;
    let channel = stack.authorized_channel("alerts").await;
    let webhook = |number: u32| {
        Webhook::legacy(Exception::new(format!("alert {number}")).issue(number.to_string()).json())
    };
    for number in 0..120 {
        stack.accepted(channel, &webhook(number)).await;
    }
    stack.discord.signal("TERM");
    let status = stack.discord.ended(Duration::from_secs(25)).await;
    assert!(status.success(), "{status}");
    stack.discord.restart();
    let limit = Duration::from_secs(60);
    stack.until_drained(limit).await;
    let titles: Vec<String> = stack.shown(channel).into_iter().map(|shown| shown.title).collect();
    let expected: Vec<String> = (0..120).map(|number| format!("alert {number}")).collect();
    assert_eq!(titles, expected);
    stack.assert_clean();
}
