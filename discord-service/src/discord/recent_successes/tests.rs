use super::*;

#[tokio::test(start_paused = true)]
async fn only_what_else_was_done_lately_counts() {
    let witness = Witness::default();
    witness.saw("/a");
    witness.saw("/a");
    assert!(!witness.saw_another("/a") && witness.saw_another("/b"));
    witness.saw("/b");
    witness.saw("/a");
    witness.saw("/a");
    assert!(witness.saw_another("/a"));
    tokio::time::advance(LATELY).await;
    witness.saw("/a");
    assert!(!witness.saw_another("/a"));
}
