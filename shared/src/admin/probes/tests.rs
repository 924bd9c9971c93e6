use super::*;

const SECOND: Duration = Duration::from_secs(1);

async fn waits(probes: &Probes) -> Duration {
    let start = Instant::now();
    probes.until_failed(20 * SECOND).await;
    start.elapsed()
}

async fn looked_at(every: Duration, times: usize) -> Probes {
    let probes = Probes::default();
    for _ in 0..times {
        tokio::time::sleep(every).await;
        probes.note(ProbeQuestion::Work, true);
    }
    probes
}

#[tokio::test(start_paused = true)]
async fn it_waits_for_the_look_that_finds_it_failing() {
    let probes = looked_at(5 * SECOND, 3).await;
    let looks = async {
        tokio::time::sleep(5 * SECOND).await;
        probes.note(ProbeQuestion::Work, false);
    };
    assert_eq!(tokio::join!(waits(&probes), looks).0, 5 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_look_for_one_thing_says_nothing_to_those_who_look_for_another() {
    let probes = looked_at(5 * SECOND, 3).await;
    for _ in 0..3 {
        tokio::time::sleep(SECOND).await;
        probes.note(ProbeQuestion::Traffic, true);
    }
    let looks = async {
        probes.note(ProbeQuestion::Work, false);
        tokio::time::sleep(SECOND).await;
        probes.note(ProbeQuestion::Traffic, false);
    };
    assert_eq!(tokio::join!(waits(&probes), looks).0, SECOND);
}

#[tokio::test(start_paused = true)]
async fn where_nobody_looks_it_does_not_wait() {
    assert_eq!(waits(&Probes::default()).await, Duration::ZERO);
    assert_eq!(waits(&looked_at(SECOND, 1).await).await, Duration::ZERO);
    let probes = looked_at(SECOND, 3).await;
    tokio::time::sleep(10 * SECOND).await;
    assert_eq!(waits(&probes).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_for_ever() {
    assert_eq!(waits(&looked_at(5 * SECOND, 2).await).await, 10 * SECOND);
    assert_eq!(waits(&looked_at(60 * SECOND, 2).await).await, 20 * SECOND);
}
