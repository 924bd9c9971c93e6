use shared::{
    Alert, RoleId,
    alert::{MAX_ITEMS, MAX_RECORD, MAX_TEXT, Ping, Routing, Stranded, WhyStranded},
};

use super::*;
use crate::{
    delivery::journal::JournalEntry,
    render::{self, Exhibit, Folded, History, Layout, MAX_MESSAGE_CHARS, Mentions, Style},
    tally::Tally,
};

fn post(sequences: &[u64]) -> Record {
    let sequences = sequences.iter().copied().collect();
    Record::new(Content { sequences, embeds: 1, links: true, body: "x".into(), ..Content::default() })
}

#[test]
fn a_record_keeps_its_sequences_as_runs() {
    let sequences = BTreeSet::from([1, 2, 3, 7, 9, 10]);
    let record = Record::new(Content { sequences: sequences.clone(), ..Content::default() });
    assert_eq!(record.runs, [(1, 3), (4, 1), (2, 2)]);
    assert_eq!(record.sequences(), sequences);
    assert_eq!(record.first(), Some(1));
}

#[test]
fn another_versions_record_is_taken_for_what_it_says_and_never_for_an_error() {
    let channel = ChannelId::new(1);
    let record = post(&[5, 6]);
    let mut json = serde_json::to_value(&record).expect("it encodes");
    json["v"] = 3.into();
    let read = |json: &serde_json::Value| Record::read(json.to_string().as_bytes(), channel, "now");
    let dead = read(&json).expect("its alerts are known");
    assert_eq!(dead.sequences(), BTreeSet::from([5, 6]));
    assert!(matches!(dead.resume(true), RecordFate::Bury(cause) if cause.may_have_been_posted));
    json["state"] = "posted".into();
    assert_eq!(read(&json).expect("its alerts are known").resume(true), RecordFate::Remove);
    assert_eq!(read(&serde_json::json!({"v": 3})), None);
    assert_eq!(Record::read(b"garbage", channel, "now"), None);
}

#[test]
fn a_record_is_of_no_use_once_its_stream_was_made_anew() {
    let record = post(&[5]);
    let written = JournalEntry {
        stream: "then",
        record: &record,
        tally: Tally::default(),
        hits: &BTreeMap::new(),
        sorts: false,
    };
    let written = serde_json::to_vec(&written).expect("it encodes");
    let channel = ChannelId::new(1);
    assert_eq!(Record::read(&written, channel, "then"), Some(record.clone()));
    assert_eq!(Record::read(&written, channel, "now"), None);
    let older = serde_json::to_vec(&record).expect("it encodes");
    assert_eq!(Record::read(&older, channel, "now"), Some(record));
}

#[test]
fn a_record_from_before_homes_or_trust_were_written_down_is_read_as_it_was() {
    let on = |home: Option<u64>, trust| Admission { home: home.map(ChannelId::new), trust };
    let token = Trust::Token("1a2b".to_owned());
    let admissions = [(on(None, Trust::None), 5), (on(None, token.clone()), 7), (on(Some(9), token), 6)];
    let admissions: BTreeMap<_, _> = admissions.into();
    let record = Record::new(Content {
        sequences: BTreeSet::from([5]),
        admissions: admissions.clone(),
        since_ms: (5, 7),
        ..Content::default()
    });
    assert!(record.admissions().eq(admissions));
    let mut json = serde_json::to_value(&record).expect("it encodes");
    let read = |json: &serde_json::Value| Record::read(json.to_string().as_bytes(), ChannelId::new(1), "now");
    assert_eq!(read(&json), Some(record.clone()));
    json.as_object_mut().expect("an object").remove("routed_trusts");
    let before_rules = Record { routed_trusts: Vec::new(), ..record };
    assert_eq!(read(&json), Some(before_rules.clone()));
    json.as_object_mut().expect("an object").remove("trusts");
    assert_eq!(read(&json), Some(Record { trusts: Vec::new(), ..before_rules }));
}

#[test]
fn an_edit_is_read_as_an_edit_and_an_older_build_does_not_take_it_for_a_post() {
    let edit = post(&[5]).editing(7).showing(ShownMessage::new(600, Vec::new()));
    let json = serde_json::to_vec(&edit).expect("it encodes");
    assert_eq!(Record::read(&json, ChannelId::new(1), "now"), Some(edit.clone()));
    assert_ne!(edit.v, VERSION);
}

/// An alert as long as the ingress stores any, with many of these characters.
fn worst(number: u64, c: char) -> Alert {
    let text = || Some(c.to_string().repeat(MAX_TEXT));
    let pair = || (c.to_string().repeat(256), c.to_string().repeat(256));
    let alert = Alert {
        mention: Some(UserId::new(u64::MAX - number)),
        routing: Routing {
            home: Some(ChannelId::new(u64::MAX)),
            ping: Some(Ping::Role(RoleId::new(u64::MAX - number))),
            stranded: Some(Stranded { target: ChannelId::new(u64::MAX), why: WhyStranded::Secured }),
            quiet: true,
        },
        issue_id: Some(number.to_string()),
        title: text(),
        message: text(),
        culprit: text(),
        logger: text(),
        level: text(),
        rules: vec![c.to_string().repeat(256); MAX_ITEMS],
        tags: vec![pair(); MAX_ITEMS],
        ..Alert::new("error", &c.to_string().repeat(MAX_TEXT), ChannelId::new(u64::MAX), 1_763_905_862_123)
    };
    let stored = alert.encode();
    assert!(stored.len() > MAX_RECORD / 4 * 3, "{c:?}: only {} bytes", stored.len());
    Alert::decode(&stored).expect("an alert")
}

#[test]
fn the_record_of_ten_worst_alerts_of_a_full_backlog_that_is_scattered_fits_a_message_of_nats() {
    const EMBEDS: u64 = 10;
    let full = shared::settings::MAX_CHANNEL_BACKLOG as u64;
    let glyph_url = "https://glyph.example/sentry.png".parse().expect("a URL");
    let style = Style { layout: Layout::Classic, glyph_url, links: true };
    let max_chars = MAX_MESSAGE_CHARS / EMBEDS as usize;
    for c in ['x', '"', 'é', '😀'] {
        let folded = (0..EMBEDS).map(|number| {
            let latest = worst(number, c);
            let at = latest.timestamp_ms;
            Folded { latest, count: full / EMBEDS, first_ms: at, last_ms: at, history: History::default() }
        });
        let (embeds, shown): (Vec<_>, Vec<_>) = folded
            .map(|folded| {
                let embed = render::embed(&folded, &style, max_chars);
                let exhibit = Exhibit::new(folded, &style, &embed);
                (embed, exhibit)
            })
            .unzip();
        let alerts = || shown.iter().map(|shown| &shown.folded.latest);
        let mentions: BTreeSet<Mention> = alerts()
            .filter_map(|alert| Some(Mention { user: alert.mention?, project: alert.project.clone() }))
            .collect();
        let all = Mentions::of(alerts());
        let record = Record::new(Content {
            // This many alerts of other channels are between two of them.
            sequences: (0..full).map(|n| 9_000_000_000 + 5_000 * n).collect(),
            body: render::message(&embeds, &all, &"n".repeat(NONCE_CHARS)),
            mentions,
            embeds: embeds.len(),
            links: true,
            ..Content::default()
        });
        let record = record.showing(ShownMessage::new(max_chars, shown));
        let entry = JournalEntry {
            stream: "now",
            record: &record,
            tally: Tally::default(),
            hits: &BTreeMap::new(),
            sorts: false,
        };
        let encoded = serde_json::to_vec(&entry).expect("it encodes");
        assert!(encoded.len() < 1 << 20, "{c:?}: {} bytes", encoded.len());
    }
}

#[test]
fn a_nonce_depends_on_channel_alerts_and_content_and_fits_discord() {
    let content = [serde_json::json!({"title": "a"})];
    let first = nonce(ChannelId::new(1), &BTreeSet::from([1]), &content);
    assert_eq!(first.len(), NONCE_CHARS);
    assert_eq!(first, nonce(ChannelId::new(1), &BTreeSet::from([1]), &content));
    assert_ne!(first, nonce(ChannelId::new(2), &BTreeSet::from([1]), &content));
    assert_ne!(first, nonce(ChannelId::new(1), &BTreeSet::from([2]), &content));
    assert_ne!(first, nonce(ChannelId::new(1), &BTreeSet::from([1]), &[]));
}
