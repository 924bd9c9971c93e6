//! The texts about rules and mutes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shared::{RoleId, alert::Ping};

use super::{
    super::tests::{Bot, embed, says},
    not_made::*,
    *,
};
use crate::{
    commands::parse::{CheckedAlert, Form, RulesMistake},
    rules::{
        Action, ChannelRules, Kind, Level, RuleRefusal,
        counts::{Hit, RuleCounts},
    },
};

const HOME: ChannelId = ChannelId::new(42);
const TARGET: ChannelId = ChannelId::new(5);
const NOW: i64 = 1_763_905_862_000;

fn rule(id: u64, project: &str, action: Action) -> Rule {
    let project = Some(project.parse().expect("a pattern"));
    let conditions = Conditions { project, ..Conditions::default() };
    Rule { id, conditions, action, ping: None, by: UserId::new(7), made_ms: NOW }
}

fn mute(number: u64, scope: Conditions) -> Mute {
    let (until_ms, reason) = (NOW + 3_600_000, Some("a deploy".to_owned()));
    let scope = MuteScope::Conditions(scope);
    Mute { number, scope, until_ms, reason, by: UserId::new(7), made_ms: NOW }
}

fn of(kind: Kind) -> Conditions {
    Conditions { kind: Some(kind), ..Conditions::default() }
}

#[test]
fn a_new_rule_is_said_in_words_with_what_one_should_know_of_it() {
    let bot = Bot::new(&[]);
    let texts = bot.to(Form::Slash);
    let rule = Rule { ping: Some(Ping::Role(RoleId::new(9))), ..rule(1, "web-*", Action::Route(TARGET)) };
    let first = "Rule 3: alerts of `web-*` → <#5>, mentions <@&9>";
    says(&texts.rule_added(3, &rule, &[]), first);
    let warnings = [
        RuleWarning::Shadowed { number: 3, earlier: 1 },
        RuleWarning::TakesAll,
        RuleWarning::DropsAll { home: HOME, number: 1 },
        RuleWarning::DropsAll { home: HOME, number: 2 },
        RuleWarning::Closed { target: TARGET, words: "Missing `Access`".to_owned() },
        RuleWarning::TargetHasRules(TARGET),
        RuleWarning::CannotSee { user: UserId::new(7), channel: TARGET },
    ];
    let expected = format!(
        "{first}
Rule 3 never applies: rule 1 takes all its alerts. </sentry rule move:9> changes the order.
It has no conditions, so it takes every alert. Rules after it never apply.
It has no conditions, so no alert that Sentry sends to <#42> appears any more.
It has no conditions, so it drops every alert that no earlier rule takes.
Discord refuses posts in <#5> at the moment: `Missing ˋAccessˋ`
Its alerts become dead letters and follow later.
The rules of <#5> do not apply to alerts from here.
<@7> cannot see <#5>, so the mention does not reach them."
    );
    says(&texts.rule_added(3, &rule, &warnings), &expected);
}

#[test]
fn rules_are_removed_moved_and_checked() {
    let bot = Bot::new(&[]);
    let texts = bot.to(Form::Slash);
    let drop = rule(1, "web", Action::Drop);
    says(&rule_removed(2, &drop), "Removed rule 2\nIt was: alerts of `web` → dropped");
    says(&rule_moved(3, 1, &[]), "Rule 3 is now rule 1");
    for (numbers, line) in [
        (&[2][..], "Rule 2 never applies: rule 1 takes all its alerts."),
        (&[2, 3], "Rules 2 and 3 never apply: rule 1 takes all their alerts."),
        (&[2, 3, 4, 5, 6], "Rules 2 to 6 never apply: rule 1 takes all their alerts."),
        (&[2, 4, 5], "Rules 2, 4 and 5 never apply: rule 1 takes all their alerts."),
    ] {
        let shadowed: Vec<_> = numbers.iter().map(|number| (*number, 1)).collect();
        says(&rule_moved(3, 1, &shadowed), &format!("Rule 3 is now rule 1\n{line}"));
    }
    says(
        &texts.done_before(),
        "This is done already. </sentry rule list:9> shows the rules and mutes of the channel.",
    );
}

#[test]
fn a_checked_alert_is_repeated_with_what_is_in_its_way() {
    let bare = CheckedAlert { project: None, environment: None, level: None, kind: Kind::Error };
    let stays =
        "No rule matches: the alert stays here\nThat is for an error, without project, environment or level.";
    says(&rule_decides(HOME, &bare, None, None), stays);
    let alert =
        CheckedAlert { project: Some("web".to_owned()), level: Some(Level::Fatal), kind: Kind::Cron, ..bare };
    let route = rule(1, "web", Action::Route(TARGET));
    let first = "Rule 2 decides: alerts of `web` → <#5>\n\
                 That is for a cron alert of `web` at level fatal, without environment.";
    let checked = |obstacle: Option<&Obstacle>| rule_decides(HOME, &alert, Some((2, &route)), obstacle);
    says(&checked(None), first);
    let quiet = mute(3, of(Kind::Cron));
    let target = |problem| Obstacle::Target(TARGET, problem);
    for (obstacle, line) in [
        (Obstacle::HomeNotAuthorized, "<#42> is not authorized, so none of its alerts is posted."),
        (
            Obstacle::Muted { target: None, mute: quiet.clone() },
            "mute 3 keeps it quiet: cron alerts until <t:1763909462:f>, by <@7>: `a deploy`",
        ),
        (
            Obstacle::Muted { target: Some(TARGET), mute: quiet },
            "mute 3 of <#5> keeps it quiet: cron alerts until <t:1763909462:f>, by <@7>: `a deploy`",
        ),
        (target(TargetProblem::NotAuthorized), "<#5> is not authorized, so the alert stays in <#42>."),
        (target(TargetProblem::Secured), "<#5> is secured and <#42> is not, so the alert stays in <#42>."),
        (target(TargetProblem::Hidden), "<#5> was deleted, or I cannot see it."),
        (
            target(TargetProblem::Closed("Missing Access".to_owned())),
            "Discord refuses posts in <#5> at the moment: `Missing Access`",
        ),
    ] {
        says(&checked(Some(&obstacle)), &format!("{first}\nBut {line}"));
    }
}

#[test]
fn a_mute_has_a_button_that_ends_it() {
    let Reply::WithButton(text, button) = muted(HOME, &mute(3, of(Kind::Cron))) else {
        unreachable!("a button");
    };
    let rest = "I count these alerts and do not post them. At the end I say how many they were, if there were any.\n\
                Changes of an issue still edit its earlier messages.";
    assert_eq!(text, format!("Mute 3: cron alerts until <t:1763909462:f>, by <@7>: `a deploy`\n{rest}"));
    assert_eq!(button, Button { custom_id: "unmute:42:3".to_owned(), label: "Unmute" });
    let Reply::WithButton(text, _) = muted(HOME, &mute(4, Conditions::default())) else {
        unreachable!("a button");
    };
    assert_eq!(
        text,
        format!(
            "Mute 4: all alerts until <t:1763909462:f>, by <@7>: `a deploy`\nThis mutes all of <#42>.\n{rest}"
        )
    );
    for (issue, says_so) in [("BACKEND-1F", true), ("42", false)] {
        let scope = MuteScope::Issue(issue.to_owned());
        let reply = muted(HOME, &Mute { scope, ..mute(5, of(Kind::Cron)) });
        let Reply::WithButton(text, _) = reply else { unreachable!("a button") };
        assert_eq!(text.contains("\nAlerts of single events carry no short id."), says_so, "{text}");
    }
    says(&unmuted(3), "Mute 3 has ended");
    says(&unmuted_before(3), "Mute 3 has ended already");
    says(&no_such_mute(HOME, 9), "<#42> has no mute 9");
}

#[test]
fn refusals_say_what_helps() {
    let bot = Bot::new(&[]);
    let texts = bot.to(Form::Slash);
    says(
        &texts.authorize_first(TARGET),
        "<#5> is not authorized. Use </sentry channel authorize:9> with it first.",
    );
    says(
        &texts.target_is_secured(HOME, TARGET),
        "<#5> is secured, and <#42> is not: strangers could send alerts through <#42>.\n\
         Secure <#42> first, with </sentry channel secure:9>.",
    );
    says(
        &texts.role_not_mentionable(RoleId::new(9), TARGET),
        "I cannot mention <@&9> in <#5>.\n\
         Allow it in Server Settings → Roles → the role → *Allow anyone to @mention this role*, \
         or give me Mention Everyone there. Then use </sentry rule add:9> again.",
    );
    let full = "<#42> has 25 rules already. Remove one first, with </sentry rule remove:9>.";
    says(&texts.rule_refused(HOME, RuleRefusal::Full), full);
    says(&texts.rule_refused(HOME, RuleRefusal::Duplicate(4)), "Rule 4 says the same already");
    let full = "<#42> has 25 mutes already. End one first, with </sentry unmute:9>.";
    says(&texts.too_many_mutes(HOME), full);
    says(&no_such_rule(HOME, 4, 0), "<#42> has no rules");
    says(&no_such_rule(HOME, 4, 1), "<#42> has no rule 4, only rule 1");
    says(&no_such_rule(HOME, 4, 3), "<#42> has no rule 4, only rules 1 to 3");
    for mistake in [
        RulesMistake::NotAPattern,
        RulesMistake::NotAnIssue,
        RulesMistake::Blank("project"),
        RulesMistake::NotAChoice,
        RulesMistake::NoTarget,
        RulesMistake::NotARoute,
        RulesMistake::NoMessage,
        RulesMistake::IssueAndConditions,
    ] {
        let Reply::Text(text) = mistaken_rules(mistake) else { unreachable!("a text") };
        assert!(
            text.contains("Please") || text.contains("Choose") || text.to_lowercase().contains("leave"),
            "{text}"
        );
    }
}

#[test]
fn a_typed_command_with_options_leads_to_its_slash_command() {
    let bot = Bot::new(&[]);
    says(
        &bot.typed().slash_options("rule add"),
        "Use `/sentry rule add`, which offers what you can choose\n</sentry rule add:9>",
    );
}

#[test]
fn the_list_shows_each_rule_and_mute_with_its_hits() {
    let ended = Mute { until_ms: NOW, ..mute(1, of(Kind::Uptime)) };
    let rules = ChannelRules {
        rules: vec![
            rule(4, "web", Action::Route(TARGET)),
            rule(2, "api", Action::Route(HOME)),
            rule(9, "x", Action::Drop),
            rule(10, "y", Action::Route(ChannelId::new(6))),
            rule(11, "z", Action::Route(ChannelId::new(7))),
        ],
        mutes: vec![ended, mute(2, of(Kind::Cron))],
        ..ChannelRules::default()
    };
    let hit = |count| Hit { count, last_ms: NOW };
    let counts = RuleCounts {
        rules: [(4, hit(12)), (9, hit(1))].into(),
        mutes: [(2, hit(214))].into(),
        ..RuleCounts::default()
    };
    let bot = Bot::new(&[]);
    let rules = KeptRules { rules: rules.into(), lost: false };
    let problems = [
        (HOME, TargetProblem::NotAuthorized),
        (ChannelId::new(6), TargetProblem::Secured),
        (ChannelId::new(7), TargetProblem::Closed("Missing Access".to_owned())),
    ];
    let listed = embed(bot.typed().rules(HOME, &rules, &counts, &problems.into(), NOW));
    let lines = "**1** alerts of `web` → <#5>, by <@7> · 12 alerts, the last <t:1763905862:R>
**2** alerts of `api` → <#42> (not authorized, so they stay here), by <@7> · no alerts yet
**3** alerts of `x` → dropped, by <@7> · 1 alert, <t:1763905862:R>
**4** alerts of `y` → <#6> (secured and this channel is not, so they stay here), by <@7> · no alerts yet
**5** alerts of `z` → <#7> (Discord refuses posts there), by <@7> · no alerts yet";
    let mutes = "**2** cron alerts until <t:1763909462:f>, by <@7>: `a deploy` · 214 alerts, the last <t:1763905862:R>";
    assert_eq!(
        listed,
        json!({
            "title": "***SENTRY RULES***",
            "description": "Rules of <#42>. The first one that matches an alert decides.",
            "fields": [{"name": "Rules", "value": lines}, {"name": "Mutes", "value": mutes}],
        })
    );
    let empty = |kept| embed(bot.typed().rules(HOME, &kept, &RuleCounts::default(), &BTreeMap::new(), NOW));
    let says = "<#42> has no rules: every alert stays there. Add one with </sentry rule add:9>.";
    let shown = |says| json!({"title": "***SENTRY RULES***", "description": says, "fields": []});
    assert_eq!(empty(KeptRules::default()), shown(says));
    let says = "The rules of <#42> were lost, so its alerts wait. Add a rule with </sentry rule add:9>.";
    assert_eq!(empty(KeptRules { lost: true, ..KeptRules::default() }), shown(says));
}

/// As Discord counts them, and no more than it takes.
fn chars(embed: &Value) -> usize {
    let text = |value: &Value| value.as_str().unwrap_or_default().encode_utf16().count();
    let fields = embed["fields"].as_array().expect("fields");
    assert!(fields.iter().all(|field| text(&field["value"]) <= 1024 && text(&field["name"]) <= 256));
    let fields = fields.iter().map(|field| text(&field["name"]) + text(&field["value"]));
    text(&embed["title"]) + text(&embed["description"]) + fields.sum::<usize>()
}

#[test]
fn the_longest_list_keeps_discord_s_limits_and_says_how_many_more_there_are() {
    let long = "🦀".repeat(100);
    let rules = ChannelRules {
        rules: (0..25).map(|id| rule(id, &long, Action::Route(ChannelId::new(u64::MAX)))).collect(),
        mutes: (0..25)
            .map(|number| Mute { reason: Some(long.clone()), ..mute(number, of(Kind::Cron)) })
            .collect(),
        ..ChannelRules::default()
    };
    let bot = Bot::new(&[]);
    let rules = KeptRules { rules: rules.into(), lost: false };
    let listed = embed(bot.typed().rules(HOME, &rules, &RuleCounts::default(), &BTreeMap::new(), NOW));
    let fields = listed["fields"].as_array().expect("fields");
    let names: Vec<_> = fields.iter().map(|field| field["name"].as_str().expect("text")).collect();
    assert_eq!(names, ["Rules", "Rules (continued)", "Rules (continued)", "Mutes", "Mutes (continued)"]);
    for field in [&fields[2], &fields[4]] {
        let last = field["value"].as_str().expect("text").lines().last().expect("a line");
        assert!(last.starts_with("and ") && last.ends_with(" more"), "{last}");
    }
    assert!(chars(&listed) <= 6_000, "{}", chars(&listed));
}
