use super::*;

#[derive(Debug, Parser)]
struct Example {
    #[command(flatten)]
    common: CommonSettings,
}

fn parse_args(arguments: &[&str]) -> Result<Example, SettingsError> {
    parse_from(std::iter::once("example").chain(arguments.iter().copied()).map(OsString::from))
}

#[test]
fn defaults_are_those_of_the_contract() {
    let settings = parse_args(&[]).expect("defaults are valid").common;
    assert_eq!(settings.runtime_mode, RuntimeMode::Production);
    assert_eq!(settings.shutdown_grace(), Duration::from_secs(25));
    assert_eq!(settings.nats.channel_backlog_max, 20_000);
    assert_eq!(settings.nats.alerts_max_bytes, 2 * 1024 * 1024 * 1024);
    assert_eq!(settings.nats.dead_letters_max_bytes, 256 * 1024 * 1024);
}

#[test]
fn a_wrong_value_is_one_line_that_names_the_variable() {
    for (arguments, start) in [
        (["--nats-replicas", "2"], "NATS_REPLICAS: invalid value '2'"),
        (["--runtime-mode", "prod"], "RUNTIME_MODE: invalid value 'prod'"),
        (["--channel-backlog-max", "100001"], "CHANNEL_BACKLOG_MAX: invalid value '100001'"),
        (["--sentry-traces-sample-rate", "2"], "SENTRY_TRACES_SAMPLE_RATE: invalid value '2'"),
        (["--no-such-flag", "1"], "NO_SUCH_FLAG: unexpected argument"),
        (["--nats-url", "nats://bot:hun\n\nter2@x:y"], "NATS_URL: expected nats://host:port"),
        (["--nats-url", "nats://a,tls://bot:hunter2@b"], "NATS_URL: expected no user in the URL"),
        (["--nats-url", "nats://hunter2@b"], "NATS_URL: expected no user in the URL"),
    ] {
        let SettingsError(line) = parse_args(&arguments).expect_err("must be refused");
        assert!(line.starts_with(start), "{line}");
        assert!(!line.contains('\n') && !line.contains("hun"), "{line}");
    }
}
