//! One connection of one shard, from HELLO to its end.

use std::{collections::BTreeSet, ops::ControlFlow, time::Duration};

use anyhow::{Context as _, anyhow, bail};
use rand::Rng as _;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{
    Context, ShardId,
    connection::{Connection, Farewell, Received},
    interaction::InteractionCreate,
    slots::Slot,
    unfinished::{Handling, Unfinished},
    wire::{self, Closed, Envelope, Hello, Identify, MessageCreate, Presence, Properties, Ready, Resume, op},
};
use crate::lease::Lease;

/// For HELLO to come, and for READY or RESUMED after it.
const GREETING_TIMEOUT: Duration = Duration::from_secs(20);
/// A session is resumed from another connection when no heartbeat was answered
/// until the next is due, so an interval out of all proportion must not count.
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(120);

/// What it takes to continue a session after its connection broke, from any pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Resumable {
    pub(super) url: String,
    session_id: String,
    seq: u64,
    bot: u64,
    /// Up to here a predecessor has heard …
    #[serde(default)]
    heard: u64,
    /// … and handled all but these.
    #[serde(default)]
    left: BTreeSet<u64>,
}

/// How far a shard is, kept by the caller beyond a connection.
pub(super) struct Progress {
    /// The session, while there is one.
    pub(super) session: watch::Sender<Option<Resumable>>,
    /// What of it is still being handled.
    pub(super) unfinished: Unfinished,
}

impl Resumable {
    /// A session that has just begun.
    fn new(ready: Ready, seq: u64) -> Self {
        let Ready { resume_gateway_url: url, session_id, user } = ready;
        Self { url, session_id, seq, bot: user.id, heard: 0, left: BTreeSet::new() }
    }

    /// The same session for a successor, who hears again what is being handled.
    pub(super) fn leaving(mut self, unfinished: BTreeSet<u64>) -> Self {
        // What a predecessor left may not all have been heard again.
        self.left.retain(|event| *event > self.seq);
        self.left.extend(unfinished);
        self.heard = self.heard.max(self.seq);
        self.seq = self.left.first().map_or(self.seq, |first| self.seq.min(first.saturating_sub(1)));
        self
    }

    /// Whether the event of this number was handled by a predecessor. To do it again
    /// would undo what came after it.
    fn was_handled(&self, event: u64) -> bool {
        event <= self.heard && !self.left.contains(&event)
    }
}

/// How to begin on a new connection.
#[derive(Debug)]
pub(super) enum Greeting {
    /// Continue the session that is resumable.
    Resume,
    /// Begin a new session.
    Identify {
        /// The right to do so.
        slot: Slot,
        /// Whether to ask for the MESSAGE_CONTENT intent.
        with_content: bool,
    },
}

/// How a connection ended.
#[derive(Debug)]
pub(super) enum End {
    /// We were told to stop, and closed it.
    Stopped,
    /// Discord closed it, or asked us to.
    Closed(Closed),
    /// Nothing is certain about the other side.
    Lost(anyhow::Error),
}

/// One connection's state.
struct Session<'a> {
    connection: Connection,
    context: &'a Context,
    shard: ShardId,
    lease: &'a Lease,
    progress: &'a Progress,
    heartbeat: Heartbeat,
    is_up: bool,
    /// READY or RESUMED must have come by then.
    up_by: Instant,
}

/// When to send heartbeats, and whether they are answered.
struct Heartbeat {
    interval: Duration,
    due: Instant,
    /// The last one that no answer has come to.
    unanswered_since: Option<Instant>,
}

/// Connects to `url`, resumes the session in `progress` or puts a new one
/// there, and hands on messages until the connection ends. Calls `up` once the
/// shard receives events.
pub(super) async fn run(
    url: &str,
    greeting: Greeting,
    shard: ShardId,
    context: &Context,
    progress: &Progress,
    lease: &Lease,
    up: impl FnOnce(),
) -> End {
    let opened = tokio::select! {
        () = lease.stop().cancelled() => return End::Stopped,
        opened = open(url) => opened,
    };
    let (connection, heartbeat) = match opened {
        Ok(opened) => opened,
        Err(error) => return End::Lost(error),
    };
    let up_by = Instant::now() + GREETING_TIMEOUT;
    let mut session = Session { connection, context, shard, lease, progress, heartbeat, is_up: false, up_by };
    let end = match session.greet(greeting).await {
        Ok(()) => session.serve(up).await,
        Err(error) => End::Lost(error),
    };
    let farewell = match end {
        // Nobody can go on with a session that has not said READY. One that was
        // about to be resumed goes on elsewhere.
        End::Stopped if progress.session.borrow().is_none() || !lease.has_heir() => {
            progress.session.send_replace(None);
            Farewell::EndSession
        }
        _ => Farewell::KeepSession,
    };
    session.connection.close(farewell).await;
    end
}

/// Connects and waits for HELLO.
async fn open(url: &str) -> anyhow::Result<(Connection, Heartbeat)> {
    let mut connection = Connection::open(url).await?;
    let hello = timeout(GREETING_TIMEOUT, connection.next()).await.context("no HELLO in time")?;
    let Received::Text(text) = hello else {
        bail!("closed before HELLO");
    };
    let envelope: Envelope = serde_json::from_str(&text).context("no HELLO")?;
    if envelope.op != op::HELLO {
        bail!("opcode {} where HELLO should be", envelope.op);
    }
    let hello: Hello = wire::data(&text).context("no HELLO")?;
    let interval = Duration::from_millis(hello.heartbeat_interval.max(1)).min(LONGEST_HEARTBEAT);
    // The first one at random, so that a reconnecting crowd spreads out.
    let due = Instant::now() + interval.mul_f64(rand::rng().random());
    Ok((connection, Heartbeat { interval, due, unanswered_since: None }))
}

impl Session<'_> {
    async fn greet(&mut self, greeting: Greeting) -> anyhow::Result<()> {
        let token = self.context.discord.token().expose_secret();
        let resumable = self.progress.session.borrow().clone();
        match (greeting, resumable) {
            (Greeting::Resume, Some(Resumable { session_id, seq, .. })) => {
                let resume = Resume { token, session_id: &session_id, seq };
                self.connection.send(op::RESUME, resume).await
            }
            (Greeting::Resume, None) => bail!("there is no session to resume"),
            (Greeting::Identify { slot, with_content }, _) => {
                let identify = Identify {
                    token,
                    shard: [self.shard.id, self.shard.total],
                    intents: wire::intents(with_content),
                    properties: Properties::new(),
                    presence: Presence::playing(&self.context.game),
                };
                slot.spend().await?;
                self.connection.send(op::IDENTIFY, identify).await
            }
        }
    }

    async fn serve(&mut self, up: impl FnOnce()) -> End {
        let mut up = Some(up);
        loop {
            let went_on = tokio::select! {
                () = self.lease.stop().cancelled() => return End::Stopped,
                () = sleep_until(self.heartbeat.due) => self.beat().await,
                () = sleep_until(self.up_by), if !self.is_up => Err(anyhow!("neither READY nor RESUMED in time")),
                received = self.connection.next() => match received {
                    Received::Text(text) => self.receive(&text).await,
                    Received::Closed(code) => return End::Closed(Closed::of(code)),
                },
            };
            match went_on {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(closed)) => return End::Closed(closed),
                Err(error) => return End::Lost(error),
            }
            if self.is_up
                && let Some(up) = up.take()
            {
                up();
            }
        }
    }

    async fn beat(&mut self) -> anyhow::Result<ControlFlow<Closed>> {
        if self.heartbeat.unanswered_since.is_some() {
            bail!("the last heartbeat was not answered");
        }
        self.heartbeat.unanswered_since = Some(Instant::now());
        self.heartbeat.due = Instant::now() + self.heartbeat.interval;
        self.send_heartbeat().await?;
        Ok(ControlFlow::Continue(()))
    }

    async fn send_heartbeat(&mut self) -> anyhow::Result<()> {
        let seq = self.progress.session.borrow().as_ref().map(|session| session.seq);
        self.connection.send(op::HEARTBEAT, seq).await
    }

    async fn receive(&mut self, text: &str) -> anyhow::Result<ControlFlow<Closed>> {
        let envelope: Envelope = serde_json::from_str(text).context("a message without opcode")?;
        match envelope.op {
            op::DISPATCH => self.dispatch(&envelope, text),
            op::HEARTBEAT => self.send_heartbeat().await?,
            op::HEARTBEAT_ACK => {
                if let Some(sent) = self.heartbeat.unanswered_since.take() {
                    metrics::histogram!("sentry_bot_gateway_heartbeat_seconds").record(sent.elapsed());
                }
            }
            op::RECONNECT => return Ok(ControlFlow::Break(Closed::Resume)),
            op::INVALID_SESSION => {
                let resumable = wire::data(text).unwrap_or(false);
                let closed = if resumable { Closed::Resume } else { Closed::Identify };
                return Ok(ControlFlow::Break(closed));
            }
            other => tracing::debug!(opcode = other, "unknown gateway opcode"),
        }
        Ok(ControlFlow::Continue(()))
    }

    fn dispatch(&mut self, envelope: &Envelope, text: &str) {
        self.progress.session.send_if_modified(|session| match (session, envelope.s) {
            (Some(session), Some(seq)) => std::mem::replace(&mut session.seq, seq) != seq,
            _ => false,
        });
        let name = envelope.t.as_deref().unwrap_or_default();
        let read = match name {
            "READY" => wire::data(text).map(|ready: Ready| {
                let session = Resumable::new(ready, envelope.s.unwrap_or_default());
                self.progress.session.send_replace(Some(session));
                self.is_up = true;
            }),
            "RESUMED" => {
                self.is_up = true;
                Ok(())
            }
            "MESSAGE_CREATE" => wire::data(text).map(|message: MessageCreate| {
                if let Some((bot, handling)) = self.handle() {
                    self.context.intake.take(message, bot, self.lease.fence(), handling);
                }
            }),
            "INTERACTION_CREATE" => wire::data(text).map(|interaction: InteractionCreate| {
                if let Some((bot, handling)) = self.handle() {
                    self.context.intake.invoke(interaction, bot, self.lease.fence(), handling);
                }
            }),
            _ => Ok(()),
        };
        if let Err(error) = read {
            tracing::warn!(event = name, %error, "cannot read an event of the gateway");
        }
    }

    /// Begins to handle the event that came last, and says as which bot; `None`
    /// where that is done.
    fn handle(&self) -> Option<(u64, Handling)> {
        let session = self.progress.session.borrow();
        let session = session.as_ref().filter(|session| !session.was_handled(session.seq))?;
        Some((session.bot, self.progress.unfinished.begin(session.seq)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Resumable {
        let user = serde_json::from_str(r#"{"id":"1"}"#).expect("a user");
        let ready = Ready { session_id: "s".to_owned(), resume_gateway_url: "ws://x".to_owned(), user };
        Resumable::new(ready, 7)
    }

    /// The events up to the tenth that a successor hears again, and those of them that it handles.
    fn heard_again(kept: &Resumable) -> (Vec<u64>, Vec<u64>) {
        let again = kept.seq + 1..=10;
        (again.clone().collect(), again.filter(|event| !kept.was_handled(*event)).collect())
    }

    #[test]
    fn a_successor_handles_what_was_left_and_what_is_new() {
        assert_eq!(heard_again(&session().leaving([].into())), (vec![8, 9, 10], vec![8, 9, 10]));
        let kept = session().leaving([5].into());
        assert_eq!(heard_again(&kept), (vec![5, 6, 7, 8, 9, 10], vec![5, 8, 9, 10]));
    }

    #[test]
    fn a_successor_that_dies_while_it_hears_again_leaves_the_rest_to_the_next() {
        let mut second = Resumable { seq: 10, ..session() }.leaving([3, 9].into());
        second.seq = 5;
        assert_eq!(heard_again(&second.clone().leaving([3].into())).1, [3, 9]);
        assert_eq!(heard_again(&second.leaving([].into())), (vec![6, 7, 8, 9, 10], vec![9]));
    }
}
