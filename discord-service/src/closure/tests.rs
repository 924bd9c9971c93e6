use super::*;

#[test]
fn tries_are_made_after_1_2_5_15_and_then_every_60_minutes() {
    let pauses = Pauses::default();
    let mut closure = Closure::new("no", None, 0, &pauses);
    let mut now_ms = 0;
    for minutes in [1, 2, 5, 15, 60, 60] {
        assert!(!closure.is_due(now_ms + minutes * 60_000 - 1));
        now_ms += minutes * 60_000;
        assert!(closure.is_due(now_ms));
        closure = Closure::new("no", Some(&closure), now_ms, &pauses);
        assert_eq!(closure.since_ms, Some(0));
    }
    let open = Closure { following: Some(Following { next: 1, last: 2 }), ..closure };
    assert!(!Closure::new("no", Some(&open), now_ms, &pauses).is_due(now_ms + 59_999));
    assert!(Closure::new("no", Some(&open), now_ms, &pauses).is_due(now_ms + 60_000));
}

#[test]
fn a_step_of_the_wall_clock_keeps_no_channel_closed_for_longer() {
    let closure = Closure::new("no", None, 86_400_000, &Pauses::default());
    assert!(closure.is_due(0), "a day back");
    assert!(!closure.is_due(86_400_000 - 8_000), "8 s back");
}

#[test]
fn a_note_of_an_older_build_says_why_and_is_tried_at_once() {
    let closure = Closure::read(b"Missing Access");
    assert_eq!((closure.why.as_str(), closure.since_ms), ("Missing Access", None));
    assert!(closure.is_closed() && closure.is_due(1));
    let newer = Closure::new("no", Some(&closure), 5, &Pauses::default());
    assert_eq!(Closure::read(&serde_json::to_vec(&newer).expect("JSON")), newer);
    assert_eq!(Closure::read(br#"{"v":9,"why":"so","mood":"calm"}"#).why, "so");
}

#[test]
fn it_says_what_is_in_the_way_now_and_what_helps() {
    let closure = |access: &Access| Closure::new("403", None, 0, &Pauses::default()).found(access);
    let missing = Access { missing: vec!["Send Messages".to_owned()], ..Access::default() };
    let mute = closure(&missing);
    assert_eq!(
        mute.why,
        "Discord does not let the bot post in the channel. Give the bot Send Messages there. It then goes \
         on by itself (403)"
    );
    assert_eq!(mute.remedy(), "Give the bot Send Messages there. It then goes on by itself");
    let timed_out = Access { timed_out_until_ms: Some(1_763_905_862_000), ..missing };
    let words = "timed out in this server until 23-11-2025 13:51:02 UTC";
    let both = mute.found(&timed_out);
    assert!(both.why.contains(words) && both.remedy().contains(words), "{both:?}");
    assert_eq!((both.words(), both.timed_out_until_ms), ("403", timed_out.timed_out_until_ms));
    let gone = both.found(&Access { gone: true, ..timed_out });
    assert!(gone.gone && gone.why.contains("it was deleted") && !gone.remedy().contains("by itself"));
    let removed = closure(&Access { removed: true, ..Access::default() });
    assert_eq!(
        removed.remedy(),
        "The bot is no longer in this server. Invite it again. It then goes on by itself"
    );
    let unknown = closure(&Access::default());
    assert!(unknown.remedy().contains("View Channel, Send Messages and Embed Links"));
    let old = Closure::read(b"Missing Access").found(&Access::default());
    assert_eq!((old.words(), old.why.as_str()), ("Missing Access", "Missing Access"));
}
