//! Sequences of alerts in their stream, as records and log lines hold them.

use std::collections::BTreeSet;

/// Runs of sequences: for each the distance of its first from the last before it,
/// and its length.
pub(crate) fn runs_of(sequences: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let mut last = 0;
    for &sequence in sequences {
        match runs.last_mut() {
            Some((_, length)) if last + 1 == sequence => *length += 1,
            _ => runs.push((sequence - last, 1)),
        }
        last = sequence;
    }
    runs
}

/// The sequences of these runs.
pub(crate) fn of_runs(runs: &[(u64, u64)]) -> BTreeSet<u64> {
    let mut last = 0;
    let runs = runs.iter().map(|(distance, length)| {
        let first = distance.saturating_add(last);
        last = first.saturating_add(length.saturating_sub(1));
        first..=last
    });
    runs.flatten().collect()
}

/// The sequences as log lines show them, `3-7,9`: all of them, in as many lines
/// as it takes to keep each short.
pub(crate) fn log_ids(sequences: &BTreeSet<u64>) -> Vec<String> {
    const RUNS_IN_A_LINE: usize = 100;
    let mut first = 0;
    let mut runs: Vec<String> = Vec::new();
    for (distance, length) in runs_of(sequences) {
        first += distance;
        let last = first + (length - 1);
        runs.push(if length == 1 { first.to_string() } else { format!("{first}-{last}") });
        first = last;
    }
    runs.chunks(RUNS_IN_A_LINE).map(|runs| runs.join(",")).collect()
}

#[cfg(test)]
mod tests;
