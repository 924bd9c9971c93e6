//! No handshake is dear for the server and cheap for its sender.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use harness::{
    figures::{report, scaled},
    nats::NatsServer,
    process::cpu,
};
use openssl::{
    hash::MessageDigest,
    nid::Nid,
    pkey::PKey,
    rsa::Rsa,
    ssl::{HandshakeError, SslConnector, SslMethod, SslVerifyMode, SslVersion},
    x509::{X509Builder, X509NameBuilder},
};

use crate::support::{client, program::Running};

/// An RSA certificate in `directory`: only with one does TLS 1.2 know DHE.
fn write_rsa(directory: &std::path::Path) {
    let key = PKey::from_rsa(Rsa::generate(2_048).expect("a key")).expect("a key");
    let mut name = X509NameBuilder::new().expect("a name");
    name.append_entry_by_nid(Nid::COMMONNAME, "rsa").expect("a name");
    let name = name.build();
    let mut builder = X509Builder::new().expect("a certificate");
    builder.set_subject_name(&name).expect("set");
    builder.set_issuer_name(&name).expect("set");
    builder.set_pubkey(&key).expect("set");
    let day = |days| openssl::asn1::Asn1Time::days_from_now(days).expect("a time");
    builder.set_not_before(&day(0)).expect("set");
    builder.set_not_after(&day(9)).expect("set");
    builder.sign(&key, MessageDigest::sha256()).expect("signed");
    std::fs::write(directory.join("key.pem"), key.private_key_to_pem_pkcs8().expect("PEM")).expect("written");
    std::fs::write(directory.join("cert.pem"), builder.build().to_pem().expect("PEM")).expect("written");
}

/// Whether a handshake succeeds in which the client knows nothing else.
fn shakes_hands(port: u16, version: SslVersion, ciphers: &str, groups: &str) -> bool {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).expect("a connector");
    connector.set_verify(SslVerifyMode::NONE);
    connector.set_min_proto_version(Some(version)).expect("a version");
    connector.set_max_proto_version(Some(version)).expect("a version");
    connector.set_cipher_list(ciphers).expect("ciphers");
    connector.set_groups_list(groups).expect("groups");
    let tcp = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    tcp.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    connector.build().connect("localhost", tcp).is_ok()
}

#[tokio::test]
async fn key_exchange_is_of_three_curves_and_never_of_a_finite_field() {
    const ECDHE: &str = "ECDHE-RSA-AES128-GCM-SHA256";
    const DHE: &str = "DHE-RSA-AES128-GCM-SHA256";
    const V1_2: SslVersion = SslVersion::TLS1_2;
    const V1_3: SslVersion = SslVersion::TLS1_3;
    let directory = tempfile::tempdir().expect("a directory");
    write_rsa(directory.path());
    let [certificate, key] =
        ["cert.pem", "key.pem"].map(|file| directory.path().join(file).display().to_string());
    let nats = NatsServer::start().await;
    let files = [("TLS_CERT_FILE", &*certificate), ("TLS_KEY_FILE", &*key)];
    let running = Running::start_with(&nats, &files).await;
    let port = running.port;
    client::run(move || {
        for (version, ciphers, groups, succeeds) in [
            (V1_3, ECDHE, "X25519", true),
            (V1_3, ECDHE, "P-256", true),
            (V1_3, ECDHE, "P-384", true),
            (V1_3, ECDHE, "ffdhe8192:X25519", true),
            (V1_3, ECDHE, "ffdhe2048", false),
            (V1_3, ECDHE, "ffdhe8192", false),
            (V1_3, ECDHE, "P-521", false),
            (V1_2, ECDHE, "X25519", true),
            (V1_2, ECDHE, "P-256", true),
            (V1_2, ECDHE, "P-384", true),
            (V1_2, ECDHE, "P-521", false),
            (V1_2, DHE, "X25519", false),
        ] {
            let succeeded = shakes_hands(port, version, ciphers, groups);
            assert_eq!(succeeded, succeeds, "{version:?} {ciphers} {groups}");
        }
    })
    .await;
}

/// Keeps what is said, and never hears anything.
#[derive(Debug, Default)]
struct Recorder(Vec<u8>);

impl Read for Recorder {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for Recorder {
    fn write(&mut self, said: &[u8]) -> io::Result<usize> {
        self.0.extend(said);
        Ok(said.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The first message of a client that knows only this group.
fn hello(group: &str) -> Vec<u8> {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).expect("a connector");
    connector.set_groups_list(group).expect("groups");
    match connector.build().connect("localhost", Recorder::default()) {
        Err(HandshakeError::WouldBlock(waits)) => waits.get_ref().0.clone(),
        other => panic!("it waits for an answer: {other:?}"),
    }
}

#[tokio::test]
async fn recorded_handshakes_cost_their_receiver_little() {
    let nats = NatsServer::start().await;
    let running = Running::start(&nats).await;
    let (port, process) = (running.port, running.child.id());
    let count = scaled(100, 1_000);
    for group in ["ffdhe8192", "P-384"] {
        let hello = hello(group);
        let before = cpu(process);
        client::run(move || {
            for _ in 0..count {
                let mut tcp = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
                tcp.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
                tcp.write_all(&hello).expect("sent");
                assert!(tcp.read(&mut [0; 64]).expect("an answer") > 0);
            }
        })
        .await;
        let took = cpu(process) - before;
        report(&format!("processor time of {count} recorded handshakes with {group}: {took:.0?}"));
        // One with ffdhe8192 took 170 ms.
        assert!(took < count * Duration::from_millis(10), "{group}: {took:?}");
    }
}
