//! A gateway that does what a test says, step by step.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        protocol::CloseFrame,
    },
};

/// The bot's user id.
pub(crate) const BOT: &str = "9";
/// Longer than anything in these tests should take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `GET /gateway/bot` answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Info {
    pub(crate) shards: u32,
    pub(crate) remaining: u32,
    pub(crate) max_concurrency: u32,
    /// How often it was asked.
    pub(crate) asked: u32,
}

/// The gateway.
pub(crate) struct Script {
    address: SocketAddr,
    info: Arc<Mutex<Info>>,
    connections: mpsc::UnboundedReceiver<Connected>,
    task: JoinHandle<()>,
}

/// A client's connection.
pub(crate) struct Connected {
    stream: WebSocketStream<TcpStream>,
    address: SocketAddr,
    /// How the client names itself.
    pub(crate) user_agent: String,
    /// When it came.
    pub(crate) since: Instant,
}

/// How a client greets.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Greeting {
    Identify([u64; 2]),
    Resume,
}

impl Script {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let info = Arc::new(Mutex::new(Info { shards: 1, remaining: 1000, max_concurrency: 1, asked: 0 }));
        let (came, connections) = mpsc::unbounded_channel();
        let asked = Arc::clone(&info);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, address, Arc::clone(&asked), came.clone()));
            }
        });
        Self { address, info, connections, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn info(&self) -> Info {
        *self.info.lock().expect("no panic while held")
    }

    /// Answers other things from now on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Info)) {
        change(&mut self.info.lock().expect("no panic while held"));
    }

    /// The next connection and its greeting.
    pub(crate) async fn next(&mut self) -> (Connected, Greeting) {
        let next = timeout(PATIENCE, self.connections.recv()).await;
        let mut connected = next.expect("a connection in time").expect("the script listens");
        let greeting = connected.greeting().await;
        (connected, greeting)
    }

    /// Whether somebody has connected.
    pub(crate) fn has_connection(&self) -> bool {
        !self.connections.is_empty()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers a lookup, or hands on a connection that got its HELLO.
async fn serve(
    mut stream: TcpStream,
    address: SocketAddr,
    info: Arc<Mutex<Info>>,
    came: mpsc::UnboundedSender<Connected>,
) {
    let mut head = [0; 64];
    stream.peek(&mut head).await.expect("a request");
    if head.starts_with(b"GET /api/v10/gateway/bot") {
        let info = {
            let mut info = info.lock().expect("no panic while held");
            info.asked += 1;
            *info
        };
        let limit = json!({"total": 1000, "remaining": info.remaining, "reset_after": 1000,
            "max_concurrency": info.max_concurrency});
        let body =
            json!({"url": format!("ws://{address}"), "shards": info.shards, "session_start_limit": limit});
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        // Until the client has read it: what it sent is not read, and closing at once would reset.
        let mut rest = [0; 1024];
        while stream.try_read(&mut rest).is_ok_and(|read| read > 0) {}
        return;
    }
    let mut user_agent = String::new();
    #[expect(clippy::result_large_err, reason = "the library asks for this type")]
    let look = |request: &Request, response: Response| {
        let header = request.headers().get("user-agent");
        user_agent = header.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        Ok(response)
    };
    let Ok(stream) = accept_hdr_async(stream, look).await else { return };
    let mut connected = Connected { stream, address, user_agent, since: Instant::now() };
    connected.send(&json!({"op": 10, "d": {"heartbeat_interval": 45_000}})).await;
    let _ = came.send(connected);
}

impl Connected {
    pub(crate) async fn send(&mut self, payload: &Value) {
        // The client may be gone.
        let _ = self.stream.send(Message::Text(payload.to_string())).await;
    }

    async fn greeting(&mut self) -> Greeting {
        loop {
            let message = timeout(PATIENCE, self.stream.next()).await.expect("a greeting in time");
            let Message::Text(text) = message.expect("it is open").expect("it is open") else { continue };
            let payload: Value = serde_json::from_str(&text).expect("JSON");
            match payload["op"].as_u64() {
                Some(2) => {
                    let number = |at: usize| payload["d"]["shard"][at].as_u64().expect("a number");
                    return Greeting::Identify([number(0), number(1)]);
                }
                Some(6) => return Greeting::Resume,
                _ => {}
            }
        }
    }

    /// READY: event 1 of a new session.
    pub(crate) async fn ready(&mut self) {
        let url = format!("ws://{}", self.address);
        let ready = json!({"session_id": "s", "resume_gateway_url": url, "user": {"id": BOT, "bot": true}});
        self.dispatch(1, "READY", &ready).await;
    }

    pub(crate) async fn dispatch(&mut self, seq: u64, event: &str, data: &Value) {
        self.send(&json!({"op": 0, "s": seq, "t": event, "d": data})).await;
    }

    /// INVALID SESSION, which cannot be resumed.
    pub(crate) async fn invalid_session(&mut self) {
        self.send(&json!({"op": 9, "d": false})).await;
    }

    pub(crate) async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "the script says so".into() };
        let _ = self.stream.close(Some(frame)).await;
    }
}
