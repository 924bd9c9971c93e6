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

#[tokio::test]
async fn only_the_end_of_a_command_is_told_at_once() {
    let unfinished = Unfinished::default();
    drop(unfinished.begin(5));
    let told = async || tokio::time::timeout(Duration::ZERO, unfinished.command_ended()).await.is_ok();
    assert!(!told().await);
    unfinished.begin(6).end_command();
    assert!(told().await);
    assert_eq!(unfinished.events(), [].into());
}
