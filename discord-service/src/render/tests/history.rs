//! What a developer on call sees as an issue goes on.

use insta::assert_snapshot;
use serde_json::Value;
use shared::alert::Details;

use super::{
    super::{Change, Exhibit, edit},
    discord::field,
    pictures::picture,
    *,
};

const MINUTE: i64 = 60_000;

/// What Sentry tells of the issue so many minutes after it began.
fn told(kind: &str, minutes: i64, details: Details) -> Alert {
    let at = HAPPENED + minutes * MINUTE;
    Alert { kind: kind.to_owned(), details, timestamp_ms: at, received_ms: at, ..exception() }
}

fn by(actor: &str) -> Details {
    Details { actor: Some(actor.to_owned()), ..Details::default() }
}

fn change(kind: &str, minutes: i64, details: Details) -> Change {
    Change::of(&told(kind, minutes, details)).expect("a change")
}

fn exhibit(alert: Alert) -> Exhibit {
    let folded = lone(alert);
    let embed = embed(&folded, &style(), 6_000);
    Exhibit::new(folded, &style(), &embed)
}

fn shown(exhibit: &Exhibit) -> Value {
    edit(std::iter::once(exhibit), &style(), 6_000)["embeds"][0].clone()
}

fn assigned() -> Change {
    change("issue.assigned", 2, Details { assignee: Some("Bob".to_owned()), ..by("Jane") })
}

fn resolved() -> Change {
    change("issue.resolved", 9, Details { how: Some("in the next release".to_owned()), ..by("Jane") })
}

fn back() -> Alert {
    told("issue.unresolved", 30, Details { how: Some("regression".to_owned()), ..Details::default() })
}

#[test]
fn an_issue_is_assigned_resolved_and_back() {
    let mut first = exhibit(told("issue.created", 0, Details::default()));
    let mut pictures = vec![picture(&shown(&first))];
    for change in [assigned(), resolved(), Change::of(&back()).expect("a change")] {
        assert!(first.add(&change));
        pictures.push(picture(&shown(&first)));
    }
    let mut again = lone(back());
    again.history = first.folded.history.clone();
    again.history.earlier = Some("https://discord.com/channels/1/2/3".to_owned());
    pictures.push(picture(&embed(&again, &style(), 6_000).json));
    assert_snapshot!(pictures.join("\n"));
}

#[test]
fn a_recovery_is_shown_unless_it_came_before_what_the_message_shows() {
    for (kind, words) in [("metric_alert.resolved", "Resolved"), ("uptime.up", "Up again")] {
        let mut critical = exhibit(told("metric_alert.critical", 5, Details::default()));
        assert!(!critical.add(&change(kind, 4, Details::default())));
        assert!(critical.add(&change(kind, 6, Details::default())));
        let shown = shown(&critical);
        assert_eq!(shown["color"], 0x4D_C7_71);
        assert!(shown.to_string().contains(&format!("{words} ·")), "{shown}");
    }
}

#[test]
fn the_recovery_of_a_later_outage_changes_no_message_about_an_earlier_one() {
    let up = |at| change("uptime.up", at, Details::default());
    let mut down = exhibit(told("uptime.down", 5, Details::default()));
    assert!(down.add(&up(6)));
    assert!(!down.add(&up(9)), "it was over at 6");
    let mut posted_as_up = exhibit(told("uptime.up", 5, Details::default()));
    assert!(!posted_as_up.add(&up(9)));
}

#[test]
fn the_newest_state_stands_whatever_came_last() {
    let mut first = exhibit(exception());
    assert!(first.add(&resolved()));
    let before = shown(&first);
    for older in [
        change("issue.archived", 5, by("Bob")),
        Change::of(&told("issue.unresolved", 8, by("Bob"))).expect("a change"),
        resolved(),
    ] {
        assert!(!first.add(&older), "{older:?}");
    }
    assert_eq!(shown(&first), before);
    // An assignment is no state.
    assert!(first.add(&assigned()));
    let status = "`Resolved by Jane (in the next release) · 23-11-2025 14:00:02`\n`Assigned to Bob by Jane · 23-11-2025 13:53:02`";
    assert_eq!(field(&shown(&first), "Status (UTC)"), Some(status));
}

#[test]
fn the_colour_says_whether_anything_is_to_be_done() {
    let colour = |change: Change| {
        let mut first = exhibit(exception());
        first.add(&change);
        shown(&first)["color"].clone()
    };
    assert_eq!(colour(resolved()), 0x4D_C7_71);
    assert_eq!(colour(change("issue.archived", 1, by("Jane"))), 0x95_A5_A6);
    assert_eq!(colour(assigned()), 0xE0_3E_2F);
    assert_eq!(rendered(told("issue.archived", 1, by("Jane"))).json["color"], 0x95_A5_A6);
    assert_eq!(colour(change("issue.unresolved", 1, by("Jane"))), 0xE0_3E_2F);
}

#[test]
fn a_message_of_a_change_does_not_tell_it_twice_and_turns_with_the_next() {
    let alert = told("issue.resolved", 9, by("Jane"));
    let mut first = exhibit(alert.clone());
    first.add(&Change::of(&alert).expect("a change"));
    assert_eq!((field(&shown(&first), "Status (UTC)"), &shown(&first)["color"]), (None, &0x4D_C7_71.into()));
    first.add(&Change::of(&told("issue.unresolved", 20, by("Bob"))).expect("a change"));
    let json = shown(&first);
    assert_eq!(field(&json, "Status (UTC)"), Some("`Reopened by Bob · 23-11-2025 14:11:02`"));
    assert_eq!(json["color"], 0xE0_3E_2F);
}

#[test]
fn a_name_is_harmless_and_cut_before_the_time() {
    let mut first = exhibit(exception());
    first.add(&change("issue.resolved", 1, by(&format!("`@everyone` \u{202E}{}", "x".repeat(500)))));
    let json = shown(&first);
    let status = field(&json, "Status (UTC)").expect("a status");
    assert!(status.starts_with("`Resolved by ˋ@everyoneˋ xxx"), "{status}");
    assert!(status.ends_with("x… · 23-11-2025 13:52:02`"), "{status}");
}

#[test]
fn an_edit_cuts_only_the_embed_that_grows_and_only_where_it_must() {
    let long = |issue: &str| Alert {
        issue_id: Some(issue.to_owned()),
        message: Some("word ".repeat(300)),
        ..exception()
    };
    let embeds: Vec<_> = (0..10).map(|n| embed(&lone(long(&n.to_string())), &style(), 600)).collect();
    let mut exhibits: Vec<_> = embeds
        .iter()
        .zip(0..)
        .map(|(embed, n)| Exhibit::new(lone(long(&n.to_string())), &style(), embed))
        .collect();
    exhibits[3].add(&resolved());
    let body = edit(exhibits.iter(), &style(), 600);
    let chars: usize = (0..10).map(|n| super::discord::counted(&body["embeds"][n]).1).sum();
    assert!(chars <= 6_000, "{chars}");
    for n in (0..10).filter(|n| *n != 3) {
        assert_eq!(body["embeds"][n]["fields"], embeds[n].json["fields"], "{n}");
    }
    assert!(field(&body["embeds"][3], "Status (UTC)").is_some());
}
