//! One WebSocket connection, with a time limit on everything that waits for
//! the other side.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use futures::{SinkExt as _, StreamExt as _};
use serde::Serialize;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{
        self,
        client::IntoClientRequest as _,
        http::{HeaderValue, header::USER_AGENT},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};
use url::Url;

use super::protocol::{Message, QUERY};
use crate::discord;

/// For DNS, TCP, TLS and the upgrade.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For a message of ours to leave.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// For Discord's answer to our closing.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Says "the session goes on": Discord ends a session on 1000 and 1001.
const KEEP_SESSION: u16 = 4900;

/// An open connection.
pub(super) struct GatewayConnection(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What came in.
#[derive(Debug)]
pub(super) enum Received {
    /// A message.
    Text(String),
    /// The end.
    Closed {
        /// Discord's code, if it gave one.
        code: Option<u16>,
        /// Discord's words, often none.
        reason: String,
    },
}

/// How we close.
#[derive(Debug, Clone, Copy)]
pub(super) enum Farewell {
    /// The session is over: the bot shows as offline.
    EndSession,
    /// The session will be resumed.
    KeepSession,
}

impl GatewayConnection {
    pub(super) async fn open(gateway: &str) -> anyhow::Result<Self> {
        let mut url = Url::parse(gateway).context("Discord's gateway address is no URL")?;
        url.set_query(Some(QUERY));
        let mut request = url.into_client_request().context("Discord's gateway address is no WebSocket's")?;
        request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(discord::USER_AGENT));
        let (stream, _) = timeout(CONNECT_TIMEOUT, connect_async(request))
            .await
            .map_err(|_| anyhow!("no connection in time"))?
            .context("no connection")?;
        Ok(Self(stream))
    }

    /// The next message. Safe to drop while it waits.
    pub(super) async fn next(&mut self) -> Received {
        loop {
            return match self.0.next().await {
                Some(Ok(tungstenite::Message::Text(text))) => Received::Text(text),
                Some(Ok(tungstenite::Message::Close(Some(CloseFrame { code, reason })))) => {
                    Received::Closed { code: Some(code.into()), reason: reason.into_owned() }
                }
                Some(Ok(tungstenite::Message::Close(None)) | Err(_)) | None => {
                    Received::Closed { code: None, reason: String::new() }
                }
                // Binary is compressed data, which we never ask for; pings are answered within.
                Some(Ok(_)) => continue,
            };
        }
    }

    pub(super) async fn send<T: Serialize>(&mut self, op: u8, data: T) -> anyhow::Result<()> {
        let text = serde_json::to_string(&Message { op, d: data })?;
        timeout(WRITE_TIMEOUT, self.0.send(tungstenite::Message::Text(text)))
            .await
            .map_err(|_| anyhow!("a message did not leave in time"))?
            .context("cannot write")
    }

    /// Closes. At the end of a session this waits shortly until the other side
    /// knows. A session that goes on has no such wait, because its successor
    /// waits to resume it.
    pub(super) async fn close(mut self, farewell: Farewell) {
        let code = match farewell {
            Farewell::EndSession => CloseCode::Normal,
            Farewell::KeepSession => CloseCode::from(KEEP_SESSION),
        };
        let frame = CloseFrame { code, reason: "".into() };
        let closing = async {
            if self.0.close(Some(frame)).await.is_ok() && matches!(farewell, Farewell::EndSession) {
                while let Some(Ok(_)) = self.0.next().await {}
            }
        };
        // Dropping it closes it as well.
        let _ = timeout(CLOSE_TIMEOUT, closing).await;
    }
}
