//! The baseline of receiving: a server with the same HTTP and TLS libraries and
//! the same kind of certificate. It reads a body and forgets it. No receiver
//! over HTTPS can be cheaper.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use openssl::{
    asn1::Asn1Time,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::PKey,
    ssl::{SslAcceptor, SslMethod},
    x509::X509,
};

/// Set in the process that becomes the server.
const MEANT: &str = "BARE_RECEIVER";

/// The server as a process of its own, killed when dropped.
pub(crate) struct Bare {
    pub(crate) url: String,
    child: Child,
}

impl Bare {
    pub(crate) fn start() -> Self {
        let me = std::env::current_exe().expect("a program knows its own path");
        let mut child =
            Command::new(me).env(MEANT, "1").stdout(Stdio::piped()).spawn().expect("it starts again");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("an address");
        Self { url: format!("https://{}/", line.trim()), child }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn is_meant() -> bool {
    std::env::var_os(MEANT).is_some()
}

pub(crate) fn serve() {
    let forget = |_: web::Bytes| async { HttpResponse::Ok().body(r#"{"success":"200"}"#) };
    let limit = web::PayloadConfig::new(2 << 20);
    let server = HttpServer::new(move || App::new().app_data(limit.clone()).default_service(web::to(forget)));
    let server = server.bind_openssl("127.0.0.1:0", acceptor()).expect("loopback has a free port");
    println!("{}", server.addrs()[0]);
    actix_web::rt::System::new().block_on(server.run()).expect("it serves until it is killed");
}

fn acceptor() -> openssl::ssl::SslAcceptorBuilder {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("P-256 is known");
    let key = PKey::from_ec_key(EcKey::generate(&group).expect("a key")).expect("a key");
    let mut certificate = X509::builder().expect("a certificate");
    certificate.set_pubkey(&key).expect("a key");
    certificate.set_not_before(&Asn1Time::days_from_now(0).expect("a time")).expect("a time");
    certificate.set_not_after(&Asn1Time::days_from_now(1).expect("a time")).expect("a time");
    certificate.sign(&key, MessageDigest::sha256()).expect("it is signed");
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).expect("OpenSSL");
    acceptor.set_certificate(&certificate.build()).expect("a certificate");
    acceptor.set_private_key(&key).expect("a key");
    acceptor
}
