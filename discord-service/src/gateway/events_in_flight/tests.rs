use super::*;

#[tokio::test(start_paused = true)]
async fn one_that_takes_very_long_holds_nothing_back() {
    let in_flight = EventsInFlight::default();
    let (_slow, quick) = (in_flight.begin(5), in_flight.begin(6));
    assert_eq!(in_flight.events(), [5, 6].into());
    drop(quick);
    assert_eq!(in_flight.events(), [5].into());
    tokio::time::advance(LONGEST).await;
    assert_eq!(in_flight.events(), [].into());
}

#[tokio::test]
async fn only_the_end_of_a_command_is_told_at_once() {
    let in_flight = EventsInFlight::default();
    drop(in_flight.begin(5));
    let told = async || tokio::time::timeout(Duration::ZERO, in_flight.command_ended()).await.is_ok();
    assert!(!told().await);
    in_flight.begin(6).end_command();
    assert!(told().await);
    assert_eq!(in_flight.events(), [].into());
}
