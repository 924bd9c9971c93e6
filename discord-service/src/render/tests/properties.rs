//! For any alert, also one that no ingress would have let through.

use std::collections::BTreeSet;

use proptest::{collection::vec, option, prelude::*};
use shared::{
    Alert, UserId,
    alert::{Details, Frame},
};

use super::{
    super::{Change, Exhibit, MIN_EMBED_CHARS, edit, message},
    bare,
    discord::{counted, faults, field, fields, has_null, text},
    *,
};

/// Pieces that have broken out of something somewhere.
const HOSTILE: &[&str] = &[
    "`",
    "```",
    "``",
    "\u{1FEF}",
    "\n",
    "\r",
    "\0",
    "\u{1B}[31m",
    "\\",
    "\\`",
    "@everyone",
    "@here",
    "<@1>",
    "<@&2>",
    "<#3>",
    "[x](https://evil.example)",
    "https://evil.example/",
    "<https://evil.example>",
    "||",
    "**",
    "__",
    "~~",
    "> ",
    "# ",
    "\u{202E}",
    "\u{2066}",
    "\u{200B}",
    "\u{200D}",
    "\u{FEFF}",
    "\u{E0041}",
    "\u{3164}",
    "\u{2800}",
    "\u{A0}",
    "\u{2028}",
    "Z\u{300}\u{301}\u{302}\u{303}\u{304}",
    "\u{300}",
    "×9",
    "…",
    "😀",
    "顧客",
    "\u{10FFFF}",
    "\u{E000}",
    " ",
    "word ",
];

fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => prop::sample::select(HOSTILE).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => (prop::sample::select(HOSTILE), 1..1_100usize).prop_map(|(piece, times)| piece.repeat(times)),
    ];
    prop_oneof![1 => Just(String::new()), 8 => vec(piece, 1..6).prop_map(|pieces| pieces.concat())]
}

fn url() -> impl Strategy<Value = String> {
    prop_oneof![
        hostile(),
        hostile().prop_map(|tail| format!("https://acme.sentry.io/{tail}")),
        "https?://[a-z.0-9:@\\[\\]]{0,12}/[ -~]{0,40}",
        (1..1_500usize).prop_map(|n| format!("https://acme.sentry.io/{}", "a".repeat(n))),
    ]
}

/// Kinds that are told differently.
const KINDS: &[&str] = &["error", "issue.created", "issue.resolved", "issue.assigned", "seer.pr_created"];

fn kind() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(KINDS).prop_map(str::to_owned), 1 => hostile()]
}

prop_compose! {
    fn details()(
        texts in vec(option::of(hostile()), 6),
        numbers in vec(option::of(any::<u64>()), 2),
        since_ms in option::of(any::<i64>()),
        evidence in vec((hostile(), hostile()), 0..6),
        causes in vec(hostile(), 0..6),
    ) -> Details {
        let (mut texts, mut numbers) = (texts.into_iter(), numbers.into_iter());
        let mut next = || texts.next().flatten();
        let mut number = || numbers.next().flatten();
        Details {
            actor: next(),
            assignee: next(),
            how: next(),
            category: next(),
            priority: next(),
            query: next(),
            events: number(),
            users: number(),
            since_ms,
            evidence,
            causes,
        }
    }
}

prop_compose! {
    fn alert()(
        kind in kind(),
        details in prop_oneof![Just(Details::default()), details()],
        project in prop_oneof![hostile(), "[a-zA-Z0-9_.-]{0,120}"],
        texts in vec(option::of(hostile()), 7),
        level in option::of(prop_oneof![Just("error".to_owned()), hostile()]),
        url in option::of(url()),
        (timestamp_ms, received_ms) in any::<(i64, i64)>(),
        rules in vec(hostile(), 0..20),
        frame in option::of((hostile(), option::of(any::<u64>()))),
    ) -> Alert {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        Alert {
            kind,
            details,
            project,
            title: next(),
            logger: next(),
            level,
            culprit: next(),
            message: next(),
            url,
            timestamp_ms,
            received_ms,
            rules,
            environment: next(),
            release: next(),
            frame: frame.map(|(file, line)| Frame { source: next(), function: Some(file.clone()), file, line }),
            ..bare()
        }
    }
}

prop_compose! {
    fn folded()(latest in alert(), count in prop_oneof![Just(1), any::<u64>()], (first_ms, last_ms) in any::<(i64, i64)>())
        -> Folded
    {
        Folded { latest, count, first_ms, last_ms, history: History::default() }
    }
}

/// A change of an issue, by anybody and at any time.
fn change() -> impl Strategy<Value = Change> {
    let kind =
        prop::sample::select(&["issue.resolved", "issue.archived", "issue.assigned", "issue.unresolved"][..]);
    (kind, details(), any::<(i64, i64)>()).prop_map(|(kind, details, (timestamp_ms, received_ms))| {
        let kind = kind.to_owned();
        Change::of(&Alert { kind, details, timestamp_ms, received_ms, ..bare() }).expect("its kind is one")
    })
}

const CONTRACT: [&str; 7] = ["Title", "Logger", "Level", "Culprit", "Message", "URL", "Timestamp (UTC)"];

/// A share of the usual number of cases (`PROPTEST_CASES`).
fn config(share: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases / share, failure_persistence: None, ..usual }
}

proptest! {
    #![proptest_config(config(1))]

    #[test]
    fn any_alert_makes_a_harmless_embed_within_the_limits(
        folded in folded(),
        links: bool,
        max_chars in prop_oneof![Just(MIN_EMBED_CHARS), Just(600), Just(6_000), 300..7_000usize],
    ) {
        let embed = embed(&folded, &Style { links, ..style() }, max_chars);
        prop_assert_eq!(faults(&embed.json), Vec::<String>::new());
        prop_assert!(serde_json::from_value::<serenity::all::Embed>(embed.json.clone()).is_ok());
        let (points, units) = counted(&embed.json);
        prop_assert_eq!(embed.chars, units);
        prop_assert!(points <= units && units <= max_chars.min(6_000), "{} of {}", units, max_chars);

        let names: Vec<_> = fields(&embed.json).iter().map(|field| text(field, "/name")).collect();
        let contract: Vec<_> = names.iter().copied().filter(|name| CONTRACT.contains(name)).collect();
        prop_assert_eq!(contract, CONTRACT);
        let signs = embed.json.to_string().matches('×').count();
        prop_assert_eq!(signs, usize::from(folded.count > 1));
        if folded.latest.level.as_deref() == Some("error") {
            prop_assert_eq!(field(&embed.json, "Level"), Some("`error`"));
        }
        if !links {
            prop_assert!(embed.link.is_none() && embed.json.get("url").is_none() && embed.json.get("thumbnail").is_none());
        }
    }

}

proptest! {
    // Up to ten embeds a case.
    #![proptest_config(config(4))]

    #[test]
    fn any_post_pings_only_whom_it_should(
        alerts in vec(folded(), 1..=10),
        users in prop::collection::btree_set(any::<u64>(), 0..10),
    ) {
        let embeds: Vec<_> = alerts.iter().map(|folded| embed(folded, &style(), 600)).collect();
        let users: BTreeSet<_> = users.into_iter().map(UserId::new).collect();
        let body = message(&embeds, &users, "nonce");
        let pings: Vec<_> = users.iter().map(|user| format!("<@{user}>")).collect();
        prop_assert_eq!(text(&body, "/content"), pings.join(" "));
        prop_assert_eq!(&body["allowed_mentions"]["parse"], &serde_json::json!([]));
        prop_assert!(!has_null(&body), "{}", body);
        prop_assert!(embeds.iter().map(|embed| embed.chars).sum::<usize>() <= 6_000);
    }

    #[test]
    fn whatever_became_of_issues_their_message_stays_harmless_and_within_the_limits(
        alerts in vec((folded(), vec(change(), 0..4), option::of(Just(EARLIER))), 1..=10),
        crowded: bool,
    ) {
        let max_chars = if crowded { 600 } else { 6_000 };
        let mut room = 0;
        let mut exhibits: Vec<_> = alerts.iter().map(|(folded, _, earlier)| {
            let mut folded = folded.clone();
            folded.history.earlier = earlier.map(str::to_owned);
            let embed = embed(&folded, &style(), max_chars);
            (Exhibit::new(folded, true, &embed), embed)
        }).take_while(|(exhibit, _)| {
            room += exhibit.room();
            room <= 6_000 || room == exhibit.room()
        }).collect();
        for ((exhibit, _), (_, changes, _)) in exhibits.iter_mut().zip(&alerts) {
            changes.iter().for_each(|change| { exhibit.add(change); });
        }
        let body = edit(exhibits.iter().map(|(exhibit, _)| exhibit), &style(), max_chars);
        let embeds = body["embeds"].as_array().expect("embeds");
        for (json, ((_, before), (folded, changes, _))) in embeds.iter().zip(exhibits.iter().zip(&alerts)) {
            prop_assert_eq!(faults(json), Vec::<String>::new());
            let own = Change::of(&folded.latest);
            if changes.is_empty() {
                let (fields, before) = (json.get("fields"), before.json.get("fields"));
                prop_assert_eq!(fields, before, "nothing became of it");
            } else if own.is_none() {
                prop_assert!(field(json, "Status (UTC)").is_some());
            }
        }
        let units: usize = embeds.iter().map(|json| counted(json).1).sum();
        prop_assert!(units <= 6_000, "{} of {}", units, embeds.len());
        prop_assert!(!has_null(&body), "{}", body);
    }
}

const EARLIER: &str =
    "https://discord.com/channels/18446744073709551615/18446744073709551615/18446744073709551615";

/// An alert in which every text is longer than any embed could show.
fn flooded() -> Folded {
    let long = || Some("word ".repeat(1_000));
    let frame = Frame { file: "f".repeat(5_000), line: Some(u64::MAX), function: long(), source: long() };
    let details = Details {
        actor: long(),
        assignee: long(),
        how: long(),
        category: long(),
        priority: long(),
        events: Some(u64::MAX),
        users: Some(u64::MAX),
        since_ms: Some(253_402_300_799_999),
        query: long(),
        evidence: vec![("e".repeat(5_000), "v".repeat(5_000)); 500],
        causes: vec!["c".repeat(5_000); 500],
    };
    let latest = Alert {
        kind: "issue.assigned".to_owned(),
        details,
        short_id: long(),
        project: "p".repeat(5_000),
        title: long(),
        logger: long(),
        level: long(),
        culprit: long(),
        message: long(),
        url: long(),
        timestamp_ms: 253_402_300_799_999,
        rules: vec!["r".repeat(5_000); 500],
        environment: long(),
        release: long(),
        frame: Some(frame),
        ..bare()
    };
    Folded { count: u64::MAX, first_ms: 0, ..lone(latest) }
}

#[test]
fn at_the_smallest_size_times_and_counts_stay_whole() {
    let json = embed(&flooded(), &style(), 0).json;
    assert_eq!(field(&json, "Timestamp (UTC)"), Some("`31-12-9999 23:59:59`"));
    assert_eq!(
        field(&json, "Alerts"),
        Some("×18446744073709551615 from 01-01-1970 00:00:00 to 31-12-9999 23:59:59")
    );
    assert!(counted(&json).1 <= MIN_EMBED_CHARS);
    assert_eq!(faults(&json), Vec::<String>::new());
}

#[test]
fn no_caller_can_ask_for_more_than_discord_takes() {
    let json = embed(&flooded(), &style(), usize::MAX).json;
    let (_, units) = counted(&json);
    assert!((5_900..=6_000).contains(&units), "{units}");
    assert_eq!(faults(&json), Vec::<String>::new());
}
