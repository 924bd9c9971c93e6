use super::*;

#[tokio::test(start_paused = true)]
async fn only_what_else_was_done_lately_counts() {
    let recent_successes = RecentSuccesses::default();
    recent_successes.saw("/a");
    recent_successes.saw("/a");
    assert!(!recent_successes.saw_another("/a") && recent_successes.saw_another("/b"));
    recent_successes.saw("/b");
    recent_successes.saw("/a");
    recent_successes.saw("/a");
    assert!(recent_successes.saw_another("/a"));
    tokio::time::advance(LATELY).await;
    recent_successes.saw("/a");
    assert!(!recent_successes.saw_another("/a"));
}
