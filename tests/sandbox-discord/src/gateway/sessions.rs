//! The sessions of all shards, connected or waiting to be resumed.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use super::op;

/// What the rest of the sandbox tells a connection to do.
#[derive(Debug, Clone)]
pub(crate) enum Order {
    /// Send this payload.
    Send(Value),
    /// Close with this code.
    Close(u16, &'static str),
    /// Break the connection without a word.
    Cut,
}

/// A live connection, of a session or about to identify.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) connection: u64,
    /// Where the client found the gateway, `host:port`.
    pub(crate) host: String,
    pub(crate) orders: UnboundedSender<Order>,
}

/// A session as a test sees it.
#[derive(Debug, Clone, Serialize)]
pub struct SessionInfo {
    /// Its id.
    pub id: String,
    /// Its shard, and how many there are.
    pub shard: (u32, u32),
    /// The intents it asked for.
    pub intents: u64,
    /// Whether it is connected. If not, it waits to be resumed.
    pub connected: bool,
    /// The presence it shows, as it was sent.
    pub presence: Value,
}

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) info: SessionInfo,
    sequence: u64,
    /// The latest events, for a resume, and how many at most.
    history: VecDeque<(u64, Value)>,
    history_max: usize,
    link: Option<Link>,
    lost_at: Option<Instant>,
}

impl Session {
    pub(crate) fn new(info: SessionInfo, link: Link, history_max: usize) -> Self {
        let history = VecDeque::new();
        Self { info, sequence: 0, history, history_max, link: Some(link), lost_at: None }
    }

    pub(crate) fn id(&self) -> &str {
        &self.info.id
    }

    pub(crate) fn wants(&self, intent: u64) -> bool {
        self.info.intents & intent == intent
    }

    /// Whether this shard gets events of this guild. Shard 0 gets private ones.
    pub(crate) fn serves(&self, guild: Option<u64>) -> bool {
        let (shard, total) = self.info.shard;
        (guild.unwrap_or_default() >> 22) % u64::from(total.max(1)) == u64::from(shard)
    }

    pub(crate) fn dispatch(&mut self, event: &str, data: Value) {
        self.sequence += 1;
        let payload = json!({ "op": op::DISPATCH, "s": self.sequence, "t": event, "d": data });
        self.send(payload.clone());
        self.history.push_back((self.sequence, payload));
        if self.history.len() > self.history_max {
            self.history.pop_front();
        }
    }

    /// Whether all events after this one are still there.
    fn remembers(&self, sequence: u64) -> bool {
        let oldest = self.history.front().map_or(self.sequence + 1, |(number, _)| *number);
        sequence + 1 >= oldest
    }

    pub(crate) fn order(&self, order: Order) {
        if let Some(link) = &self.link {
            // If the connection is gone, the session can be resumed.
            let _ = link.orders.send(order);
        }
    }

    fn send(&self, payload: Value) {
        self.order(Order::Send(payload));
    }

    /// Goes on over a new connection after the event `sequence`.
    fn resume(&mut self, sequence: u64, link: Link) {
        self.order(Order::Cut);
        self.link = Some(link);
        self.lost_at = None;
        self.info.connected = true;
        // The beginning of an earlier connection is not repeated.
        let news = |payload: &Value| payload["t"] != "READY" && payload["t"] != "RESUMED";
        let missed = self.history.iter().filter(|(number, payload)| *number > sequence && news(payload));
        let missed: Vec<_> = missed.map(|(_, payload)| payload.clone()).collect();
        missed.into_iter().for_each(|payload| self.send(payload));
        self.dispatch("RESUMED", json!({ "_trace": ["sandbox"] }));
    }
}

/// How a RESUME went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Resumption {
    Done,
    UnknownSession,
    /// Not all events since are still there.
    TooOld,
    InvalidSequence,
}

/// The identifies of the current day, which begins with its first.
#[derive(Debug, Default)]
pub(crate) struct Day {
    began: Option<Instant>,
    identifies: u32,
}

impl Day {
    /// How many were used, and when they are forgotten.
    pub(crate) fn used(&mut self, length: Duration) -> (u32, Duration) {
        let left = self.began.and_then(|began| length.checked_sub(began.elapsed()));
        match left {
            Some(left) => (self.identifies, left),
            None => {
                *self = Self::default();
                (0, Duration::ZERO)
            }
        }
    }

    pub(crate) fn count(&mut self, length: Duration) {
        if self.used(length).1.is_zero() {
            self.began = Some(Instant::now());
        }
        self.identifies += 1;
    }
}

/// All sessions of the bot.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) all: Vec<Session>,
    pub(crate) day: Day,
    /// Whether heartbeats are acknowledged.
    pub(crate) acknowledging: bool,
    last_identify: BTreeMap<u32, Instant>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { all: Vec::new(), day: Day::default(), acknowledging: true, last_identify: BTreeMap::new() }
    }
}

impl Sessions {
    pub(crate) fn by_connection(&mut self, connection: u64) -> Option<&mut Session> {
        let owns =
            |session: &&mut Session| session.link.as_ref().is_some_and(|link| link.connection == connection);
        self.all.iter_mut().find(owns)
    }

    pub(crate) fn infos(&self) -> Vec<SessionInfo> {
        self.all.iter().map(|session| session.info.clone()).collect()
    }

    pub(crate) fn shard_of(&self, id: &str) -> Option<(u32, u32)> {
        self.all.iter().find(|session| session.info.id == id).map(|session| session.info.shard)
    }

    /// Drops the sessions that can no longer be resumed.
    pub(crate) fn forget_lost(&mut self, window: Duration) {
        self.all.retain(|session| session.lost_at.is_none_or(|at| at.elapsed() <= window));
    }

    /// Connected sessions of one shard.
    pub(crate) fn alive(&self, shard: (u32, u32)) -> usize {
        self.all.iter().filter(|session| session.info.connected && session.info.shard == shard).count()
    }

    /// Takes the identify slot of this shard. If it is taken, returns for how
    /// long.
    pub(crate) fn take_slot(
        &mut self,
        shard: u32,
        max_concurrency: u32,
        window: Duration,
    ) -> Result<(), Duration> {
        let slot = shard % max_concurrency.max(1);
        let now = Instant::now();
        if let Some(last) = self.last_identify.get(&slot)
            && let Some(left) = window.checked_sub(now.duration_since(*last))
            && !left.is_zero()
        {
            return Err(left);
        }
        self.last_identify.insert(slot, now);
        Ok(())
    }

    pub(crate) fn resume(&mut self, id: &str, sequence: u64, link: Link, window: Duration) -> Resumption {
        let fresh = |session: &Session| session.lost_at.is_none_or(|at| at.elapsed() <= window);
        let found = self.all.iter_mut().find(|session| session.info.id == id && fresh(session));
        let Some(session) = found else {
            return Resumption::UnknownSession;
        };
        if sequence > session.sequence {
            self.forget(id);
            return Resumption::InvalidSequence;
        }
        if !session.remembers(sequence) {
            self.forget(id);
            return Resumption::TooOld;
        }
        session.resume(sequence, link);
        Resumption::Done
    }

    /// Notes that the connection is gone. Its session is too, or can be
    /// resumed.
    pub(crate) fn lose(&mut self, connection: u64, for_good: bool) {
        if let Some(session) = self.by_connection(connection) {
            session.link = None;
            session.lost_at = Some(Instant::now());
            session.info.connected = false;
            let id = session.info.id.clone();
            if for_good {
                self.forget(&id);
            }
        }
    }

    pub(crate) fn order_all(&self, order: &Order) {
        self.all.iter().for_each(|session| session.order(order.clone()));
    }

    pub(crate) fn reconnect_all(&self) {
        self.order_all(&Order::Send(json!({ "op": op::RECONNECT, "d": null })));
    }

    /// Tells every session that it is invalid. A session that is not resumable
    /// is forgotten.
    pub(crate) fn invalidate_all(&mut self, resumable: bool) {
        self.order_all(&Order::Send(invalid_session(resumable)));
        if !resumable {
            self.all.clear();
        }
    }

    /// Ends a session for good.
    pub(crate) fn forget(&mut self, id: &str) {
        self.all.retain(|session| session.info.id != id);
    }
}

/// INVALID SESSION.
pub(crate) fn invalid_session(resumable: bool) -> Value {
    json!({ "op": op::INVALID_SESSION, "d": resumable })
}
