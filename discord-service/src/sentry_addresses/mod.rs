//! Keeps a copy of the addresses that Sentry publishes in the KV bucket
//! [`wire::SOURCES`], for the ingress. Each pod reads them by itself: the copy is
//! changed by compare-and-set, so pods that read at once agree.

use std::{net::IpAddr, str::FromStr, time::Duration};

use anyhow::{Context as _, bail, ensure};
use async_nats::jetstream;
use rand::Rng as _;
use reqwest::{StatusCode, redirect};
use shared::{
    sentry_ip_ranges::{Published, Ranges},
    shutdown::CancellationToken,
    wire,
};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use url::Url;

use crate::kv::{Bucket, Entry};

/// How long Sentry has for its answer, and for all redirects before it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
const MAX_BODY: usize = 64 << 10;
const MAX_REDIRECTS: usize = 5;
/// When the list is read again, in seconds: Sentry lets it be kept for 12 hours.
const READ_EVERY: std::ops::Range<u64> = 12 * 60 * 60..24 * 60 * 60;
/// When it is tried again after a failure, likewise.
const RETRY_AFTER: std::ops::Range<u64> = 10 * 60..60 * 60;
/// How often it is looked whether the copy is still there.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked at the start whether the bucket is there.
const BUCKET_LOOK: Duration = Duration::from_millis(200);
/// How long NATS may take for one step.
const NATS_WITHIN: Duration = Duration::from_secs(10);
/// Without a good list for so long, failures are warnings.
const OLD_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Attempts to change the copy while other pods do.
const ATTEMPTS: u32 = 5;

/// `SENTRY_IP_RANGES_URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publication {
    /// Nothing is read.
    Off,
    /// Read from there.
    At(Url),
}

impl FromStr for Publication {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected off, or a URL that begins with https://, without a user name \
                                (http:// only for this machine's own addresses)";
        if text == "off" {
            return Ok(Self::Off);
        }
        let url = Url::parse(text).map_err(|_| EXPECTED)?;
        let open = url.username().is_empty() && url.password().is_none();
        match url.scheme() {
            "https" if open && url.has_host() => Ok(Self::At(url)),
            "http" if open && is_loopback(&url) => Ok(Self::At(url)),
            _ => Err(EXPECTED),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Keeps the copy fresh until `stop`. Without a good list it keeps the last one.
///
/// # Errors
/// When no client for HTTPS can be made.
pub async fn keep_fresh(
    publication: Publication,
    js: jetstream::Context,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let Publication::At(url) = publication else {
        stop.cancelled().await;
        return Ok(());
    };
    let http = client(&url).context("cannot set up reading Sentry's addresses")?;
    let bucket = Bucket::new(&js, wire::SOURCES);
    let mut keeper = AddressKeeper { http, url, bucket, copy: None, since_ms: now_ms() };
    tokio::select! {
        () = keeper.run() => {}
        () = stop.cancelled() => {}
    }
    Ok(())
}

fn client(url: &Url) -> reqwest::Result<reqwest::Client> {
    let origin = url.origin();
    let stay = redirect::Policy::custom(move |attempt| {
        if attempt.url().origin() != origin {
            attempt.error("it redirects to another host")
        } else if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error("it redirects too often")
        } else {
            attempt.follow()
        }
    });
    let agent = concat!("sentry-bot/", env!("CARGO_PKG_VERSION"));
    let builder = reqwest::Client::builder().user_agent(agent).timeout(ANSWER_WITHIN).redirect(stay);
    // Only loopback is read without TLS, and no proxy leads there.
    if url.scheme() == "http" { builder.no_proxy().build() } else { builder.https_only(true).build() }
}

struct AddressKeeper {
    http: reqwest::Client,
    url: Url,
    bucket: Bucket,
    /// The copy as this pod last knew it.
    copy: Option<Ranges>,
    /// When this pod began: its copy counts as that old while there is none.
    since_ms: i64,
}

impl AddressKeeper {
    async fn run(&mut self) {
        // The bucket is made beside this: a list that cannot be kept is not to be read.
        while current(&self.bucket).await.is_err() {
            sleep(BUCKET_LOOK).await;
        }
        let mut due = Instant::now();
        loop {
            if due <= Instant::now() {
                let after = match self.read().await {
                    Ok(()) => READ_EVERY,
                    Err(error) => {
                        self.complain(&error);
                        RETRY_AFTER
                    }
                };
                due = Instant::now() + Duration::from_secs(rand::rng().random_range(after));
            }
            if let Err(error) = self.look().await {
                tracing::debug!("cannot look at the copy of Sentry's addresses: {error:#}");
            }
            self.measure();
            sleep_until(due.min(Instant::now() + LOOK_EVERY)).await;
        }
    }

    /// Reads the list and changes the copy.
    async fn read(&mut self) -> anyhow::Result<()> {
        let body = self.fetch().await?;
        let published = Published::read(&body).context("cannot use the list")?;
        for entry in &published.skipped {
            tracing::warn!(entry, "skipped an entry of Sentry's addresses that is not a network");
        }
        let count = published.networks.len();
        let write = self.change(|before| Ranges::renewed(before, published.networks.clone(), now_ms()));
        self.copy = Some(timeout(NATS_WITHIN, write).await.context("NATS does not answer")??);
        tracing::info!(networks = count, "read Sentry's addresses");
        Ok(())
    }

    async fn fetch(&self) -> anyhow::Result<Vec<u8>> {
        let mut answer = self.http.get(self.url.clone()).send().await?;
        ensure!(answer.status() == StatusCode::OK, "it answered {}", answer.status());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            ensure!(body.len() + chunk.len() <= MAX_BODY, "the list is longer than {MAX_BODY} bytes");
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Puts the copy back where it was lost, and takes over what another pod read.
    async fn look(&mut self) -> anyhow::Result<()> {
        let look = async {
            let (there, _) = current(&self.bucket).await?;
            match (there, &self.copy) {
                (None, Some(copy)) => {
                    let put_back = self.change(|there| there.unwrap_or(copy).clone()).await?;
                    tracing::warn!("the copy of Sentry's addresses was lost; wrote it again");
                    Ok(Some(put_back))
                }
                (there, _) => Ok(there),
            }
        };
        let found: anyhow::Result<_> = timeout(NATS_WITHIN, look).await.context("NATS does not answer")?;
        if let Some(found) = found? {
            self.copy = Some(found);
        }
        Ok(())
    }

    /// Writes what `make` makes of the present copy.
    async fn change(&self, make: impl Fn(Option<&Ranges>) -> Ranges) -> anyhow::Result<Ranges> {
        for _ in 0..ATTEMPTS {
            let (there, revision) = current(&self.bucket).await?;
            // Where the bucket was lost, what this pod knows counts.
            let made = make(there.as_ref().or(self.copy.as_ref()));
            if self.bucket.replace(wire::SOURCES_KEY, made.encode().into(), revision).await? {
                return Ok(made);
            }
        }
        bail!("other pods kept writing")
    }

    fn age(&self) -> Duration {
        let read_ms = self.copy.as_ref().map_or(self.since_ms, |copy| copy.read_ms);
        Duration::from_millis(now_ms().saturating_sub(read_ms).try_into().unwrap_or_default())
    }

    fn complain(&self, error: &anyhow::Error) {
        metrics::counter!("sentry_bot_sentry_addresses_failures_total").increment(1);
        let age = self.age();
        let days = age.as_secs() / 86_400;
        let error = format!("{error:#}");
        if age > OLD_AFTER {
            tracing::warn!(error, days, "nobody has read Sentry's addresses for a long time; trying again");
        } else {
            tracing::info!(error, "cannot read Sentry's addresses; trying again");
        }
    }

    fn measure(&self) {
        let networks = self.copy.as_ref().map_or(0, |copy| copy.networks(now_ms()).count());
        metrics::gauge!("sentry_bot_sentry_addresses").set(networks as f64);
        metrics::gauge!("sentry_bot_sentry_addresses_age_seconds").set(self.age().as_secs_f64());
    }
}

/// The copy as the stream's leader has it, if it can be used, and the revision
/// that a write must follow.
async fn current(bucket: &Bucket) -> anyhow::Result<(Option<Ranges>, u64)> {
    let Entry { revision, value } = bucket.entry(wire::SOURCES_KEY).await?;
    Ok((value.and_then(|value| Ranges::decode(&value).ok()), revision))
}

fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

#[cfg(test)]
mod tests;
