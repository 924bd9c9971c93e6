//! A replica that lags shows alerts that were posted and removed long ago. The
//! test plays its answers, because a real one does not lag on command.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_nats::jetstream;
use e2e::publish;
use harness::{nats::NatsServer, wait::SOON};
use serde_json::Value;
use shared::wire;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use tokio_util::task::AbortOnDropHandle;

use crate::builder;

/// How many answers are out of date.
const LAGGING: usize = 3;
/// A version of the stream that the build under test does not know, and so
/// leaves as the test has made it.
const NEWER_SCHEMA: (&str, &str) = ("sentry-bot-schema", "99");

#[tokio::test(flavor = "multi_thread")]
async fn alerts_that_a_lagging_replica_still_shows_are_not_posted_again() {
    let mut stack = builder().start().await;
    let js = jetstream::new(stack.nats.client().await);
    let channel = stack.authorized_channel("alerts").await;
    let mut alerts = js.get_stream(wire::ALERTS).await.expect("the stream");
    // Two posts: the lane's record only knows the second.
    let mut known = Vec::new();
    let before = alerts.cached_info().state.last_sequence;
    for (number, title) in (1..).zip(["first", "second"]) {
        stack.discord.signal("STOP");
        publish(&stack, channel, [title.to_owned()]).await;
        known.push((
            before + number,
            alerts.get_raw_message(before + number).await.expect("it waits").payload,
        ));
        stack.discord.signal("CONT");
        stack.until_shown(channel, number, SOON).await;
        stack.until_drained(SOON).await;
    }
    stack.discord.kill();
    publish(&stack, channel, ["third".to_owned()]).await;
    known.push((before + 3, alerts.get_raw_message(before + 3).await.expect("it waits").payload));
    let mut config = alerts.info().await.expect("NATS answers").config.clone();
    // A stream with a limit per subject always has direct reads.
    (config.max_messages_per_subject, config.discard_new_per_subject) = (-1, false);
    config.allow_direct = false;
    config.metadata.insert(NEWER_SCHEMA.0.to_owned(), NEWER_SCHEMA.1.to_owned());
    let changed = js.update_stream(config).await.expect("direct reads are for the replica below");
    assert!(!changed.config.allow_direct);
    let replica = Replica::start(&stack.nats, known).await;

    stack.discord.restart();
    stack.until_shown(channel, 3, SOON).await;
    stack.until_drained(SOON).await;
    let titles: Vec<String> = stack.shown(channel).into_iter().map(|shown| shown.title).collect();
    assert_eq!(titles, ["first", "second", "third"]);
    assert!(replica.answered.load(Ordering::Relaxed) >= LAGGING, "it was asked");
    stack.assert_clean();
}

/// Answers direct reads of the stream: at first with every alert that it ever
/// had, then with the last one, which still waits.
struct Replica {
    answered: Arc<AtomicUsize>,
    _answering: AbortOnDropHandle<()>,
}

impl Replica {
    /// Over a plain connection: the client library does not send status lines.
    async fn start(nats: &NatsServer, known: Vec<(u64, bytes::Bytes)>) -> Self {
        let address = nats.url().replace("nats://", "");
        let mut connection = BufReader::new(TcpStream::connect(address).await.expect("NATS is up"));
        let hello = format!(
            "CONNECT {{\"verbose\":false,\"headers\":true}}\r\nSUB $JS.API.DIRECT.GET.{} 1\r\nPING\r\n",
            wire::ALERTS
        );
        connection.write_all(hello.as_bytes()).await.expect("sent");
        let answered = Arc::new(AtomicUsize::new(0));
        // It hears everything once this is answered.
        while line(&mut connection).await.expect("NATS is up") != "PONG" {}
        let count = answered.clone();
        let answering = tokio::spawn(async move {
            while let Some(line) = line(&mut connection).await {
                let words: Vec<&str> = line.split(' ').collect();
                match *words.as_slice() {
                    ["PING"] => connection.write_all(b"PONG\r\n").await.expect("sent"),
                    ["MSG", _, _, reply, length] => {
                        let mut question = vec![0; length.parse::<usize>().expect("a length") + 2];
                        connection.read_exact(&mut question).await.expect("a question");
                        let question: Value =
                            serde_json::from_slice(&question[..question.len() - 2]).expect("JSON");
                        let lags = count.fetch_add(1, Ordering::Relaxed) < LAGGING;
                        let shown = if lags { &known[..] } else { &known[known.len() - 1..] };
                        connection.write_all(&answer(reply, &question, shown)).await.expect("sent");
                    }
                    _ => {}
                }
            }
        });
        Self { answered, _answering: AbortOnDropHandle::new(answering) }
    }
}

async fn line(connection: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = connection.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

/// A batch as NATS's ADR-31 has it, or one message.
fn answer(reply: &str, question: &Value, shown: &[(u64, bytes::Bytes)]) -> Vec<u8> {
    let from = question["seq"].as_u64().expect("a sequence");
    let batched = question.get("batch").is_some();
    let found: Vec<_> =
        shown.iter().filter(|(number, _)| if batched { *number >= from } else { *number == from }).collect();
    let mut bytes = Vec::new();
    for (number, payload) in &found {
        let headers = format!(
            "NATS/1.0\r\nNats-Stream: {}\r\nNats-Subject: x\r\nNats-Sequence: {number}\r\nNats-Time-Stamp: 2026-01-01T00:00:00Z\r\n\r\n",
            wire::ALERTS
        );
        bytes.extend(message(reply, &headers, payload));
    }
    if found.is_empty() {
        bytes.extend(message(reply, "NATS/1.0 404 Message Not Found\r\n\r\n", b""));
    } else if batched {
        bytes.extend(message(reply, "NATS/1.0 204 EOB\r\nNats-Num-Pending: 0\r\n\r\n", b""));
    }
    bytes
}

fn message(reply: &str, headers: &str, payload: &[u8]) -> Vec<u8> {
    let (start, all) = (headers.len(), headers.len() + payload.len());
    [format!("HPUB {reply} {start} {all}\r\n{headers}").as_bytes(), payload, b"\r\n"].concat()
}
