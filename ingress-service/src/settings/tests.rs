use super::*;

fn parse(arguments: &[&str]) -> Result<IngressSettings, clap::Error> {
    IngressSettings::try_parse_from(std::iter::once(&"ingress-service").chain(arguments))
}

#[test]
fn defaults_are_those_of_the_contract() {
    let settings = parse(&[]).expect("defaults are valid");
    assert_eq!(settings.ingress_addr.to_string(), "0.0.0.0:8080");
    assert_eq!(settings.admin_addr.to_string(), "127.0.0.1:9090");
    assert_eq!(settings.tls_hosts, [TlsHost::Name("localhost".to_owned())]);
    assert_eq!(settings.allowed_sources, [AllowedSource::Sentry]);
    assert_eq!(settings.trusted_proxies, []);
    assert_eq!(settings.keep_alive_secs, 620);
    assert_eq!(settings.max_body_bytes, 2_097_152);
    assert_eq!(settings.verdict_timeout(), Duration::from_millis(200));
    let patient = IngressSettings { verdict_timeout_ms: 300, ..settings.clone() };
    assert_eq!(patient.verdict_timeout(), Duration::from_millis(200));
    assert_eq!(settings.tls_files(), Ok(None));
}

#[test]
fn lists_are_understood_and_anything_else_is_refused() {
    let settings = parse(&[
        "--allowed-sources",
        "sentry, 192.0.2.7,10.0.0.0/8,::ffff:198.51.100.0/120",
        "--tls-hosts",
        "bot.example.com,::1,*.example.org",
    ])
    .expect("valid");
    let networks: Vec<_> = settings.allowed_sources[1..].iter().map(|source| format!("{source:?}")).collect();
    assert_eq!(networks, ["Network(192.0.2.7/32)", "Network(10.0.0.0/8)", "Network(198.51.100.0/24)"]);
    assert_eq!(settings.tls_hosts[1], TlsHost::Address("::1".parse().expect("an address")));
    for wrong in [
        ["--allowed-sources", "sentry.io"],
        ["--trusted-proxies", "10.0.0.0/33"],
        ["--tls-hosts", "a b"],
        ["--tls-hosts", "x..y"],
        ["--max-body-bytes", "0"],
        ["--verdict-timeout-ms", "0"],
    ] {
        assert!(parse(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_certificate_without_its_key_is_refused() {
    let settings = parse(&["--tls-cert-file", "cert.pem"]).expect("each flag is valid");
    let SettingsError(line) = settings.tls_files().expect_err("half a pair");
    assert_eq!(line, "TLS_CERT_FILE and TLS_KEY_FILE: set both or neither");
}
