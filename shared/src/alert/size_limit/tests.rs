use super::*;
use crate::{
    ChannelId,
    alert::{Details, Frame, MAX_CAUSES, MAX_FRAMES, MAX_TEXT, Trust},
};

/// As long as the ingress lets each part be, all of these characters.
fn worst(c: char) -> Alert {
    let text = |length: usize| Some(c.to_string().repeat(length));
    let frame = || Frame {
        file: c.to_string().repeat(256),
        line: Some(u64::MAX),
        function: text(256),
        source: text(MAX_TEXT),
    };
    let pair = || (c.to_string().repeat(256), c.to_string().repeat(256));
    Alert {
        mention: Some(crate::UserId::new(u64::MAX)),
        trust: Trust::Signature("s".repeat(32)),
        project: text(MAX_TEXT).unwrap_or_default(),
        project_name: text(MAX_TEXT),
        title: text(MAX_TEXT),
        logger: text(MAX_TEXT),
        level: text(MAX_TEXT),
        culprit: text(MAX_TEXT),
        message: text(MAX_TEXT),
        url: text(MAX_TEXT),
        event_id: text(64),
        issue_id: text(64),
        short_id: text(64),
        rules: vec![c.to_string().repeat(256); 8],
        environment: text(256),
        release: text(256),
        frame: Some(frame()),
        callers: vec![frame(); MAX_FRAMES - 1],
        tags: vec![pair(); 8],
        details: Details {
            actor: text(256),
            assignee: text(256),
            how: text(256),
            category: text(256),
            priority: text(256),
            events: Some(u64::MAX),
            users: Some(u64::MAX),
            since_ms: Some(i64::MIN),
            query: text(MAX_TEXT),
            evidence: vec![pair(); 3],
            causes: vec![c.to_string().repeat(MAX_TEXT); MAX_CAUSES],
        },
        ..Alert::new("preprod_artifact.build_distribution_completed", "", ChannelId::new(u64::MAX), i64::MIN)
    }
}

#[test]
fn the_worst_record_fits_and_keeps_its_ids_its_link_and_its_title() {
    for c in ['x', '"', 'é', '…', '😀'] {
        let whole = worst(c);
        assert!(whole.record().len() > MAX_RECORD);
        let record = whole.encode();
        assert!(record.len() <= MAX_RECORD, "{c}: {} bytes", record.len());
        let read = Alert::decode(&record).expect("an alert");
        assert_eq!(
            (read.event_id, read.issue_id, read.short_id, read.url),
            (whole.event_id, whole.issue_id, whole.short_id, whole.url)
        );
        let title = read.title.expect("the title stays");
        assert!(title.starts_with(&c.to_string().repeat(KEPT - 1)), "{c}: {title}");
    }
}

#[test]
fn what_is_missed_least_goes_first_and_no_more_than_must() {
    let text = |length: usize| Some("m".repeat(length));
    let source = |length| Some(Frame { file: "f".to_owned(), source: text(length), ..Frame::default() });
    let pairs = |count: usize| vec![("n".repeat(200), "v".repeat(200)); count];
    let mut alert = Alert {
        message: text(MAX_TEXT),
        frame: source(1_000),
        tags: pairs(8),
        ..Alert::new("error", "p", ChannelId::new(1), 1)
    };
    alert.details.evidence = pairs(4);
    let read = |alert: &Alert| Alert::decode(&alert.encode()).expect("an alert");
    assert!(read(&alert) == alert, "what fits is left alone");

    (alert.culprit, alert.logger) = (text(MAX_TEXT), text(500));
    let cut = read(&alert);
    let kept = cut.frame.as_ref().and_then(|frame| frame.source.as_ref()).map(String::len);
    assert!(kept.is_some_and(|kept| (1..1_000).contains(&kept)), "the source is cut, not dropped: {kept:?}");
    assert!(alert.encode().len() > MAX_RECORD - 8, "no more than must");
    assert!((cut.tags.len(), cut.details.evidence.len()) == (8, 4) && cut.message == alert.message);

    alert.level = text(1_000);
    let cut = read(&alert);
    let left = cut.details.evidence.len();
    assert!(cut.frame.is_none() && (1..4).contains(&left) && cut.tags.len() == 8, "{left}");

    alert.rules = vec!["r".repeat(250); 8];
    let cut = read(&alert);
    let left = cut.tags.len();
    assert!(cut.details.evidence.is_empty() && (1..8).contains(&left), "{left}");
    assert_eq!(cut.message, alert.message);

    (alert.title, alert.project_name, alert.details.query) = (text(MAX_TEXT), text(MAX_TEXT), text(MAX_TEXT));
    let cut = read(&alert);
    let left = cut.message.as_ref().map(String::len);
    assert!(cut.tags.is_empty() && left.is_some_and(|left| (1..MAX_TEXT).contains(&left)), "{left:?}");
    assert!((&cut.title, &cut.culprit, &cut.rules) == (&alert.title, &alert.culprit, &alert.rules));
}
