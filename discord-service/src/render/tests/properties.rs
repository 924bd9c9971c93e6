//! For any alert, also one that no ingress would have let through.

use std::collections::BTreeSet;

use proptest::{collection::vec, option, prelude::*};
use shared::alert::Ping;

use super::{
    super::{Change, Exhibit, MIN_EMBED_CHARS, Mentions, edit, message},
    arbitrary::{change, flooded, folded},
    discord::{counted, faults, field, fields, has_null, text},
    *,
};

const CONTRACT: [&str; 7] = ["Title", "Logger", "Level", "Culprit", "Message", "URL", "Timestamp (UTC)"];

fn layout() -> impl Strategy<Value = Layout> {
    prop::sample::select(&LAYOUTS[..])
}

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
        layout in layout(),
        links: bool,
        max_chars in prop_oneof![Just(MIN_EMBED_CHARS), Just(600), Just(6_000), MIN_EMBED_CHARS..7_000usize],
    ) {
        let embed = embed(&folded, &Style { links, ..Style::of(layout) }, max_chars);
        prop_assert_eq!(faults(&embed.json), Vec::<String>::new());
        prop_assert!(serde_json::from_value::<serenity::all::Embed>(embed.json.clone()).is_ok());
        let (points, units) = counted(&embed.json);
        prop_assert_eq!(embed.chars, units);
        prop_assert!(points <= units && units <= max_chars.min(6_000), "{} of {}", units, max_chars);

        if layout == Layout::Classic {
            let names = fields(&embed.json).iter().map(|field| text(field, "/name"));
            let contract: Vec<_> = names.filter(|name| CONTRACT.contains(name)).collect();
            prop_assert_eq!(contract, CONTRACT);
        }
        let signs = embed.json.to_string().matches('×').count();
        prop_assert_eq!(signs, usize::from(folded.count > 1));
        if layout == Layout::Classic && folded.latest.level.as_deref() == Some("error") {
            prop_assert_eq!(field(&embed.json, "Level"), Some("`error`"));
        }
        if !links {
            prop_assert!(embed.link.is_none());
            prop_assert!(["/url", "/thumbnail", "/author/icon_url"].iter().all(|at| embed.json.pointer(at).is_none()));
        }
    }

}

proptest! {
    // Up to ten embeds a case.
    #![proptest_config(config(4))]

    #[test]
    fn any_post_pings_only_whom_it_should(
        alerts in vec(folded(), 1..=10),
        layout in layout(),
    ) {
        let style = Style::of(layout);
        let embeds: Vec<_> = alerts.iter().map(|folded| embed(folded, &style, 600)).collect();
        let body = message(&embeds, &Mentions::of(alerts.iter().map(|folded| &folded.latest)), "nonce");
        let (mut expected, mut users, mut roles) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for alert in alerts.iter().map(|folded| &folded.latest) {
            let by_rule = match alert.routing.ping {
                Some(Ping::User(user)) => Some(user),
                Some(Ping::Role(role)) => {
                    expected.insert(format!("<@&{role}>"));
                    roles.insert(role.to_string());
                    None
                }
                None => None,
            };
            for user in alert.mention.into_iter().chain(by_rule) {
                expected.insert(format!("<@{user}>"));
                users.insert(user.to_string());
            }
        }
        let exhibits: Vec<_> = alerts
            .iter()
            .zip(&embeds)
            .map(|(folded, embed)| Exhibit::new(folded.clone(), &style, embed))
            .collect();
        let edited = edit(exhibits.iter(), &style, 600);
        prop_assert_eq!(edited.get("content"), body.get("content"));
        let kept = if expected.is_empty() { None } else { Some(&body["allowed_mentions"]) };
        prop_assert_eq!(edited.get("allowed_mentions"), kept);
        let mentioned: Vec<_> = text(&body, "/content").split_whitespace().map(str::to_owned).collect();
        prop_assert_eq!(mentioned.len(), expected.len(), "each once");
        prop_assert_eq!(mentioned.into_iter().collect::<BTreeSet<_>>(), expected);
        let named = |kind: &str| {
            let ids = body["allowed_mentions"][kind].as_array().into_iter().flatten();
            ids.filter_map(|id| Some(id.as_str()?.to_owned())).collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(&body["allowed_mentions"]["parse"], &serde_json::json!([]));
        prop_assert_eq!((named("users"), named("roles")), (users, roles));
        prop_assert!(!has_null(&body), "{}", body);
        prop_assert!(embeds.iter().map(|embed| embed.chars).sum::<usize>() <= 6_000);
    }

    #[test]
    fn whatever_became_of_issues_their_message_stays_harmless_and_within_the_limits(
        alerts in vec((folded(), vec(change(), 0..4), option::of(Just(EARLIER))), 1..=10),
        layout in layout(),
        crowded: bool,
    ) {
        let style = Style::of(layout);
        let max_chars = if crowded { 600 } else { 6_000 };
        let mut room = 0;
        let mut exhibits: Vec<_> = alerts.iter().map(|(folded, _, earlier)| {
            let mut folded = folded.clone();
            folded.history.earlier = earlier.map(str::to_owned);
            let embed = embed(&folded, &style, max_chars);
            (Exhibit::new(folded, &style, &embed), embed)
        }).take_while(|(exhibit, _)| {
            room += exhibit.room();
            room <= 6_000 || room == exhibit.room()
        }).collect();
        for ((exhibit, _), (_, changes, _)) in exhibits.iter_mut().zip(&alerts) {
            changes.iter().for_each(|change| { exhibit.add(change); });
        }
        let body = edit(exhibits.iter().map(|(exhibit, _)| exhibit), &style, max_chars);
        let embeds = body["embeds"].as_array().expect("embeds");
        for (json, ((_, before), (folded, changes, _))) in embeds.iter().zip(exhibits.iter().zip(&alerts)) {
            prop_assert_eq!(faults(json), Vec::<String>::new());
            let own = Change::of(&folded.latest);
            if changes.is_empty() {
                for part in ["fields", "description"] {
                    prop_assert_eq!(json.get(part), before.json.get(part), "nothing became of it");
                }
            } else if own.is_none() && layout == Layout::Classic {
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
    for layout in [Layout::Modern, Layout::Compact] {
        let json = embed(&flooded(), &Style::of(layout), 0).json;
        let pace = "**×18446744073709551615 in 2932897 days**";
        assert!(text(&json, "/description").contains(pace), "{json}");
        let mut lines = text(&json, "/description").lines();
        assert!(lines.any(|line| line.ends_with(" · first <t:0:R>")), "{json}");
        assert!(counted(&json).1 <= MIN_EMBED_CHARS);
        assert_eq!(faults(&json), Vec::<String>::new());
    }
}

#[test]
fn no_caller_can_ask_for_more_than_discord_takes() {
    let json = embed(&flooded(), &style(), usize::MAX).json;
    let (_, units) = counted(&json);
    assert!((5_900..=6_000).contains(&units), "{units}");
    assert_eq!(faults(&json), Vec::<String>::new());
}
