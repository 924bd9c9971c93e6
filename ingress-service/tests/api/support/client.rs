//! A client that sends exactly what a test says, byte for byte.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::LazyLock,
    time::{Duration, Instant},
};

use openssl::{
    ssl::{SslConnector, SslMethod, SslStream, SslVerifyMode},
    x509::X509,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Trusts whatever it is shown, as Sentry does. Made once: it reads the
/// system's certificates.
static CONNECTOR: LazyLock<SslConnector> = LazyLock::new(|| {
    let mut connector = SslConnector::builder(SslMethod::tls_client()).expect("a connector");
    connector.set_verify(SslVerifyMode::NONE);
    connector.build()
});

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

/// A new TLS connection.
pub fn connect(port: u16) -> SslStream<TcpStream> {
    let tcp = TcpStream::connect(("127.0.0.1", port)).expect("the server listens");
    tcp.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    tcp.set_write_timeout(Some(PATIENCE)).expect("a timeout");
    // As Sentry does; or else each request waits for a delayed acknowledgement.
    tcp.set_nodelay(true).expect("no delay");
    CONNECTOR.connect("localhost", tcp).expect("a handshake")
}

/// `GET` over plain HTTP, as of the admin listener: status and body.
pub async fn get(port: u16, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    run(move || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the listener is there");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default())
    })
    .await
}

/// The certificate that the server shows.
pub async fn certificate(port: u16) -> X509 {
    run(move || connect(port).ssl().peer_certificate().expect("a certificate")).await
}

/// Reads one response; `None` when the connection ends first.
pub fn read(stream: &mut SslStream<TcpStream>) -> Option<Response> {
    let started = Instant::now();
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(response) = parse(&bytes, started).filter(|(_, complete)| *complete) {
            return Some(response.0);
        }
        match stream.read(&mut chunk) {
            // The answer to HEAD announces a body that does not come.
            Ok(0) | Err(_) => return parse(&bytes, started).map(|(response, _)| response),
            Ok(count) => bytes.extend_from_slice(chunk.get(..count)?),
        }
    }
}

/// The response so far, and whether it is complete.
fn parse(bytes: &[u8], started: Instant) -> Option<(Response, bool)> {
    let (head, body) = str::from_utf8(bytes).ok()?.split_once("\r\n\r\n")?;
    let head = head.to_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let (_, length) = head.split_once("\r\ncontent-length: ")?;
    let complete = length.lines().next()?.parse() == Ok(body.len());
    Some((Response { status, body: body.to_owned(), took: started.elapsed(), head }, complete))
}
