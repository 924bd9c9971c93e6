//! The certificate that senders are shown.

use std::{path::Path, process::Command, time::Duration};

use harness::wait::{SOON, wait_for};
use openssl::{nid::Nid, pkey::Id, x509::X509};

use crate::support::{CHANNEL, MINIMAL, TestApp, client};

/// A fresh self-signed certificate and its key in `directory`.
fn write_pair(directory: &Path, name: &str) {
    let out = |file: &str| directory.join(file).display().to_string();
    let status = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "9",
        ])
        .args(["-subj", &format!("/CN={name}"), "-keyout", &out("new.key"), "-out", &out("new.pem")])
        .output()
        .expect("openssl runs");
    assert!(status.status.success());
    std::fs::rename(directory.join("new.key"), directory.join("key.pem")).expect("renamed");
    std::fs::rename(directory.join("new.pem"), directory.join("cert.pem")).expect("renamed");
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
    let now = openssl::asn1::Asn1Time::days_from_now(0).expect("a time");
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
