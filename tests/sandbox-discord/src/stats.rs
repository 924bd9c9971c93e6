//! Counts what happened.

use std::collections::BTreeMap;

use serde::Serialize;

/// What the sandbox counted since it started.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Stats {
    /// Answers by endpoint and status, such as
    /// `POST /channels/{channel_id}/messages 200`.
    pub requests: BTreeMap<String, u64>,
    /// Answers of 429.
    pub rate_limited: u64,
    /// The most posts and edits that were in flight at one time, by channel.
    pub in_flight_max: BTreeMap<u64, u32>,
    /// Posts answered with an earlier message of the same nonce.
    pub nonce_repeats: u64,
    /// Sessions that identified.
    pub identifies: u64,
    /// Sessions that resumed.
    pub resumes: u64,
    /// The most live sessions at one time, by shard and total.
    pub sessions_max: BTreeMap<String, usize>,
    /// Things that a careful bot does not do, such as identifies too close
    /// together, in words.
    pub violations: Vec<String>,
    /// Requests that the sandbox does not know and answered with 404.
    pub unknown_requests: Vec<String>,
    #[serde(skip)]
    pub(crate) in_flight: BTreeMap<u64, u32>,
}

impl Stats {
    /// Answers of this endpoint, with any status or with this one.
    pub fn answers(&self, endpoint: &str, status: Option<u16>) -> u64 {
        let matches = |name: &str| match (name.rsplit_once(' '), status) {
            (Some((left, _)), None) => left == endpoint,
            (Some((left, right)), Some(status)) => left == endpoint && right == status.to_string(),
            (None, _) => false,
        };
        self.requests.iter().filter(|(name, _)| matches(name)).map(|(_, count)| count).sum()
    }

    pub(crate) fn count_answer(&mut self, endpoint: &str, status: u16) {
        *self.requests.entry(format!("{endpoint} {status}")).or_default() += 1;
        if status == 429 {
            self.rate_limited += 1;
        }
    }

    pub(crate) fn post_begins(&mut self, channel: u64) {
        let now = self.in_flight.entry(channel).or_default();
        *now += 1;
        let max = self.in_flight_max.entry(channel).or_default();
        *max = (*max).max(*now);
    }

    pub(crate) fn post_ends(&mut self, channel: u64) {
        if let Some(now) = self.in_flight.get_mut(&channel) {
            *now = now.saturating_sub(1);
        }
    }
}
