use super::*;

#[tokio::test(start_paused = true)]
async fn one_that_takes_very_long_holds_nothing_back() {
    let unfinished = Unfinished::default();
    let (_slow, quick) = (unfinished.begin(5), unfinished.begin(6));
    assert_eq!(unfinished.events(), [5, 6].into());
    drop(quick);
    assert_eq!(unfinished.events(), [5].into());
    tokio::time::advance(LONGEST).await;
    assert_eq!(unfinished.events(), [].into());
}
