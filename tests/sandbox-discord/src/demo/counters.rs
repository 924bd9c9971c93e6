//! What the two services have counted, from their metrics.

use std::time::Duration;

use reqwest::Client;
use serde::Serialize;
use url::Url;

use super::Services;

const PATIENCE: Duration = Duration::from_secs(1);
const ACCEPTED: [&str; 2] = ["stored", "stored_unverified"];

/// Alerts since the services started.
#[derive(Debug, Default, Serialize)]
pub(super) struct Counters {
    accepted: Option<u64>,
    waiting: Option<u64>,
    posted: Option<u64>,
    folded: Option<u64>,
    dead: Option<u64>,
}

impl Counters {
    /// Reads both services; what does not answer is left out.
    pub(super) async fn read(client: &Client, services: &Services) -> Self {
        let (ingress, discord) = tokio::join!(
            metrics(client, services.ingress_metrics.as_ref()),
            metrics(client, services.discord_metrics.as_ref())
        );
        let of_discord = |name: &str| discord.as_deref().map(|text| sum(text, name, |_| true));
        let accepted =
            |labels: &str| ACCEPTED.iter().any(|outcome| labels.contains(&format!("outcome=\"{outcome}\"")));
        Self {
            accepted: ingress.as_deref().map(|text| sum(text, "sentry_bot_ingress_requests_total", accepted)),
            waiting: of_discord("sentry_bot_alerts_waiting"),
            posted: of_discord("sentry_bot_alerts_posted_total"),
            folded: of_discord("sentry_bot_alerts_folded_total"),
            dead: of_discord("sentry_bot_dead_letters_total"),
        }
    }
}

async fn metrics(client: &Client, url: Option<&Url>) -> Option<String> {
    let answer = client.get(url?.clone()).timeout(PATIENCE).send().await.ok()?;
    answer.error_for_status().ok()?.text().await.ok()
}

/// The sum of a metric's series whose labels are wanted.
fn sum(text: &str, name: &str, wanted: impl Fn(&str) -> bool) -> u64 {
    let values = text.lines().filter_map(|line| {
        let labels = line.strip_prefix(name).filter(|rest| rest.starts_with(['{', ' ']))?;
        let (labels, value) = labels.rsplit_once(' ')?;
        wanted(labels).then(|| value.parse::<f64>().ok()).flatten()
    });
    values.sum::<f64>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_one_metric_are_added_up() {
        let text = "# TYPE a_total counter\na_total{outcome=\"stored\"} 3\na_total{outcome=\"ignored\"} 1\n\
            a_total_more 9\n";
        assert_eq!(sum(text, "a_total", |_| true), 4);
        assert_eq!(sum(text, "a_total", |labels| labels.contains("stored")), 3);
        assert_eq!(sum(text, "b_total", |_| true), 0);
    }
}
