//! The fuzz targets: functions that take any bytes and must not panic.
//! `tests/tools/fuzz.sh` runs them with libFuzzer. A test runs each over its
//! seeds, which include every input that once broke it.

use discord_service::render::{self, Exhibit, Folded, Layout, MAX_MESSAGE_CHARS, Mentions, Style};
use ingress_service::{
    oracles,
    payload::{
        legacy::LegacyWebhook,
        other_senders::{MAX_ALERTS, OtherWebhook},
        platform::{PlatformWebhook, RESOURCES},
    },
    request::query::Query,
};
use serde_json::json;
use shared::{
    Alert, ChannelId, RoleId, UserId,
    alert::{Frame, MAX_RECORD, Ping, Routing, Stranded, WhyStranded},
};

mod addresses;
mod head;
pub use addresses::addresses;
pub use head::head;

/// A request to the ingress: the first line is its query, and all of the input
/// is its body. An accepted body becomes an alert that survives the way over
/// the bus.
///
/// # Panics
/// When the code under test is wrong.
pub fn ingress(bytes: &[u8]) {
    let query = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if let Ok(query) = Query::parse(&String::from_utf8_lossy(query)) {
        // A refusal is as good as an id.
        let _ = (query.channel(), query.mention());
    }
    if let Some((pruned, plain)) = oracles::prune(bytes) {
        assert_eq!(pruned, Some(plain), "the pruned reading differs from a plain one");
    }
    if let Ok(webhook) = LegacyWebhook::parse(bytes) {
        carry(webhook.alert(ChannelId::new(1), None, 1_763_905_862_000));
        assert!(matches!(OtherWebhook::parse(bytes), Ok(None)), "a legacy webhook is taken for another's");
    } else if let Ok(Some(webhook)) = OtherWebhook::parse(bytes) {
        let alerts = webhook.alerts(ChannelId::new(1), None, 1_763_905_862_000);
        assert!((1..=MAX_ALERTS).contains(&alerts.len()), "{} alerts", alerts.len());
        alerts.into_iter().for_each(carry);
    }
}

/// The body of a webhook of the Integration Platform, read as each resource in
/// turn.
///
/// # Panics
/// When the code under test is wrong.
pub fn platform(bytes: &[u8]) {
    for resource in &RESOURCES {
        if let Ok(Some(webhook)) = PlatformWebhook::parse(resource, bytes) {
            carry(webhook.alert(ChannelId::new(1), None, 1_763_905_862_000));
        }
    }
}

/// Takes an alert over the bus and into a post. The record is short, and parts
/// were cut only for that.
fn carry(alert: Alert) {
    let record = alert.encode();
    assert!(record.len() <= MAX_RECORD, "{} bytes", record.len());
    let read = Alert::decode(&record).expect("an alert can be read from the bus");
    let whole = serde_json::to_vec(&alert).expect("an alert serializes").len() <= MAX_RECORD;
    assert!(read == alert || !whole, "a short alert changed");
    let ids =
        |alert: &Alert| [&alert.event_id, &alert.issue_id, &alert.short_id, &alert.url].map(Clone::clone);
    assert_eq!(ids(&read), ids(&alert), "an id or the link was cut");
    let title = |alert: &Alert| {
        let first: String = alert.title.iter().flat_map(|title| title.chars()).take(99).collect();
        first.trim_end_matches(|c: char| c == '…' || c.is_whitespace()).to_owned()
    };
    assert_eq!(title(&read), title(&alert), "the title was cut too short");
    let value = serde_json::from_str(str::from_utf8(&record).expect("UTF-8")).expect("JSON");
    assert!(!holds_control_characters(&value), "{value}");
    post(&alert, 1, MAX_MESSAGE_CHARS);
}

/// The bytes choose a request with a token and a signature, right or wrong, and
/// the keys of its channel.
///
/// # Panics
/// When the rules of trust differ from the table of docs/ARCHITECTURE.md.
pub fn trust(bytes: &[u8]) {
    let (judged, expected) = oracles::trust(bytes);
    assert_eq!(judged, expected);
}

fn holds_control_characters(value: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Object, String};
    match value {
        String(text) => text.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')),
        Array(items) => items.iter().any(holds_control_characters),
        Object(fields) => fields.values().any(holds_control_characters),
        _ => false,
    }
}

/// An alert made of the lines of the input, in a post of any size.
///
/// # Panics
/// When the code under test is wrong.
pub fn embed(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.split('\n').map(str::to_owned);
    let mut number = || lines.next().and_then(|line| line.parse().ok()).unwrap_or_default();
    let (count, size, timestamp_ms): (i64, i64, i64) = (number(), number(), number());
    let project = lines.next().unwrap_or_default();
    let target = ChannelId::new(u64::MAX);
    let routing = Routing {
        home: None,
        ping: match count.rem_euclid(3) {
            0 => None,
            1 => Some(Ping::User(UserId::new(2))),
            _ => Some(Ping::Role(RoleId::new(3))),
        },
        stranded: match size.rem_euclid(4) {
            0 => None,
            1 => Some(Stranded { target, why: WhyStranded::Full }),
            2 => Some(Stranded { target, why: WhyStranded::Gone }),
            _ => Some(Stranded { target, why: WhyStranded::Secured }),
        },
        quiet: false,
    };
    let alert = Alert {
        routing,
        title: lines.next(),
        logger: lines.next(),
        level: lines.next(),
        culprit: lines.next(),
        message: lines.next(),
        url: lines.next(),
        timestamp_ms,
        environment: lines.next(),
        release: lines.next(),
        frame: lines.next().map(|file| Frame {
            file,
            line: None,
            function: lines.next(),
            source: lines.next(),
        }),
        rules: lines.collect(),
        ..Alert::new("error", &project, ChannelId::new(1), 1_763_905_862_000)
    };
    post(&alert, count.unsigned_abs().max(1), usize::try_from(size).unwrap_or_default());
}

/// Builds a post of one embed in each layout and checks the simple limits of Discord. The
/// sandbox Discord checks the others.
fn post(alert: &Alert, count: u64, max_chars: usize) {
    for layout in [Layout::Classic, Layout::Modern, Layout::Compact] {
        post_laid_out(alert.clone(), count, layout, max_chars);
    }
}

fn post_laid_out(latest: Alert, count: u64, layout: Layout, max_chars: usize) {
    let latest = Alert { mention: Some(UserId::new(2)), ..latest };
    let last_ms = latest.timestamp_ms;
    let history = render::History::default();
    let folded = Folded { latest, count, first_ms: last_ms.saturating_sub(60_000), last_ms, history };
    let glyph_url = "https://example.com/glyph.png".parse().expect("a URL");
    let style = Style { layout, glyph_url, links: true };
    let embed = render::embed(&folded, &style, max_chars);
    let title = embed.json["title"].as_str().expect("an embed has a title");
    assert!((1..=256).contains(&title.trim().chars().count()), "{title:?}");
    let signs = embed.json.to_string().matches('×').count();
    assert_eq!(signs, usize::from(count > 1), "how many there are is said once");
    assert!(embed.chars <= MAX_MESSAGE_CHARS, "{} characters", embed.chars);
    for field in embed.json["fields"].as_array().into_iter().flatten() {
        let value = field["value"].as_str().expect("a field has a value");
        assert!(!value.trim().is_empty(), "a field is empty");
        assert!(value.chars().count() <= 1024, "a field is too long");
    }
    let (content, allowed) = match folded.latest.routing.ping {
        Some(Ping::Role(_)) => ("<@2> <@&3>", json!({ "parse": [], "users": ["2"], "roles": ["3"] })),
        _ => ("<@2>", json!({ "parse": [], "users": ["2"] })),
    };
    let mentions = Mentions::of([&folded.latest]);
    let exhibit = Exhibit::new(folded, &style, &embed);
    let posted = render::message(&[embed], &mentions, "nonce");
    let edited = render::edit([&exhibit].into_iter(), &style, max_chars);
    for message in [posted, edited] {
        assert_eq!(message["content"], content, "only the mentions ping");
        assert_eq!(message["allowed_mentions"], allowed, "only the mentions ping");
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    fn run_over(folder: &str, target: impl Fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut seeds = fs::read_dir(&folder).expect("a folder of seeds").peekable();
        assert!(seeds.peek().is_some(), "{} is empty", folder.display());
        for seed in seeds {
            let path = seed.expect("a seed").path();
            // Shown when the test fails.
            eprintln!("{}", path.display());
            target(&fs::read(path).expect("a seed can be read"));
        }
    }

    #[test]
    fn no_seed_breaks_its_target() {
        run_over("seeds/ingress", super::ingress);
        for folder in ["legacy", "glitchtip", "bugsink"] {
            run_over(&format!("../fixtures/{folder}"), super::ingress);
        }
        run_over("seeds/platform", super::platform);
        run_over("../fixtures/platform", super::platform);
        run_over("seeds/embed", super::embed);
        run_over("seeds/addresses", super::addresses);
        run_over("seeds/head", super::head);
    }

    #[test]
    fn every_choice_of_trust_is_judged_by_the_table() {
        // Five choices, each by one byte.
        for number in 0..4 * 4 * 3 * 4 * 8_usize {
            let choice = |step: usize, of: usize| (number / step % of) as u8;
            super::trust(&[
                choice(1, 4),
                choice(4, 4),
                choice(16, 3),
                choice(48, 4),
                choice(192, 8),
                b'{',
                b'}',
            ]);
        }
    }
}
