//! An alert that is in its home though it belongs elsewhere.

use insta::assert_snapshot;
use shared::alert::{Routing, Stranded, WhyStranded};

use super::{
    arbitrary::flooded,
    discord::{counted, faults},
    pictures::picture,
    *,
};

fn stranded(why: WhyStranded, alert: Alert) -> Alert {
    let stranded = Some(Stranded { target: ChannelId::new(123), why });
    Alert { routing: Routing { stranded, ..Routing::default() }, ..alert }
}

fn seen(why: WhyStranded, layout: Layout) -> String {
    let folded = Folded { count: 2, first_ms: HAPPENED - 120_000, ..lone(stranded(why, exception())) };
    picture(&embed(&folded, &Style::of(layout), 6_000).json)
}

#[test]
fn the_modern_layout_says_it_before_the_code() {
    assert_snapshot!(seen(WhyStranded::Full, Layout::Modern));
}

#[test]
fn the_classic_layout_has_a_field_for_it() {
    assert_snapshot!(seen(WhyStranded::Secured, Layout::Classic));
}

#[test]
fn a_compact_embed_says_it_in_a_few_words() {
    assert_snapshot!(seen(WhyStranded::Gone, Layout::Compact));
}

#[test]
fn each_reason_stays_whole_at_the_smallest_size() {
    for (why, whole, brief) in [
        (WhyStranded::Full, ", where too many alerts wait", ": full"),
        (WhyStranded::Gone, ", where the bot cannot post any more", ": no access"),
        (WhyStranded::Secured, ", which is secured, and this channel is not", ": secured"),
    ] {
        for layout in LAYOUTS {
            let Folded { latest, .. } = flooded();
            let target = ChannelId::new(u64::MAX);
            let routing = Routing { stranded: Some(Stranded { target, why }), ..Routing::default() };
            let folded = Folded { latest: Alert { routing, ..latest }, ..flooded() };
            let json = embed(&folded, &Style::of(layout), 0).json;
            let words = match layout {
                Layout::Compact => format!("not in <#{target}>{brief}"),
                Layout::Modern | Layout::Classic => format!("This belongs to <#{target}>{whole}"),
            };
            assert!(json.to_string().contains(&words), "{json}");
            assert_eq!(faults(&json), Vec::<String>::new());
            assert!(counted(&json).1 <= crate::render::MIN_EMBED_CHARS);
        }
    }
}

#[test]
fn a_change_that_followed_its_issue_speaks_of_no_rule() {
    for (kind, words) in [("issue.created", "A rule sends this to"), ("issue.resolved", "This belongs to")] {
        let alert = Alert { kind: kind.to_owned(), ..stranded(WhyStranded::Gone, exception()) };
        for layout in [Layout::Modern, Layout::Classic] {
            let json = embed(&lone(alert.clone()), &Style::of(layout), 6_000).json.to_string();
            assert!(json.contains(&format!("{words} <#123>, where the bot cannot post any more")), "{json}");
        }
    }
}
