//! A client that sends exactly what a test says, byte for byte.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use openssl::{
    ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode},
    x509::X509,
};

const PATIENCE: Duration = Duration::from_secs(15);

/// A response as it came.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// The head as it came, lower-cased.
    pub head: String,
    pub body: String,
    /// From the request's last byte to the response's.
    pub took: Duration,
}

impl Response {
    /// Fails unless status and body are exactly these.
    #[track_caller]
    pub fn expect(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body), "{}", self.head);
    }
}

/// A request to be sent in one piece.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    pub fn post(target: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { method: "POST".into(), target: target.into(), headers: vec![], body: body.into() }
    }

    pub fn method(mut self, method: &str) -> Self {
        self.method = method.into();
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes =
            format!("{} {} HTTP/1.1\r\nHost: localhost\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: {value}\r\n").into_bytes());
        }
        if !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("transfer-encoding")) {
            bytes.extend(format!("Content-Length: {}\r\n", self.body.len()).into_bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }

    pub async fn send(&self, port: u16) -> Response {
        send(port, self.bytes()).await
    }
}

/// Sends `bytes` over a new connection and reads until it ends.
pub async fn send(port: u16, bytes: Vec<u8>) -> Response {
    run(move || {
        let mut stream = connect(port);
        // A server may answer and close before it has read everything.
        let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
        read(&mut stream).expect("an answer")
    })
    .await
}

/// Runs blocking code beside the runtime.
pub async fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("the client does not panic")
}

/// A TLS connection that trusts whatever it is shown, as Sentry does.
pub fn connect(port: u16) -> SslStream<TcpStream> {
    let tcp = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    tcp.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    tcp.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    let mut connector = SslConnector::builder(SslMethod::tls_client()).expect("a connector");
    connector.set_verify(SslVerifyMode::NONE);
    connector.build().connect("localhost", tcp).expect("a handshake")
}

/// The certificate that the server shows.
pub async fn certificate(port: u16) -> X509 {
    run(move || connect(port).ssl().peer_certificate().expect("a certificate")).await
}

/// Reads a response to the end of its connection; `None` when there is none.
pub fn read(stream: &mut SslStream<TcpStream>) -> Option<Response> {
    let started = Instant::now();
    let mut bytes = Vec::new();
    // A connection may end without TLS's farewell.
    let _ = stream.read_to_end(&mut bytes);
    let took = started.elapsed();
    let text = String::from_utf8(bytes).expect("responses are UTF-8");
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Response { status, head: head.to_lowercase(), body: body.to_owned(), took })
}
