use super::*;

const CHANNEL: ChannelId = ChannelId::new(42);

fn note(reason: Reason) -> Refusal {
    Refusal::new(reason, "", 1)
}

#[test]
fn a_storm_of_one_kind_is_one_line() {
    let refusals = RefusalNotes::default();
    for _ in 0..1_000 {
        refusals.note(CHANNEL, false, Reason::Schema, "body: breaks /type at \"\"");
        refusals.note(CHANNEL, false, Reason::NotAuthorized, "verdict: unauthorized_channel");
    }
    let table = refusals.0.lock().expect("not poisoned");
    assert_eq!(table.lines.len(), 2);
    assert_eq!(table.lines[&(CHANNEL, "schema".to_owned())].times, 1_000);
}

#[test]
fn each_fault_of_a_token_or_signature_is_a_line() {
    let refusals = RefusalNotes::default();
    for rule in ["token: missing", "token: not this channel's", "token: missing"] {
        refusals.note(CHANNEL, true, Reason::Token, rule);
    }
    let table = refusals.0.lock().expect("not poisoned");
    let mut lines: Vec<_> = table.lines.values().map(|note| (note.detail.as_deref(), note.times)).collect();
    lines.sort_unstable();
    assert_eq!(lines, [(Some("token: missing"), 2), (Some("token: not this channel's"), 1)]);
}

#[test]
fn made_up_channels_are_few_a_minute_and_keep_out_no_known_one() {
    let (refusals, start) = (RefusalNotes::default(), Instant::now());
    let taken = |now| {
        let taken = |id: &u64| refusals.take(ChannelId::new(*id), false, note(Reason::Schema), now);
        (0..10_000).filter(taken).count()
    };
    assert_eq!(taken(start), STRANGERS);
    assert!(refusals.take(ChannelId::new(7_777_777), true, note(Reason::Schema), start));
    assert!(refusals.take(ChannelId::new(1), false, note(Reason::NotJson), start), "it has its place");
    assert_eq!(taken(start + WINDOW / 2), STRANGERS, "the same ones");
    assert_eq!(taken(start + WINDOW), STRANGERS);
}

#[test]
fn the_table_is_bounded_while_nats_is_away() {
    let refusals = RefusalNotes::default();
    let taken = |id: &u64| refusals.take(ChannelId::new(*id), true, note(Reason::Schema), Instant::now());
    assert_eq!((1..10_000).filter(taken).count(), MAX_LINES);
}
