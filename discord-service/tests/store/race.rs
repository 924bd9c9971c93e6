//! Two users who register one slug at the same instant, from two processes.
//!
//! The processes are this test's own binary, started to run the same test with
//! [`RACER`] set. A line on standard input names the slug of a round; the answer is
//! a line on standard output.

use std::{io::Write as _, process::Stdio};

use discord_service::store::Registration;
use shared::UserId;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::world::{ALICE, BOB, GUILD, World, settings, slug, store};

const ROUNDS: u32 = 200;
/// The user whom a process plays, and the arguments of its settings.
const RACER: &str = "STORE_TEST_RACER";
/// What the answers begin with: the test runner prints lines of its own.
const ANSWER: &str = "answer: ";

#[tokio::test]
async fn one_of_two_processes_gets_a_slug_in_nats() {
    if !raced().await {
        race("one_of_two_processes_gets_a_slug_in_nats", World::nats().await).await;
    }
}

#[tokio::test]
async fn one_of_two_processes_gets_a_slug_in_firestore() {
    if !raced().await
        && let Some(world) = World::firestore().await
    {
        race("one_of_two_processes_gets_a_slug_in_firestore", world).await;
    }
}

async fn race(test: &str, world: World) {
    let store = world.store().await;
    let mut alice = Racer::start(test, ALICE, &world).await;
    let mut bob = Racer::start(test, BOB, &world).await;
    let mut won_by_alice = 0;
    for round in 0..ROUNDS {
        let slug = format!("web-{round}");
        // Who is asked first changes, so that neither always has the lead.
        let (first, second) = if round % 2 == 0 { (&mut alice, &mut bob) } else { (&mut bob, &mut alice) };
        first.ask(&slug).await;
        second.ask(&slug).await;
        let winner = match (alice.answer().await.as_str(), bob.answer().await.as_str()) {
            ("registered", taken) if taken == format!("taken {ALICE}") => ALICE,
            (taken, "registered") if taken == format!("taken {BOB}") => BOB,
            answers => panic!("round {round}: {answers:?}"),
        };
        won_by_alice += u32::from(winner == ALICE);
        let projects = store.projects(GUILD).await.unwrap();
        let owners: Vec<_> =
            projects.iter().filter(|(_, owned)| **owned == slug).map(|(user, _)| *user).collect();
        assert_eq!(owners, [winner], "round {round}");
    }
    assert!((1..ROUNDS).contains(&won_by_alice), "no race: Alice won {won_by_alice} of {ROUNDS}");
}

struct Racer {
    questions: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Racer {
    async fn start(test: &str, user: UserId, world: &World) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([&format!("race::{test}"), "--exact", "--nocapture"])
            .env(RACER, format!("{user} {}", world.arguments().join(" ")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let questions = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut racer = Self { questions, answers, _process: process };
        assert_eq!(racer.answer().await, "ready");
        racer
    }

    async fn ask(&mut self, slug: &str) {
        self.questions.write_all(format!("{slug}\n").as_bytes()).await.unwrap();
    }

    async fn answer(&mut self) -> String {
        loop {
            let line = self.answers.next_line().await.unwrap().expect("the racer goes on");
            if let Some((_, answer)) = line.split_once(ANSWER) {
                return answer.to_owned();
            }
        }
    }
}

/// Plays a racer if this process is one, until nobody asks any more.
async fn raced() -> bool {
    let Ok(job) = std::env::var(RACER) else {
        return false;
    };
    let mut words = job.split(' ');
    let user: UserId = words.next().unwrap().parse().unwrap();
    let arguments: Vec<_> = words.map(str::to_owned).collect();
    let store = store(&settings(&arguments)).await;
    store.projects(GUILD).await.unwrap();
    answer("ready");
    while let Some(asked) = tokio::task::spawn_blocking(question).await.unwrap() {
        match store.register(GUILD, user, &slug(&asked)).await {
            Ok(Registration::Registered) => answer("registered"),
            Ok(Registration::Taken(owner)) => answer(&format!("taken {owner}")),
            Err(error) => answer(&format!("{error}")),
        }
    }
    true
}

fn question() -> Option<String> {
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line).unwrap();
    (read > 0).then(|| line.trim().to_owned())
}

fn answer(text: &str) {
    // Not `println!`, which the test runner may capture.
    let mut out = std::io::stdout().lock();
    writeln!(out, "{ANSWER}{text}").unwrap();
    out.flush().unwrap();
}
