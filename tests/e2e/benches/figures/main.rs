//! The table "Performance" of docs/MEASUREMENTS.md: `make bench`. Each figure
//! has a baseline from the same run, because machines differ and are noisy.
//! Only the ratios count.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod bare;
mod delivery;
mod receiving;
mod rules;

use std::time::Duration;

/// One line of the table.
struct Figure {
    what: &'static str,
    ours: String,
    baseline: String,
    ratio: f64,
}

fn main() {
    if bare::is_meant() {
        return bare::serve();
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let figures = runtime.block_on(async {
        let mut figures = receiving::figures().await;
        figures.extend(delivery::figures().await);
        figures.extend(rules::figures().await);
        figures
    });
    println!("| what | Sentry Bot | baseline | ratio |\n|---|---|---|---|");
    for Figure { what, ours, baseline, ratio } in figures {
        println!("| {what} | {ours} | {baseline} | {ratio:.2} |");
    }
}

/// The value in the middle.
fn median(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    values[values.len() / 2]
}

fn ratio(ours: Duration, baseline: Duration) -> f64 {
    ours.as_secs_f64() / baseline.as_secs_f64()
}
