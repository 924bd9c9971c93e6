//! A measurement takes no lasting memory, even if nobody asks for `/metrics`.

use harness::{
    process::memory,
    wait::{SOON, wait_for},
};
use shared::telemetry::{self, Metric};

const NAME: &str = "test_seconds";
const METRICS: &[Metric] = &[Metric::seconds(NAME, "Whatever the test says")];
/// A round of measurements of eight bytes each, and a quarter of their memory.
const ROUND: usize = 200_000;
const LITTLE: u64 = 400_000;

#[tokio::test]
async fn measurements_that_nobody_reads_do_not_pile_up() {
    let metrics = telemetry::init("test", None, METRICS).expect("it is the first time");
    let process = std::process::id();
    let mut measured = 0;
    wait_for("a round of measurements leaves nothing behind", SOON, || {
        let before = memory(process).expect("the system tells");
        for _ in 0..ROUND {
            metrics::histogram!(NAME).record(0.001);
        }
        measured += ROUND;
        let grown = memory(process).expect("the system tells").saturating_sub(before);
        async move { (grown < LITTLE).then_some(()) }
    })
    .await;
    assert!(metrics.render().contains(&format!("{NAME}_count {measured}")), "none was lost");
}
