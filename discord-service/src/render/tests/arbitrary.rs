//! Alerts as nobody would send them, for properties that hold for any.

use proptest::{collection::vec, option, prelude::*};
use shared::{
    Alert, ChannelId, RoleId, UserId,
    alert::{Details, Frame, Ping, Routing, Stranded, WhyStranded},
};

use super::{super::Change, bare, *};

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
    "-# ",
    "- ",
    "1. ",
    "_",
    "*",
    "<t:1:R>",
    "</help:1>",
    ":x:",
    "::",
    "](https://evil.example)",
    "{snip}",
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
    "\nFilter: ",
    ".js",
    "a_title_of_more_than_thirty_characters ",
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
const KINDS: &[&str] = &[
    "error",
    "issue.created",
    "issue.resolved",
    "issue.archived",
    "issue.assigned",
    "issue.unresolved",
    "metric_alert.critical",
    "activity_alert.triggered",
    "seer.pr_created",
];

fn kind() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(KINDS).prop_map(str::to_owned), 1 => hostile()]
}

prop_compose! {
    fn details()(
        texts in vec(option::of(hostile()), 6),
        numbers in vec(option::of(any::<u64>()), 2),
        since_ms in option::of(any::<i64>()),
        evidence in vec((hostile(), prop_oneof![3 => hostile(), 1 => Just("2025-11-22T13:51:02.123+00:00".to_owned())]), 0..6),
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

/// Few, so that some stand twice.
fn id() -> impl Strategy<Value = u64> {
    prop_oneof![1..4u64, any::<u64>()]
}

fn routing() -> impl Strategy<Value = Routing> {
    let ping = prop_oneof![
        id().prop_map(|id| Ping::User(UserId::new(id))),
        id().prop_map(|id| Ping::Role(RoleId::new(id))),
    ];
    let why = prop::sample::select(&[WhyStranded::Full, WhyStranded::Gone, WhyStranded::Secured][..]);
    let stranded = (id(), why).prop_map(|(id, why)| Stranded { target: ChannelId::new(id), why });
    (option::of(ping), option::of(stranded)).prop_map(|(ping, stranded)| Routing {
        home: None,
        ping,
        stranded,
        quiet: false,
    })
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
        tags in vec((prop_oneof![hostile(), Just("server_name".to_owned())], hostile()), 0..5),
        frame in option::of((hostile(), option::of(any::<u64>()))),
        begun: bool,
        (mention, routing) in (option::of(id().prop_map(UserId::new)), routing()),
    ) -> Alert {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().flatten();
        let title = next();
        let begin = title.clone().filter(|_| begun).unwrap_or_default();
        Alert {
            kind,
            details,
            project,
            mention,
            routing,
            title,
            logger: next(),
            level,
            culprit: next(),
            message: next().map(|message| begin + &message),
            url,
            timestamp_ms,
            received_ms,
            rules,
            tags,
            environment: next(),
            release: next(),
            frame: frame.map(|(file, line)| Frame { source: next(), function: Some(file.clone()), file, line }),
            ..bare()
        }
    }
}

prop_compose! {
    pub(super) fn folded()(latest in alert(), count in prop_oneof![Just(1), any::<u64>()], (first_ms, last_ms) in any::<(i64, i64)>())
        -> Folded
    {
        Folded { latest, count, first_ms, last_ms, history: History::default() }
    }
}

/// A change of an issue, by anybody and at any time.
pub(super) fn change() -> impl Strategy<Value = Change> {
    let kind =
        prop::sample::select(&["issue.resolved", "issue.archived", "issue.assigned", "issue.unresolved"][..]);
    (kind, details(), any::<(i64, i64)>()).prop_map(|(kind, details, (timestamp_ms, received_ms))| {
        let kind = kind.to_owned();
        Change::of(&Alert { kind, details, timestamp_ms, received_ms, ..bare() }).expect("its kind is one")
    })
}

/// An alert in which every text is longer than any embed could show.
pub(super) fn flooded() -> Folded {
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
        tags: vec![("tag".to_owned(), "t".repeat(5_000)); 500],
        environment: long(),
        release: long(),
        frame: Some(frame),
        ..bare()
    };
    Folded { count: u64::MAX, first_ms: 0, ..lone(latest) }
}
