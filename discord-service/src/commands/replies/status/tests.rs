//! The texts of `status` and `test`.

use shared::{Alert, UserId, alert::Routing, refusal::Reason};

use super::{super::tests::Bot, *};
use crate::{
    commands::{names::CommandNames, parse::Form},
    dead_letters::Latest,
    rules::{Action, ChannelRules, Conditions, Mute, MuteScope, Rule, counts::RuleCounts},
    tally::Tally,
};

const CHANNEL: ChannelId = ChannelId::new(42);
/// 23-11-2025 13:51:02.
const NOW: i64 = 1_763_905_862_000;
const SECOND: i64 = 1_000;

fn status(authorized: bool, findings: &Findings) -> (String, Vec<(String, String)>) {
    status_with(authorized, findings, ChannelRules::default())
}

fn status_with(
    authorized: bool,
    findings: &Findings,
    rules: ChannelRules,
) -> (String, Vec<(String, String)>) {
    let bot = Bot::new(&[]);
    let rules = KeptRules { rules: rules.into(), lost: false };
    let Reply::Embed(embed) = bot.typed().status(CHANNEL, authorized, findings, &rules, NOW) else {
        unreachable!("an embed");
    };
    assert_eq!(embed["title"], "***SENTRY STATUS***");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let fields = embed["fields"].as_array().expect("fields").iter();
    let fields = fields.map(|field| (text(&field["name"]), text(&field["value"]))).collect();
    (text(&embed["description"]), fields)
}

fn letter(reason: &str, detail: &str, died_ms: i64) -> DeadLetter {
    let json = json!({"v": 1, "reason": reason, "detail": detail, "died_ms": died_ms});
    serde_json::from_value(json).expect("a dead letter")
}

fn closure(why: &str, since_ms: Option<i64>) -> Closure {
    serde_json::from_value(json!({"v": 1, "why": why, "since_ms": since_ms})).expect("a note")
}

fn tested(outcome: &SampleOutcome) -> String {
    let (target, by) = (ChannelId::new(5), UserId::new(7));
    let rule =
        |id, action| Rule { id, conditions: Conditions::default(), action, ping: None, by, made_ms: 0 };
    let rules = vec![rule(90, Action::Drop), rule(80, Action::Route(target))];
    let rules = ChannelRules { rules, ..ChannelRules::default() };
    match Bot::new(&[]).typed().tested(outcome, &rules, NOW) {
        Reply::Text(text) | Reply::WithButton(text, _) => text,
        Reply::Embed(embed) => embed.to_string(),
    }
}

#[test]
fn a_letter_of_an_alert_that_a_rule_sent_says_from_which_channel() {
    let sent = |reason: &str| {
        let alert = Alert {
            routing: Routing { home: Some(ChannelId::new(43)), ..Routing::default() },
            ..Alert::new("error", "backend", CHANNEL, NOW)
        };
        let mut letters = vec![letter(reason, "why", NOW)];
        letters[0].alert = Some(alert);
        let (_, fields) =
            status(true, &Findings { dead: Latest { kept: 1, letters }, ..Findings::default() });
        fields.last().expect("a field").1.clone()
    };
    let expired = sent("expired");
    assert!(expired.starts_with("A rule of <#43> sent it here. It waited too long."), "{expired}");
    let untrusted = sent("untrusted");
    assert!(untrusted.contains("The keys of that channel"), "{untrusted}");
}

#[test]
fn a_channel_of_which_nothing_is_known() {
    let (description, fields) = status(false, &Findings::default());
    assert_eq!(
        description,
        "<#42> is not authorized, so nothing is posted there. Use `!sentry channel authorize` with this channel."
    );
    let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Last Received (UTC)",
            "Last Posted (UTC)",
            "Received",
            "Posted",
            "Waiting",
            "Dead Letters",
            "Not Arrived"
        ]
    );
    assert!(fields.iter().all(|(_, value)| value == "None"), "{fields:?}");
}

#[test]
fn a_channel_with_everything() {
    let findings = Findings {
        tally: Tally { posted: 7, posted_ms: Some(NOW - 61 * SECOND), received_ms: Some(NOW - 62 * SECOND) },
        waiting: WaitingSummary {
            alerts: 3,
            oldest_ms: Some(NOW - 12 * SECOND),
            newest_ms: Some(NOW - 2 * SECOND),
        },
        closure: Some(closure("403 Missing `Access`", Some(NOW - 90 * SECOND))),
        follows: 3,
        dead: Latest {
            kept: 4,
            letters: vec![letter("revoked", "gone", NOW), letter("revoked", "gone", NOW - SECOND)],
        },
        refusals: vec![
            Refusal::new(Reason::NotAuthorized, "verdict: unauthorized_channel", NOW - 3 * 86_400 * SECOND),
            Refusal::new(Reason::Schema, "body: breaks /type at \"\"", NOW - 4 * 86_400 * SECOND),
        ],
        rule_counts: RuleCounts::default(),
    };
    let (description, fields) = status(true, &findings);
    assert_eq!(description, "<#42> is authorized.");
    let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    assert_eq!(
        lines.join("\n"),
        "Last Received (UTC) = `23-11-2025 13:51:00`, 2 s ago
Last Posted (UTC) = `23-11-2025 13:50:01`, 1 min ago
Received = 14
Posted = 7
Waiting = 3, the oldest for 12 s
Dead Letters = 4
Blocked by Discord = Blocked for 1 min. Discord does not let the bot post in this channel. Give the bot View Channel, Send Messages and Embed Links there. It then goes on by itself. 3 dead letters follow too.\n`403 Missing ˋAccessˋ`
Refused: 20-11-2025 13:51:02, 3 d ago = The channel was not authorized. Use `!sentry channel authorize` with this channel.
Refused: 19-11-2025 13:51:02, 4 d ago = Sentry sent something this bot does not know, or it was not Sentry. Tell the bot's operator.\n`body: breaks /type at \"\"`
Dead Letter ×2: 23-11-2025 13:51:02, 0 s ago = The channel was no longer authorized. Use `!sentry channel authorize`, then `!sentry replay` there.\n`gone`"
    );
}

fn mute(number: u64, reason: &str) -> Mute {
    let scope = MuteScope::Issue("BACKEND-1F".to_owned());
    let reason = Some(reason.to_owned());
    Mute { number, scope, until_ms: NOW + 3_600 * SECOND, reason, by: UserId::new(7), made_ms: NOW }
}

#[test]
fn rules_and_mutes_that_took_alerts_have_a_line_each() {
    let counts = RuleCounts { routed: 5, dropped: 2, muted: 1, ..RuleCounts::default() };
    let tally = Tally { posted: 1, ..Tally::default() };
    let findings = Findings { tally, rule_counts: counts, ..Findings::default() };
    let ended = Mute { until_ms: NOW, ..mute(1, "x") };
    let rules = ChannelRules { mutes: vec![ended, mute(2, "a deploy")], ..ChannelRules::default() };
    let (_, fields) = status_with(true, &findings, rules);
    let value = |wanted| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    assert_eq!(value("Received"), Some("9"));
    let counts = ["Routed", "Dropped by Rules", "Muted"].map(value);
    assert_eq!(counts, [Some("5"), Some("2"), Some("1")]);
    let muted = "**2** issue `BACKEND-1F` until <t:1763909462:f>, by <@7>: `a deploy` · no alerts yet";
    assert_eq!(value("Muted Now"), Some(muted));
}

#[test]
fn whatever_was_noted_an_embed_keeps_discord_s_limits() {
    let hostile = "`@everyone` **x** \u{202e}".repeat(200);
    let reasons = [Reason::Query, Reason::Token, Reason::Signature, Reason::Schema, Reason::Repeat];
    let dead = ["unreachable", "mention", "revoked", "refused", "unreadable"];
    let findings = Findings {
        closure: Some(closure(&hostile, None)),
        dead: Latest {
            kept: u64::MAX / 4,
            letters: dead.map(|reason| letter(reason, &hostile, i64::MIN)).into(),
        },
        refusals: (0..2)
            .flat_map(|_| reasons.map(|reason| Refusal::new(reason, &hostile, i64::MAX)))
            .collect(),
        rule_counts: RuleCounts { routed: u64::MAX / 4, ..RuleCounts::default() },
        ..Findings::default()
    };
    let rules = ChannelRules {
        mutes: (1..=25).map(|number| mute(number, &hostile)).collect(),
        ..ChannelRules::default()
    };
    let (description, fields) = status_with(false, &findings, rules);
    let size = |text: &str| text.chars().count();
    assert_eq!(fields.len(), 25);
    assert!(fields.iter().all(|(name, value)| size(name) <= 256 && size(value) <= 1_024));
    let total: usize = fields.iter().map(|(name, value)| size(name) + size(value)).sum();
    assert!(total + size(&description) < 5_900, "{total}");
    for (_, value) in &fields {
        assert_eq!(value.matches('`').count() % 2, 0, "{value}");
    }
}

#[test]
fn every_reason_has_words_and_a_remedy() {
    let refusals: [Reason; 17] = [
        Reason::Source,
        Reason::Query,
        Reason::MentionNotAnId,
        Reason::NotJson,
        Reason::TooLarge,
        Reason::Schema,
        Reason::NotAuthorized,
        Reason::Token,
        Reason::Signature,
        Reason::Repeat,
        Reason::UserUnknown,
        Reason::UserWithoutProject,
        Reason::UserOnOtherProject,
        Reason::QueueUnavailable,
        Reason::BacklogFull,
        Reason::Internal,
        Reason::Other,
    ];
    let prefix = "?".repeat(32);
    let names = CommandNames { form: Form::Typed, prefix: &prefix, slash_id: Some(u64::MAX) };
    let words = refusals.map(|reason| remedies::of_refusal(reason, &names));
    let distinct: std::collections::BTreeSet<_> = words.iter().collect();
    assert_eq!(distinct.len(), words.len());
    assert!(words.iter().all(|words| words.matches(". ").count() >= 1 && words.chars().count() < 350));
}

#[test]
fn a_repeat_may_be_an_unsigned_state_that_the_server_sent_twice() {
    let findings = Findings {
        refusals: vec![Refusal::new(Reason::Repeat, "state: repeated", NOW)],
        ..Findings::default()
    };
    let (_, fields) = status(true, &findings);
    let (_, words) = fields.iter().find(|(name, _)| name.starts_with("Refused")).expect("the refusal");
    assert!(!words.contains("signed"), "{words}");
    assert!(words.contains("If you or your server sent it twice, all is well."), "{words}");
}

#[test]
fn a_test_says_how_long_it_took_or_what_is_in_the_way() {
    assert_eq!(
        tested(&SampleOutcome::Posted(Duration::from_millis(85))),
        "Sent a sample alert: it was posted after 85 ms"
    );
    assert_eq!(
        tested(&SampleOutcome::Posted(Duration::from_millis(1_240))),
        "Sent a sample alert: it was posted after 1.2 s"
    );
    let sorted = |decision| tested(&SampleOutcome::Sorted(decision));
    assert_eq!(sorted(Decision::Mute(11)), "Sent a sample alert: mute 11 kept it quiet");
    assert_eq!(sorted(Decision::Drop(90)), "Sent a sample alert: rule 1 dropped it");
    let route = Decision::Route { rule: 80, target: ChannelId::new(5), ping: None };
    assert_eq!(sorted(route), "Sent a sample alert: rule 2 sent it to <#5>");
    assert_eq!(
        tested(&SampleOutcome::Dead(Box::new(letter("refused", "50035", NOW)))),
        "Sent a sample alert, but it cannot be posted. Discord refused the message itself. Tell the bot's operator. `!sentry replay` tries again.\n`50035`"
    );
    let waits = WaitingSummary { alerts: 9, oldest_ms: Some(NOW - 90 * SECOND), newest_ms: None };
    let text = tested(&SampleOutcome::Waits(Duration::from_secs(15), waits));
    assert!(text.starts_with(
        "Sent a sample alert, but it was not posted within 15.0 s. Waiting: 9, the oldest for 1 min."
    ));
}
