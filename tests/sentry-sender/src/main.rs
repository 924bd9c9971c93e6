//! `sentry-sender`: sends files as Sentry's webhooks and prints each answer.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clap::Parser;
use sentry_sender::{Reply, SendError, Sender, Trust, Webhook, webhook::json_files};
use tokio::{sync::Semaphore, task::JoinSet};

/// Sends JSON files as Sentry's webhooks and prints each answer
///
/// A file named <resource>.<action>….json goes out as a webhook of Sentry's Integration Platform (an internal
/// integration), and so does any file with --resource. A file in a folder `glitchtip` or `bugsink` goes out as
/// theirs. Any other file is a legacy webhook.
///
/// Every request opens a new connection. As at Sentry, an answer must come within 5 s or 1 s (Integration Platform),
/// redirects are not followed, and nothing is repeated. Legacy webhooks do not verify the certificate.
///
/// Exits with 0 when every request was answered with 2xx, else with 1.
#[derive(Debug, Parser)]
#[command(name = "sentry-sender", version, after_help = EXAMPLES)]
struct Arguments {
    /// The webhook's URL, such as https://localhost:8080/sentry-bot/channel?id=123
    url: String,
    /// JSON files, or folders of them
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// How many requests to send, over and over the files [default: one for each file]
    #[arg(long)]
    count: Option<usize>,
    /// Requests a second [default: as fast as they are answered]
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
    /// Requests in flight at most
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// Send all files as webhooks of the Integration Platform with this Sentry-Hook-Resource
    #[arg(long)]
    resource: Option<String>,
    /// File with the client secret that signs them [default: the variable SENTRY_CLIENT_SECRET, else unsigned]
    #[arg(long)]
    secret_file: Option<PathBuf>,
    /// One Idempotency-Key for all requests, which makes them one firing; if empty, the header is left out
    #[arg(long)]
    idempotency_key: Option<String>,
    /// PEM file of an authority to trust as well
    #[arg(long, conflicts_with = "insecure")]
    ca_file: Option<PathBuf>,
    /// Accept any certificate, not only for legacy webhooks
    #[arg(long)]
    insecure: bool,
}

const EXAMPLES: &str = "Examples:
  URL='https://localhost:8080/sentry-bot/channel?id=123'
  One alert:
    sentry-sender \"$URL\" tests/fixtures/legacy/11_python_exception.json
  Ten a second for a minute, going round all legacy fixtures:
    sentry-sender --count 600 --rate 10 --concurrency 8 \"$URL\" tests/fixtures/legacy
  Alerts of GlitchTip:
    sentry-sender --insecure \"$URL\" tests/fixtures/glitchtip
  Signed webhooks of an internal integration:
    sentry-sender --insecure --secret-file secret \"$URL\" tests/fixtures/platform";

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.01..=100_000.0).contains(&rate) => Ok(rate),
        _ => Err("expected a number from 0.01 to 100000".to_owned()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("sentry-sender: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether every request was answered with 2xx.
async fn run(arguments: Arguments) -> anyhow::Result<bool> {
    let webhooks = webhooks(&arguments)?;
    let sender = Sender::new(trust(&arguments)?)?;
    let url: Arc<str> = arguments.url.into();
    let mut ticker = arguments.rate.map(|rate| tokio::time::interval(Duration::from_secs_f64(1.0 / rate)));
    let in_flight = Arc::new(Semaphore::new(arguments.concurrency.into()));
    let start = Instant::now();
    let mut requests = JoinSet::new();
    for (name, webhook) in webhooks.iter().cycle().take(arguments.count.unwrap_or(webhooks.len())) {
        if let Some(ticker) = &mut ticker {
            ticker.tick().await;
        }
        let Ok(permit) = in_flight.clone().acquire_owned().await else {
            break;
        };
        let (sender, url, name, webhook) = (sender.clone(), url.clone(), name.clone(), webhook.clone());
        let in_flight = in_flight.clone();
        requests.spawn(async move {
            let outcome = sender.send(&url, &webhook).await;
            drop(permit);
            // If nobody reads the answers, this sends no more.
            if say(&line(&name, &outcome)).is_err() {
                in_flight.close();
            }
            outcome
        });
    }
    let outcomes = requests.join_all().await;
    say(&summary(&outcomes, start.elapsed())).context("cannot print")?;
    Ok(outcomes.iter().all(|outcome| matches!(outcome, Ok(reply) if reply.is_success())))
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// What to send, each with the name to print.
fn webhooks(arguments: &Arguments) -> anyhow::Result<Vec<(Arc<str>, Arc<Webhook>)>> {
    let secret = match &arguments.secret_file {
        Some(path) => {
            Some(std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?)
        }
        None => std::env::var("SENTRY_CLIENT_SECRET").ok(),
    };
    let secret = secret.as_deref().map(str::trim).filter(|secret| !secret.is_empty());
    let mut webhooks = Vec::new();
    for path in
        arguments.files.iter().map(|path| json_files(path)).collect::<anyhow::Result<Vec<_>>>()?.concat()
    {
        let mut webhook = Webhook::from_file(&path)?;
        if let Some(resource) = &arguments.resource {
            webhook = webhook.resource(resource);
        }
        if let Some(secret) = secret
            && webhook.is_platform()
        {
            webhook = webhook.signed(secret);
        }
        webhook = match arguments.idempotency_key.as_deref() {
            None => webhook,
            Some("") => webhook.without_idempotency_key(),
            Some(key) => webhook.idempotency_key(key),
        };
        webhooks.push((path.display().to_string().into(), Arc::new(webhook)));
    }
    anyhow::ensure!(!webhooks.is_empty(), "no JSON file in the folders given");
    Ok(webhooks)
}

fn trust(arguments: &Arguments) -> anyhow::Result<Trust> {
    Ok(match &arguments.ca_file {
        Some(path) => Trust::Authorities(
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?,
        ),
        None if arguments.insecure => Trust::Anyone,
        None => Trust::System,
    })
}

type Outcome = Result<Reply, SendError>;

fn line(name: &str, outcome: &Outcome) -> String {
    match outcome {
        Ok(Reply { status, body, latency, .. }) => {
            let words = body.split_whitespace().collect::<Vec<_>>().join(" ");
            format!("{status} {:4} ms  {name}  {words:.300}", latency.as_millis())
        }
        Err(error) => format!("---          {name}  {error:#}"),
    }
}

fn summary(outcomes: &[Outcome], took: Duration) -> String {
    let mut kinds = BTreeMap::<String, usize>::new();
    let mut latencies = Vec::new();
    for outcome in outcomes {
        let kind = match outcome {
            Ok(reply) => {
                latencies.push(reply.latency.as_millis());
                reply.status.to_string()
            }
            Err(SendError::Timeout(_)) => "timed out".to_owned(),
            Err(SendError::Failed(_)) => "failed".to_owned(),
        };
        *kinds.entry(kind).or_default() += 1;
    }
    latencies.sort_unstable();
    let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} × {kind}")).collect();
    let mut text = format!("{} sent in {:.1} s: {}", outcomes.len(), took.as_secs_f64(), kinds.join(", "));
    if let (Some(median), Some(slowest)) = (latencies.get(latencies.len() / 2), latencies.last()) {
        text.push_str(&format!("; median {median} ms, slowest {slowest} ms"));
    }
    text
}
