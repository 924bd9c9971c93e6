//! NATS, Discord and the store in memory. Something may go wrong before and
//! after each call, and the process may die after each write.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use anyhow::anyhow;
use bytes::Bytes;
use serde_json::Value;
use shared::{Alert, ChannelId, wire};
use tokio::{
    sync::Notify,
    time::{Instant, sleep},
};

use super::{choices::Choices, discord::Held};
use crate::{delivery::ports::Copy, rules::ChannelRules};

/// The time in the world, which the paused clock of the test moves.
pub(super) fn now_ms() -> i64 {
    thread_local!(static BEGAN: Instant = Instant::now());
    BEGAN.with(|began| began.elapsed().as_millis() as i64)
}

/// The buckets that a lane writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    Lanes,
    Messages,
    Routed,
}

/// An alert in the stream.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) subject: String,
    /// Its `Nats-Msg-Id`, if a rule sent it.
    pub(super) id: Option<String>,
    pub(super) payload: Bytes,
}

/// A message of Discord, with what it shows now.
#[derive(Debug, Clone)]
pub(super) struct FakeMessage {
    pub(super) channel: ChannelId,
    pub(super) content: String,
    pub(super) embeds: Vec<Value>,
    pub(super) exists: bool,
}

/// Which posts fail, until when, and whether Discord answers them with a 4xx.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fails {
    pub(super) text: &'static str,
    pub(super) until: Option<Instant>,
    pub(super) answered_4xx: bool,
}

/// What survives a process, and what will go wrong.
pub(super) struct FakeState {
    pub(super) choices: Choices,
    /// The process is dead, so it gets no answers.
    dead: bool,
    pub(super) stream: BTreeMap<u64, Waiting>,
    /// The ids that JetStream knows now.
    pub(super) copy_ids: BTreeSet<String>,
    /// How many alerts may wait in the target.
    pub(super) room_in_target: usize,
    /// How often the leader was asked for one message of each subject.
    pub(super) asked: BTreeMap<String, usize>,
    /// The rules and mutes of each channel.
    pub(super) rules: BTreeMap<ChannelId, Arc<ChannelRules>>,
    pub(super) last: u64,
    /// The dead letters that were put back.
    pub(super) alert_ids: BTreeSet<u64>,
    pub(super) buckets: BTreeMap<(Name, String), (u64, Option<Bytes>)>,
    pub(super) revision: u64,
    pub(super) letters: BTreeMap<u64, (String, Bytes)>,
    pub(super) last_letter: u64,
    pub(super) letter_ids: BTreeSet<String>,
    pub(super) messages: BTreeMap<u64, FakeMessage>,
    pub(super) nonces: BTreeMap<String, u64>,
    /// The messages whose stack trace is kept.
    pub(super) stack_traces: BTreeSet<u64>,
    /// How many alerts waited in the channel when each post began.
    pub(super) waited_at_posts: Vec<usize>,
    /// Everything that a message ever showed.
    pub(super) seen: Vec<String>,
    /// How many posts Discord refused.
    pub(super) refusals: usize,
    /// The posts before this one find the channel closed.
    pub(super) closed_until: usize,
    /// How many posts found the channel closed by chance.
    pub(super) unlucky: usize,
    /// How often a channel was found not authorized by chance.
    pub(super) denied: usize,
    /// The channel in which Discord does not let the bot post.
    pub(super) closed: Option<ChannelId>,
    /// The channel whose posts get no answer, or no room in Discord's limits.
    pub(super) held: Option<(ChannelId, Held)>,
    /// How often somebody has waited for that.
    pub(super) holding: usize,
    /// Posts that are never confirmed.
    pub(super) fails: Option<Fails>,
    /// Whether Discord's other answers are good meanwhile.
    pub(super) others_succeed: bool,
    /// Whether requests may be sent that Discord will perhaps refuse.
    pub(super) may_be_refused: bool,
    /// What Discord refuses: posts that contain this text.
    pub(super) refuses: Option<&'static str>,
    /// The rules of a channel after the next refusal.
    pub(super) rules_after_refusal: Option<(ChannelId, Arc<ChannelRules>)>,
    /// Until when Discord confirms no edit.
    pub(super) edits_fail_until: Option<Instant>,
    /// How many alerts a process has room for. A new process has all of it.
    pub(super) room: Option<(usize, usize)>,
}

pub(super) struct FakeWorld {
    inner: Mutex<FakeState>,
    crash: Notify,
}

/// What may go wrong with a write, besides the death of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// It is done, but its answer is lost.
    Plain,
    /// The same, or it is done only after the call that runs beside it.
    Beside,
}

impl FakeWorld {
    pub(super) fn new(choices: Choices) -> Arc<Self> {
        let inner = FakeState {
            choices,
            dead: false,
            stream: BTreeMap::new(),
            copy_ids: BTreeSet::new(),
            room_in_target: usize::MAX,
            asked: BTreeMap::new(),
            rules: BTreeMap::new(),
            last: 0,
            alert_ids: BTreeSet::new(),
            buckets: BTreeMap::new(),
            revision: 0,
            letters: BTreeMap::new(),
            last_letter: 0,
            letter_ids: BTreeSet::new(),
            messages: BTreeMap::new(),
            nonces: BTreeMap::new(),
            stack_traces: BTreeSet::new(),
            waited_at_posts: Vec::new(),
            seen: Vec::new(),
            refusals: 0,
            closed_until: 0,
            unlucky: 0,
            denied: 0,
            closed: None,
            held: None,
            holding: 0,
            fails: None,
            others_succeed: true,
            may_be_refused: true,
            refuses: None,
            rules_after_refusal: None,
            edits_fail_until: None,
            room: None,
        };
        Arc::new(Self { inner: Mutex::new(inner), crash: Notify::new() })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, FakeState> {
        self.inner.lock().expect("no panic while held")
    }

    /// Returns when the process dies. Then another may begin.
    pub(super) async fn crashed(&self) {
        self.crash.notified().await;
        self.lock().dead = false;
    }

    /// Never returns in a dead process, so that it gets no answer.
    pub(super) async fn alive(&self) {
        if self.lock().dead {
            std::future::pending::<()>().await;
        }
    }

    pub(super) async fn die(&self) {
        self.lock().dead = true;
        self.crash.notify_one();
        std::future::pending::<()>().await;
    }

    /// A write, after which anything may happen.
    pub(super) async fn write<T>(
        &self,
        how: Write,
        effect: impl FnOnce(&mut FakeState) -> anyhow::Result<T> + Send,
    ) -> anyhow::Result<T> {
        self.alive().await;
        let evil = self.lock().choices.evil(if how == Write::Beside { 4 } else { 3 });
        if evil == 3 {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            self.alive().await;
        }
        let done = effect(&mut self.lock());
        match evil {
            1 => self.die().await,
            2 => return Err(anyhow!("nobody heard of it")),
            _ => {}
        }
        done
    }

    /// Waits until this is so. `false` if that takes longer than `within`.
    pub(super) async fn becomes(&self, within: Duration, is_so: impl Fn(&FakeState) -> bool) -> bool {
        let began = Instant::now();
        while !is_so(&self.lock()) {
            if began.elapsed() > within {
                return false;
            }
            sleep(Duration::from_millis(10)).await;
        }
        true
    }

    /// An alert is accepted.
    pub(super) fn accept(&self, alert: &Alert) {
        self.lock().store(alert.channel, None, alert.encode().into());
    }
}

impl FakeState {
    pub(super) fn store(&mut self, channel: ChannelId, id: Option<String>, payload: Bytes) {
        self.last += 1;
        let subject = wire::alert_subject(channel);
        self.stream.insert(self.last, Waiting { subject, id, payload });
    }

    /// The alerts of one subject, from this sequence on.
    pub(super) fn on(&self, subject: &str, from: u64) -> impl Iterator<Item = (u64, &Waiting)> {
        let waiting = self.stream.range(from..).map(|(sequence, waiting)| (*sequence, waiting));
        waiting.filter(move |(_, waiting)| waiting.subject == subject)
    }

    /// Stores a copy, unless its id is known. `false` if there is no room for it.
    /// As in a cluster, room is looked at first.
    pub(super) fn publish(&mut self, copy: &Copy) -> bool {
        let channel = copy.alert.channel;
        if self.on(&wire::alert_subject(channel), 0).count() >= self.room_in_target {
            return false;
        }
        if self.copy_ids.insert(copy.id.clone()) {
            self.store(channel, Some(copy.id.clone()), copy.alert.encode().into());
        }
        true
    }

    /// Creates a message, unless Discord knows its nonce.
    pub(super) fn create(&mut self, channel: ChannelId, body: &Value) -> u64 {
        let nonce = body["nonce"].as_str().expect("a post has a nonce").to_owned();
        let next = self.nonces.len() as u64 + 1_000;
        let message = *self.nonces.entry(nonce).or_insert(next);
        if !self.messages.contains_key(&message) {
            self.show(channel, message, body);
        }
        message
    }

    pub(super) fn forget_nonces(&mut self) {
        let nonces = std::mem::take(&mut self.nonces).into_iter();
        self.nonces = nonces.map(|(nonce, message)| (format!("forgotten {nonce}"), message)).collect();
    }

    pub(super) fn show(&mut self, channel: ChannelId, message: u64, body: &Value) {
        let embeds = body["embeds"].as_array().cloned().unwrap_or_default();
        let content = body["content"].as_str().unwrap_or_default().to_owned();
        self.seen.extend(embeds.iter().map(Value::to_string));
        self.messages.insert(message, FakeMessage { channel, content, embeds, exists: true });
    }

    /// How this post fails, if it does.
    pub(super) fn fails(&self, body: &Value) -> Option<Fails> {
        let now = |fails: &Fails| fails.until.is_none_or(|until| Instant::now() < until);
        self.fails.filter(|fails| now(fails) && body.to_string().contains(fails.text))
    }

    /// Checks that a post is marked as posted before its issues are remembered.
    /// In the other order a crash between the two would double it.
    pub(super) fn check_mark(&self, key: &str) {
        let channel = key.split('.').next().expect("a channel");
        let journal = self.buckets.get(&(Name::Lanes, channel.to_owned()));
        let Some((_, Some(record))) = journal else { return };
        let record: Value = serde_json::from_slice(record).expect("a record");
        let marked = record["state"] != "sending" || record.get("edits").is_some();
        assert!(marked, "it is remembered before it is marked: {record}");
    }

    /// A post begins.
    pub(super) fn note_post(&mut self, channel: ChannelId) {
        let waiting = self.on(&wire::alert_subject(channel), 0).count();
        self.waited_at_posts.push(waiting);
    }

    /// Refuses a post.
    pub(super) fn refuse(&mut self) {
        self.refusals += 1;
        self.rules.extend(self.rules_after_refusal.take());
    }

    pub(super) fn is_refused(&self, body: &Value) -> bool {
        self.refuses.is_some_and(|text| body.to_string().contains(text))
    }
}
