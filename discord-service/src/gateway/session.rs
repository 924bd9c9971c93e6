//! One connection of one shard, from HELLO to its end.

use std::{ops::ControlFlow, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    close_codes::{self, Closed},
    connection::{Farewell, GatewayConnection, Received},
    context::ActiveShard,
    heartbeat::Heartbeat,
    identify_slots::IdentifySlot,
    interaction::InteractionCreate,
    protocol::{self, Envelope, Hello, Identify, MessageCreate, Presence, Properties, Ready, Resume, op},
    reconnect_backoff::ConnectionOutcome,
    reopening_events,
    resumable::Resumable,
};

/// For HELLO to come, and for READY or RESUMED after it.
const GREETING_TIMEOUT: Duration = Duration::from_secs(20);

/// How to begin on a new connection.
#[derive(Debug)]
pub(super) enum Greeting {
    /// Continue the session that is resumable.
    Resume,
    /// Begin a new session.
    Identify {
        /// The right to do so.
        slot: IdentifySlot,
        /// Whether to ask for the MESSAGE_CONTENT intent.
        with_content: bool,
    },
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum SessionEnd {
    /// We were told to stop, and closed it.
    Stopped,
    /// Discord closed it, or asked us to.
    Closed {
        /// What Discord asks for.
        asks: Closed,
        /// How it said so, for the operator.
        words: String,
    },
    /// Nothing is certain about the other side.
    Lost(anyhow::Error),
}

impl SessionEnd {
    fn closed(code: Option<u16>) -> Self {
        let words = match code {
            Some(code) => format!("closed with {code} ({})", close_codes::words(code)),
            None => "closed without a word".to_owned(),
        };
        Self::Closed { asks: Closed::of(code), words }
    }

    fn asked(asks: Closed, words: &str) -> Self {
        Self::Closed { asks, words: words.to_owned() }
    }
}

/// How the bot greeted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Greeted {
    Not,
    Resume,
    Identify,
}

/// One connection's state.
struct Session<'a> {
    connection: GatewayConnection,
    shard: &'a ActiveShard<'a>,
    heartbeat: Heartbeat,
    greeted: Greeted,
    /// READY or RESUMED came then.
    up_since: Option<Instant>,
    /// It must have come by then.
    up_by: Instant,
}

/// Connects to `url`, resumes the shard's session or begins a new one, and hands on
/// events until the connection ends.
pub(super) async fn run(
    shard: &ActiveShard<'_>,
    url: &str,
    greeting: Greeting,
) -> (SessionEnd, ConnectionOutcome) {
    let opened = tokio::select! {
        () = shard.lease.stop().cancelled() => return (SessionEnd::Stopped, ConnectionOutcome::Unreached),
        opened = open(url) => opened,
    };
    let (connection, heartbeat) = match opened {
        Ok(opened) => opened,
        Err(error) => return (SessionEnd::Lost(error), ConnectionOutcome::Unreached),
    };
    let (greeted, up_since, up_by) = (Greeted::Not, None, Instant::now() + GREETING_TIMEOUT);
    let mut session = Session { connection, shard, heartbeat, greeted, up_since, up_by };
    let end = match session.greet(greeting).await {
        Ok(()) => session.serve().await,
        Err(error) => SessionEnd::Lost(error),
    };
    let outcome = session.outcome(&end);
    let farewell = match end {
        // Nobody can go on with a session that has not said READY. One that was
        // about to be resumed goes on elsewhere.
        SessionEnd::Stopped if shard.progress.session.borrow().is_none() || !shard.lease.has_heir() => {
            shard.progress.session.send_replace(None);
            Farewell::EndSession
        }
        _ => Farewell::KeepSession,
    };
    session.connection.close(farewell).await;
    (end, outcome)
}

/// Connects and waits for HELLO.
async fn open(url: &str) -> anyhow::Result<(GatewayConnection, Heartbeat)> {
    let mut connection = GatewayConnection::open(url).await?;
    let hello = timeout(GREETING_TIMEOUT, connection.next()).await.context("no HELLO in time")?;
    let text = match hello {
        Received::Text(text) => text,
        Received::Closed { code: Some(code), .. } => bail!("closed with {code} before HELLO"),
        Received::Closed { code: None, .. } => bail!("closed before HELLO"),
    };
    let envelope: Envelope = serde_json::from_str(&text).context("no HELLO")?;
    if envelope.op != op::HELLO {
        bail!("opcode {} where HELLO should be", envelope.op);
    }
    let hello: Hello = protocol::data(&text).context("no HELLO")?;
    Ok((connection, Heartbeat::every(hello.heartbeat_interval)))
}

impl Session<'_> {
    async fn greet(&mut self, greeting: Greeting) -> anyhow::Result<()> {
        let token = self.shard.context.discord.token().expose_secret();
        let resumable = self.shard.progress.session.borrow().clone();
        match (greeting, resumable) {
            (Greeting::Resume, Some(Resumable { session_id, seq, .. })) => {
                self.greeted = Greeted::Resume;
                let resume = Resume { token, session_id: &session_id, seq };
                self.connection.send(op::RESUME, resume).await
            }
            (Greeting::Resume, None) => bail!("there is no session to resume"),
            (Greeting::Identify { slot, with_content }, _) => {
                let identify = Identify {
                    token,
                    shard: [self.shard.id.id, self.shard.id.total],
                    intents: protocol::intents(with_content),
                    properties: Properties::new(),
                    presence: Presence::playing(&self.shard.context.game),
                };
                slot.spend().await?;
                self.greeted = Greeted::Identify;
                self.connection.send(op::IDENTIFY, identify).await
            }
        }
    }

    /// What came of the connection that ended so.
    fn outcome(&self, end: &SessionEnd) -> ConnectionOutcome {
        let session_over = matches!(end, SessionEnd::Closed { asks: Closed::Identify, .. });
        match (self.up_since, self.greeted) {
            (Some(since), _) => ConnectionOutcome::Up(since.elapsed()),
            (None, Greeted::Not) => ConnectionOutcome::Unreached,
            (None, Greeted::Identify) => ConnectionOutcome::InVain,
            (None, Greeted::Resume) if session_over => ConnectionOutcome::SessionOver,
            (None, Greeted::Resume) => ConnectionOutcome::Unresumed,
        }
    }

    async fn serve(&mut self) -> SessionEnd {
        loop {
            let went_on = tokio::select! {
                () = self.shard.lease.stop().cancelled() => return SessionEnd::Stopped,
                () = sleep_until(self.heartbeat.due) => self.beat().await,
                () = sleep_until(self.up_by), if self.up_since.is_none() => Err(anyhow!("neither READY nor RESUMED in time")),
                received = self.connection.next() => match received {
                    Received::Text(text) => self.receive(&text).await,
                    Received::Closed { code, reason } => {
                        // Somebody else's words: as they came, but quoted.
                        let words = code.map(close_codes::words);
                        tracing::info!(shard.id = self.shard.id.id, code, words, ?reason, "the gateway's connection was closed");
                        return SessionEnd::closed(code);
                    }
                },
            };
            match went_on {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(end)) => return end,
                Err(error) => return SessionEnd::Lost(error),
            }
        }
    }

    async fn beat(&mut self) -> anyhow::Result<ControlFlow<SessionEnd>> {
        self.heartbeat.begin()?;
        self.send_heartbeat().await?;
        Ok(ControlFlow::Continue(()))
    }

    async fn send_heartbeat(&mut self) -> anyhow::Result<()> {
        let seq = self.shard.progress.session.borrow().as_ref().map(|session| session.seq);
        self.connection.send(op::HEARTBEAT, seq).await
    }

    async fn receive(&mut self, text: &str) -> anyhow::Result<ControlFlow<SessionEnd>> {
        let envelope: Envelope = serde_json::from_str(text).context("a message without opcode")?;
        match envelope.op {
            op::DISPATCH => self.dispatch(&envelope, text),
            op::HEARTBEAT => self.send_heartbeat().await?,
            op::HEARTBEAT_ACK => self.heartbeat.answered(),
            op::RECONNECT => {
                let end = SessionEnd::asked(Closed::Resume, "Discord asked to connect again");
                return Ok(ControlFlow::Break(end));
            }
            op::INVALID_SESSION => {
                let resumable = protocol::data(text).unwrap_or(false);
                let asks = if resumable { Closed::Resume } else { Closed::Identify };
                return Ok(ControlFlow::Break(SessionEnd::asked(
                    asks,
                    "Discord says that the session is not valid",
                )));
            }
            other => tracing::debug!(opcode = other, "unknown gateway opcode"),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The shard receives events from now on.
    fn came_up(&mut self) {
        self.up_since = Some(Instant::now());
        self.shard.context.status.up(self.shard.id);
    }

    fn dispatch(&mut self, envelope: &Envelope, text: &str) {
        self.shard.progress.session.send_if_modified(|session| match (session, envelope.s) {
            (Some(session), Some(seq)) => std::mem::replace(&mut session.seq, seq) != seq,
            _ => false,
        });
        let name = envelope.t.as_deref().unwrap_or_default();
        let read = match name {
            "READY" => protocol::data(text).map(|ready: Ready| {
                let session = Resumable::new(ready, envelope.s.unwrap_or_default());
                self.shard.progress.session.send_replace(Some(session));
                self.came_up();
            }),
            "RESUMED" => {
                self.came_up();
                Ok(())
            }
            "MESSAGE_CREATE" => protocol::data(text).map(|message: MessageCreate| {
                if let Some((bot, handling)) = self.shard.progress.handle() {
                    self.shard.context.events.take(message, bot, self.shard.lease.fence(), handling);
                }
            }),
            "INTERACTION_CREATE" => protocol::data(text).map(|interaction: InteractionCreate| {
                if let Some((bot, handling)) = self.shard.progress.handle() {
                    self.shard.context.events.invoke(interaction, bot, self.shard.lease.fence(), handling);
                }
            }),
            _ => reopening_events::read(name, text).map(|change| {
                if let Some(change) = change
                    && let Some((bot, handling)) = self.shard.progress.handle()
                    && let Some(reopening) = change.reopening(bot)
                {
                    self.shard.context.reopenings.add(reopening, handling);
                }
            }),
        };
        if let Err(error) = read {
            tracing::warn!(shard.id = self.shard.id.id, event = name, %error, "cannot read an event of the gateway");
        }
    }
}
