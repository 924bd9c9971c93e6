//! The certificate that senders are shown.

use std::{path::Path, time::Duration};

use harness::wait::{SOON, wait_for};
use openssl::{
    asn1::Asn1Time,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::{Id, PKey},
    x509::{X509, X509Builder, X509NameBuilder},
};

use crate::support::{CHANNEL, MINIMAL, TestApp, client};

/// Puts a new certificate and its key into `directory`.
fn write_pair(directory: &Path, name: &str) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("P-256");
    let key = PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key");
    let mut subject = X509NameBuilder::new().expect("a name");
    subject.append_entry_by_nid(Nid::COMMONNAME, name).expect("a name");
    let subject = subject.build();
    let mut builder = X509Builder::new().expect("a certificate");
    builder.set_subject_name(&subject).expect("set");
    builder.set_issuer_name(&subject).expect("set");
    builder.set_pubkey(&key).expect("set");
    builder.set_not_before(&Asn1Time::days_from_now(0).expect("a time")).expect("set");
    builder.set_not_after(&Asn1Time::days_from_now(9).expect("a time")).expect("set");
    builder.sign(&key, MessageDigest::sha256()).expect("signed");
    let write = |file: &str, pem: Vec<u8>| std::fs::write(directory.join(file), pem).expect("written");
    write("key.pem", key.private_key_to_pem_pkcs8().expect("PEM"));
    write("cert.pem", builder.build().to_pem().expect("PEM"));
}

fn common_name(certificate: &X509) -> String {
    let entry = certificate.subject_name().entries_by_nid(Nid::COMMONNAME).next().expect("a name");
    entry.data().to_string().expect("text")
}

async fn wait_for_name(app: &TestApp, name: &str) {
    wait_for(&format!("the certificate of {name}"), SOON, || async {
        (common_name(&client::certificate(app.port).await) == name).then_some(())
    })
    .await;
}

#[tokio::test]
async fn without_files_it_is_self_signed_for_a_day_with_the_hosts_of_the_settings() {
    let app = TestApp::start_with(&["--tls-hosts", "bot.example.com,192.0.2.1"]).await;
    let certificate = client::certificate(app.port).await;
    let key = certificate.public_key().expect("a key");
    assert_eq!((key.id(), key.bits()), (Id::EC, 256));
    let names = certificate.subject_alt_names().expect("names");
    assert!(names.iter().any(|name| name.dnsname() == Some("bot.example.com")));
    assert!(names.iter().any(|name| name.ipaddress() == Some(&[192, 0, 2, 1])));
    let now = Asn1Time::days_from_now(0).expect("a time");
    let left = now.diff(certificate.not_after()).expect("a difference");
    assert!(matches!((left.days, left.secs), (0, 86_000..) | (1, 0)), "{left:?}");
    assert!(certificate.not_before() < now);
    assert!(certificate.verify(&key).expect("checked"));
}

#[tokio::test]
async fn files_are_read_again_when_they_change_and_a_broken_one_is_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    write_pair(directory.path(), "first");
    let [certificate, key] =
        ["cert.pem", "key.pem"].map(|file| directory.path().join(file).display().to_string());
    let app = TestApp::start_with(&[
        "--runtime-mode",
        "development",
        "--tls-cert-file",
        &certificate,
        "--tls-key-file",
        &key,
    ])
    .await;
    wait_for_name(&app, "first").await;

    write_pair(directory.path(), "second");
    wait_for_name(&app, "second").await;

    std::fs::write(&certificate, "no certificate").expect("written");
    let watched = std::time::Instant::now();
    while watched.elapsed() < Duration::from_secs(5) {
        assert_eq!(common_name(&client::certificate(app.port).await), "second");
    }

    write_pair(directory.path(), "third");
    wait_for_name(&app, "third").await;
    app.post(CHANNEL, MINIMAL).await.expect(202, r#"{"success":"202"}"#);
}

#[tokio::test]
async fn only_tls_1_2_and_1_3_are_spoken_and_http_1_1_is_chosen() {
    use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
    let app = TestApp::start().await;
    let port = app.port;
    client::run(move || {
        for (version, spoken) in
            [(SslVersion::TLS1_1, false), (SslVersion::TLS1_2, true), (SslVersion::TLS1_3, true)]
        {
            let mut connector = SslConnector::builder(SslMethod::tls_client()).expect("a connector");
            connector.set_verify(SslVerifyMode::NONE);
            connector.set_cipher_list("ALL:@SECLEVEL=0").expect("ciphers");
            connector.set_min_proto_version(Some(version)).expect("a version");
            connector.set_max_proto_version(Some(version)).expect("a version");
            connector.set_alpn_protos(b"\x02h2\x08http/1.1").expect("protocols");
            let tcp = std::net::TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
            let connected = connector.build().connect("localhost", tcp);
            assert_eq!(connected.is_ok(), spoken, "{version:?}");
            if let Ok(stream) = connected {
                assert_eq!(stream.ssl().selected_alpn_protocol(), Some(&b"http/1.1"[..]));
                assert!(!stream.ssl().session_reused());
            }
        }
    })
    .await;
}
