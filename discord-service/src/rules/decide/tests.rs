use std::time::{Duration, Instant};

use proptest::prelude::*;
use shared::{RoleId, UserId, alert::Routing};

use super::*;
use crate::rules::{Conditions, Glob, Kind, Level, MOST};

const HOME: ChannelId = ChannelId::new(1);
const NOW_MS: i64 = 1_000;

fn glob(text: &str) -> Option<Glob> {
    Some(text.parse().expect("a pattern"))
}

fn rule(id: u64, conditions: Conditions, action: Action) -> Rule {
    Rule { id, conditions, action, ping: None, by: UserId::new(7), made_ms: 0 }
}

fn mute(number: u64, scope: MuteScope, until_ms: i64) -> Mute {
    Mute { number, scope, until_ms, reason: None, by: UserId::new(7), made_ms: 0 }
}

fn alert() -> Alert {
    Alert::new("error", "web", HOME, 0)
}

/// All of it again, from the words of the documentation.
fn obviously(rules: &ChannelRules, alert: &Alert, now_ms: i64) -> Decision {
    let is_as = |glob: &Option<Glob>, text: Option<&str>| match (glob, text) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(glob), Some(text)) => glob.matches(text),
    };
    let meets = |conditions: &Conditions| {
        let levels = ["debug", "info", "warning", "error", "fatal"];
        let place = |level: &str| levels.iter().position(|known| *known == level);
        let high_enough = match &conditions.level {
            None => true,
            Some(lowest) => {
                let own = alert.level.as_deref().and_then(place);
                own.is_some_and(|own| own >= place(&lowest.to_string()).unwrap_or_default())
            }
        };
        is_as(&conditions.project, Some(&alert.project))
            && is_as(&conditions.environment, alert.environment.as_deref())
            && high_enough
            && conditions.kind.is_none_or(|kind| kind == Kind::of(alert))
    };
    for mute in &rules.mutes {
        let taken = match &mute.scope {
            MuteScope::Conditions(conditions) => meets(conditions),
            MuteScope::Issue(issue) => {
                alert.issue_id.as_deref() == Some(issue)
                    || alert.short_id.as_ref().is_some_and(|id| id.to_lowercase() == issue.to_lowercase())
            }
        };
        if taken && mute.until_ms > now_ms {
            return Decision::Mute(mute.number);
        }
    }
    if alert.routing.home.is_some() {
        return Decision::Keep { rule: None, ping: alert.routing.ping };
    }
    for Rule { id, conditions, action, ping, .. } in &rules.rules {
        if meets(conditions) {
            return match *action {
                Action::Drop => Decision::Drop(*id),
                Action::Route(target) if target != HOME => Decision::Route { rule: *id, target, ping: *ping },
                _ => Decision::Keep { rule: Some(*id), ping: *ping },
            };
        }
    }
    Decision::Keep { rule: None, ping: None }
}

fn any_conditions() -> impl Strategy<Value = Conditions> {
    let glob = || prop::option::of("[ab*]{1,3}".prop_map(|text| text.parse().expect("a pattern")));
    let level = prop::option::of(prop::sample::select(vec![Level::Debug, Level::Warning, Level::Fatal]));
    let kind = prop::option::of(prop::sample::select(vec![Kind::Error, Kind::Cron, Kind::Issue]));
    (glob(), glob(), level, kind).prop_map(|(project, environment, level, kind)| Conditions {
        project,
        environment,
        level,
        kind,
    })
}

fn any_rules() -> impl Strategy<Value = ChannelRules> {
    let action = prop::sample::select(vec![
        Action::Drop,
        Action::Keep,
        Action::Route(ChannelId::new(2)),
        Action::Route(HOME),
    ]);
    let ping = prop::option::of(Just(Ping::Role(RoleId::new(9))));
    let one = (any_conditions(), action, ping);
    let scope = prop_oneof![
        any_conditions().prop_map(MuteScope::Conditions),
        "(WEB|web)-[12]|[12]".prop_map(MuteScope::Issue)
    ];
    let mute = (scope, NOW_MS - 1..NOW_MS + 2);
    (prop::collection::vec(one, 0..4), prop::collection::vec(mute, 0..3)).prop_map(|(rules, mutes)| {
        let rules = (1..)
            .zip(rules)
            .map(|(id, (conditions, action, ping))| Rule { ping, ..rule(id, conditions, action) });
        let mutes = (1..).zip(mutes).map(|(number, (scope, until_ms))| self::mute(number, scope, until_ms));
        ChannelRules { rules: rules.collect(), mutes: mutes.collect(), ..ChannelRules::default() }
    })
}

fn any_alert() -> impl Strategy<Value = Alert> {
    let kind = prop::sample::select(vec!["error", "issue.created", "installation.created"]);
    let level = prop::option::of(prop::sample::select(vec!["debug", "error", "fatal", "loud"]));
    let texts = (
        "[ab]{1,3}",
        prop::option::of("[ab]{1,3}"),
        prop::option::of("[123]"),
        prop::option::of("(WEB|web)-[123]"),
    );
    let details = prop::option::of(Just("cron".to_owned()));
    (kind, level, texts, details, prop::option::of(Just(ChannelId::new(5)))).prop_map(
        |(kind, level, (project, environment, issue_id, short_id), category, home)| {
            let mut alert = Alert { environment, issue_id, short_id, ..Alert::new(kind, &project, HOME, 0) };
            alert.level = level.map(str::to_owned);
            alert.details.category = category;
            alert.routing = Routing { home, ping: Some(Ping::User(UserId::new(8))), ..Routing::default() };
            alert
        },
    )
}

proptest! {
    #[test]
    fn it_decides_as_the_documentation_says(rules in any_rules(), alert in any_alert()) {
        prop_assert_eq!(decide(&rules, &alert, NOW_MS), obviously(&rules, &alert, NOW_MS));
    }

    #[test]
    fn conditions_that_cover_others_hold_where_those_do(
        one in any_conditions(),
        other in any_conditions(),
        alert in any_alert(),
    ) {
        let facts = AlertFacts::from(&alert);
        prop_assert!(!one.cover(&other) || !other.hold(&facts) || one.hold(&facts));
    }
}

#[test]
fn the_first_rule_that_matches_decides_and_without_one_the_alert_stays() {
    let of = |project| Conditions { project: glob(project), ..Conditions::default() };
    let rules = ChannelRules {
        rules: vec![
            rule(4, of("api-*"), Action::Drop),
            rule(2, of("web*"), Action::Route(ChannelId::new(2))),
            rule(3, of("web"), Action::Keep),
        ],
        ..ChannelRules::default()
    };
    let routed = Decision::Route { rule: 2, target: ChannelId::new(2), ping: None };
    assert_eq!(decide(&rules, &alert(), NOW_MS), routed);
    let other = Alert::new("error", "shop", HOME, 0);
    assert_eq!(decide(&rules, &other, NOW_MS), Decision::Keep { rule: None, ping: None });
}

#[test]
fn a_mute_comes_before_the_rules_and_ends_at_its_end() {
    let all = Conditions::default();
    let rules = ChannelRules {
        rules: vec![rule(1, all.clone(), Action::Drop)],
        mutes: vec![mute(3, MuteScope::Conditions(all), NOW_MS)],
        ..ChannelRules::default()
    };
    assert_eq!(decide(&rules, &alert(), NOW_MS - 1), Decision::Mute(3));
    assert_eq!(decide(&rules, &alert(), NOW_MS), Decision::Drop(1));
}

#[test]
fn a_condition_on_what_the_alert_lacks_does_not_hold() {
    let any = Conditions { environment: glob("*"), ..Conditions::default() };
    assert!(!any.hold(&AlertFacts::from(&alert())));
    assert!(!any.cover(&Conditions::default()), "the alert may have no environment");
    assert!(Conditions::default().cover(&any));
}

#[test]
fn a_rule_costs_next_to_nothing() {
    const ROUNDS: u32 = 2_000;
    let conditions = Conditions {
        project: glob("*-service-*"),
        environment: glob("prod*"),
        level: Some(Level::Debug),
        kind: Some(Kind::Error),
    };
    let rules = (1..).take(MOST).map(|id| rule(id, conditions.clone(), Action::Drop)).collect();
    let rules = ChannelRules { rules, ..ChannelRules::default() };
    let alert = Alert {
        environment: Some("production".to_owned()),
        level: Some("error".to_owned()),
        ..Alert::new("error", "orders-service", HOME, 0)
    };
    let began = Instant::now();
    for _ in 0..ROUNDS {
        let decision = std::hint::black_box(decide(&rules, &alert, NOW_MS));
        assert_eq!(decision, Decision::Keep { rule: None, ping: None });
    }
    let most = Duration::from_micros(10) * ROUNDS * u32::try_from(MOST).expect("few");
    // Unoptimised and on a busy machine. A release build takes a hundredth.
    assert!(began.elapsed() < most, "{:?}", began.elapsed());
}
