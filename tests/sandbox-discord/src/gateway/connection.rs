//! One WebSocket connection from HELLO to its end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::{
    Close,
    identify::Admission,
    op,
    sessions::{Link, Order, invalid_session},
};
use crate::server::{Connection as Socket, Hub};

/// The most payloads that a client may send in a minute. One more closes the
/// connection.
const SENDS_A_MINUTE: u32 = 120;
/// The largest payload that a client may send.
const PAYLOAD_MAX: usize = 4096;

static NEXT: AtomicU64 = AtomicU64::new(1);

/// Turns a request for the gateway into a connection.
pub(crate) async fn upgrade(
    request: HttpRequest,
    stream: web::Payload,
    hub: web::Data<Hub>,
) -> actix_web::Result<HttpResponse> {
    let (response, session, messages) = actix_ws::handle(&request, stream)?;
    let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    let query = query.map(web::Query::into_inner).unwrap_or_default();
    let (orders, inbox) = unbounded_channel();
    let connection = Connection {
        hub: hub.into_inner(),
        socket: request.conn_data::<Socket>().cloned(),
        session,
        link: Link {
            connection: NEXT.fetch_add(1, Ordering::Relaxed),
            host: request.connection_info().host().to_owned(),
            orders,
        },
        heard: Instant::now(),
        minute: Instant::now(),
        sends: 0,
    };
    let messages = messages.max_frame_size(1 << 16).aggregate_continuations();
    actix_web::rt::spawn(connection.run(query, messages, inbox));
    Ok(response)
}

struct Connection {
    hub: Arc<Hub>,
    socket: Option<Socket>,
    session: actix_ws::Session,
    link: Link,
    heard: Instant,
    minute: Instant,
    sends: u32,
}

/// Why a connection ends.
enum End {
    /// The server closes it.
    Close(u16, &'static str),
    /// The server breaks it.
    Cut,
    /// The client left, on purpose or not.
    Left { on_purpose: bool },
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        let (code, words) = close.code();
        Self::Close(code, words)
    }
}

impl Connection {
    async fn run(
        mut self,
        query: Vec<(String, String)>,
        messages: AggregatedMessageStream,
        inbox: UnboundedReceiver<Order>,
    ) {
        let end = match self.converse(&query, messages, inbox).await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        // A client that left on purpose (1000 or 1001) gives up its session.
        let for_good = match end {
            End::Left { on_purpose } => on_purpose,
            End::Close(code, _) => Close::ends_session(code),
            End::Cut => false,
        };
        self.hub.lock(|world| world.sessions.lose(self.link.connection, for_good));
        match end {
            End::Close(code, words) => {
                let reason =
                    CloseReason { code: CloseCode::Other(code), description: Some(words.to_owned()) };
                let _ = self.session.close(Some(reason)).await;
            }
            End::Cut => {
                if let Some(socket) = self.socket {
                    socket.cut();
                }
            }
            End::Left { .. } => {}
        }
    }

    async fn converse(
        &mut self,
        query: &[(String, String)],
        mut messages: AggregatedMessageStream,
        mut inbox: UnboundedReceiver<Order>,
    ) -> Result<std::convert::Infallible, End> {
        check_query(query)?;
        let heartbeat = self.hub.lock(|world| world.config.clocks.heartbeat);
        let hello = json!({
            "op": op::HELLO, "s": null, "t": null,
            "d": { "heartbeat_interval": heartbeat.as_millis(), "_trace": ["sandbox"] },
        });
        self.send(&hello).await?;
        loop {
            let silence = Instant::now().duration_since(self.heard);
            // Discord allows some lateness; twice the interval is dead for sure.
            let patience = (heartbeat * 2).saturating_sub(silence);
            tokio::select! {
                message = messages.recv() => self.receive(message).await?,
                Some(order) = inbox.recv() => self.obey(order).await?,
                () = tokio::time::sleep(patience) => return Err(Close::SessionTimedOut.into()),
            }
        }
    }

    async fn send(&mut self, payload: &Value) -> Result<(), End> {
        let left = |_| End::Left { on_purpose: false };
        self.session.text(payload.to_string()).await.map_err(left)
    }

    async fn obey(&mut self, order: Order) -> Result<(), End> {
        match order {
            Order::Send(payload) => self.send(&payload).await,
            Order::Close(code, words) => Err(End::Close(code, words)),
            Order::Cut => Err(End::Cut),
        }
    }

    async fn receive(
        &mut self,
        message: Option<Result<AggregatedMessage, actix_ws::ProtocolError>>,
    ) -> Result<(), End> {
        match message {
            Some(Ok(AggregatedMessage::Text(text))) if text.len() <= PAYLOAD_MAX => {
                self.count_send()?;
                let payload = serde_json::from_str(&text).map_err(|_| Close::DecodeError)?;
                self.handle(&payload).await
            }
            Some(Ok(AggregatedMessage::Text(_) | AggregatedMessage::Binary(_))) => {
                Err(Close::DecodeError.into())
            }
            Some(Ok(AggregatedMessage::Ping(data))) => {
                let left = |_| End::Left { on_purpose: false };
                self.session.pong(&data).await.map_err(left)
            }
            Some(Ok(AggregatedMessage::Pong(_))) => Ok(()),
            Some(Ok(AggregatedMessage::Close(reason))) => {
                let code = reason.map(|reason| u16::from(reason.code));
                Err(End::Left { on_purpose: matches!(code, Some(1000 | 1001)) })
            }
            Some(Err(_)) | None => Err(End::Left { on_purpose: false }),
        }
    }

    fn count_send(&mut self) -> Result<(), Close> {
        if self.minute.elapsed() >= Duration::from_secs(60) {
            self.minute = Instant::now();
            self.sends = 0;
        }
        self.sends += 1;
        if self.sends > SENDS_A_MINUTE { Err(Close::RateLimited) } else { Ok(()) }
    }

    async fn handle(&mut self, payload: &Value) -> Result<(), End> {
        let opcode = payload["op"].as_u64().ok_or(Close::DecodeError)?;
        let data = &payload["d"];
        match opcode {
            op::HEARTBEAT => self.acknowledge().await,
            op::IDENTIFY | op::RESUME if self.has_session() => Err(Close::AlreadyAuthenticated.into()),
            op::IDENTIFY => {
                let admission = self.hub.lock(|world| world.identify(data, self.link.clone()));
                self.admit(admission).await
            }
            op::RESUME => {
                let admission = self.hub.lock(|world| world.resume(data, self.link.clone()));
                self.admit(admission).await
            }
            _ if !self.has_session() => Err(Close::NotAuthenticated.into()),
            op::PRESENCE_UPDATE => {
                self.hub.lock(|world| {
                    if let Some(session) = world.sessions.by_connection(self.link.connection) {
                        session.info.presence = data.clone();
                    }
                });
                Ok(())
            }
            op::VOICE_STATE_UPDATE | op::REQUEST_GUILD_MEMBERS => {
                tracing::error!("The sandbox does not play gateway opcode {opcode}");
                let words = format!("gateway opcode {opcode}");
                self.hub.lock(|world| world.stats.unknown_requests.push(words));
                Ok(())
            }
            _ => Err(Close::UnknownOpcode.into()),
        }
    }

    /// Whether the connection has a session: it has identified, and the session
    /// is still valid.
    fn has_session(&self) -> bool {
        self.hub.lock(|world| world.sessions.by_connection(self.link.connection).is_some())
    }

    async fn acknowledge(&mut self) -> Result<(), End> {
        self.heard = Instant::now();
        if self.hub.lock(|world| world.sessions.acknowledging) {
            self.send(&json!({ "op": op::HEARTBEAT_ACK })).await?;
        }
        Ok(())
    }

    async fn admit(&mut self, admission: Admission) -> Result<(), End> {
        match admission {
            Admission::Admitted => Ok(()),
            Admission::Invalid => self.send(&invalid_session(false)).await,
            Admission::Closed(close) => Err(close.into()),
        }
    }
}

fn check_query(query: &[(String, String)]) -> Result<(), Close> {
    let get = |name: &str| query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    if get("v") != Some("10") {
        return Err(Close::InvalidVersion);
    }
    if get("encoding").is_some_and(|encoding| encoding != "json") || get("compress").is_some() {
        tracing::error!("The sandbox plays the gateway only as JSON without compression");
        return Err(Close::DecodeError);
    }
    Ok(())
}
