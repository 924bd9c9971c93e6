//! `rule …`: added, listed, moved, checked, removed, and offered while somebody types.

use clap::Parser as _;
use discord_service::{
    rules::{Action, Conditions, Rule, RuleRefusal, Rulebook},
    settings::Settings,
    store,
};
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Target, permissions};
use serde_json::{Value, json};
use shared::{ChannelId, GuildId, UserId, trust::ChannelTrust};

use crate::{
    slash::{REFUSAL, connected, text, used},
    stage::Stage,
    status::lanes,
};

pub(crate) const ADD: &str = "sentry rule add";
const LIST: &str = "sentry rule list";

/// Adds a rule in the office and returns the answer.
pub(crate) async fn add(stage: &Stage, options: &[(&str, &str)]) -> String {
    text(stage, stage.moderator, stage.office, ADD, options).await
}

/// The office and the alerts' channel are authorized; the latter's id as text.
pub(crate) async fn both_authorized(stage: &Stage) -> String {
    stage.authorize(stage.office).await;
    stage.authorize(stage.alerts).await;
    stage.alerts.to_string()
}

/// What the list shows: its description, and the lines of its fields.
async fn listed(stage: &Stage) -> (String, Vec<String>) {
    let message = used(stage, stage.moderator, stage.office, LIST, &[]).await;
    lines(&message.embeds()[0])
}

fn lines(embed: &Value) -> (String, Vec<String>) {
    assert_eq!(embed["title"], "***SENTRY RULES***");
    let values = embed["fields"].as_array().into_iter().flatten().filter_map(|field| field["value"].as_str());
    let lines = values.flat_map(str::lines).map(str::to_owned).collect();
    (embed["description"].as_str().expect("text").to_owned(), lines)
}

#[tokio::test]
async fn rules_are_added_listed_checked_moved_and_removed() {
    let connected = connected().await;
    let stage = &connected.stage;
    let (by, office, alerts) = (stage.moderator, stage.office, both_authorized(stage).await);
    let on_call = stage.on_call.to_string();
    let (description, none) = listed(stage).await;
    assert!(description.starts_with(&format!("<#{office}> has no rules: ")), "{description}");
    assert!(none.is_empty());

    let staging = [("action", "drop"), ("environment", "staging*")];
    assert_eq!(add(stage, &staging).await, "Rule 1: alerts in `staging*` → dropped");
    let fatal = [
        ("action", "route"),
        ("project", "web"),
        ("level", "fatal"),
        ("to", &*alerts),
        ("mention", &*on_call),
    ];
    let words = format!("alerts of `web`, of level fatal → <#{alerts}>, mentions <@&{on_call}>");
    assert_eq!(add(stage, &fatal).await, format!("Rule 2: {words}"));

    let kept = stage.store.rules_now(ChannelId::new(office)).await.expect("the store is there");
    let id = kept.rules[0].id.to_string();
    let counts = json!({"counts": {"rules": {id: {"count": 3, "last_ms": 1_700_000_000_000_i64}}}});
    lanes(stage).await.put(format!("{office}.sorting"), counts.to_string().into()).await.expect("written");
    let (description, lines_shown) = listed(stage).await;
    assert_eq!(description, format!("Rules of <#{office}>. The first one that matches an alert decides."));
    let expected = [
        format!("**1** alerts in `staging*` → dropped, by <@{by}> · 3 alerts, the last <t:1700000000:R>"),
        format!("**2** {words}, by <@{by}> · no alerts yet"),
    ];
    assert_eq!(lines_shown, expected);

    let check = async |options: &[(&str, &str)]| text(stage, by, office, "sentry rule check", options).await;
    let decides = "Rule 1 decides: alerts in `staging*` → dropped\n\
                   That is for an error of `web` in `staging-eu` at level fatal.";
    assert_eq!(
        check(&[("project", "web"), ("environment", "staging-eu"), ("level", "fatal")]).await,
        decides
    );
    let fatal = [("project", "web"), ("level", "fatal")];
    let decides = format!(
        "Rule 2 decides: {words}\nThat is for an error of `web` at level fatal, without environment."
    );
    assert_eq!(check(&fatal).await, decides);
    let stays = "No rule matches: the alert stays here\n\
                 That is for an error of `web` at level error, without environment.";
    assert_eq!(check(&[("project", "web"), ("level", "error")]).await, stays);
    text(stage, by, stage.alerts, "sentry mute", &[("for", "1h"), ("level", "fatal")]).await;
    let quiet = check(&fatal).await;
    let muted = format!("{decides}\nBut mute 1 of <#{alerts}> keeps it quiet: alerts of level fatal until ");
    assert!(quiet.starts_with(&muted), "{quiet}");
    let guild = GuildId::new(stage.guild);
    stage.store.revoke(guild, ChannelId::new(stage.alerts)).await.expect("the store is there");
    let alone = format!("\nBut <#{alerts}> is not authorized, so the alert stays in <#{office}>.");
    assert_eq!(check(&fatal).await, decides + &alone);
    stage.authorize(stage.alerts).await;

    let moved = text(stage, by, office, "sentry rule move", &[("number", "2"), ("position", "1")]).await;
    assert_eq!(moved, "Rule 2 is now rule 1");
    let removed = text(stage, by, office, "sentry rule remove", &[("number", "1")]).await;
    assert_eq!(removed, format!("Removed rule 1\nIt was: {words}"));
    assert_eq!(listed(stage).await.1, expected[..1]);
    let absent = text(stage, by, office, "sentry rule remove", &[("number", "2")]).await;
    assert_eq!(absent, format!("<#{office}> has no rule 2, only rule 1"));
    let absent = text(stage, by, office, "sentry rule move", &[("number", "2"), ("position", "1")]).await;
    assert_eq!(absent, format!("<#{office}> has no rule 2, only rule 1"));
}

#[tokio::test]
async fn the_list_can_be_typed_and_all_else_leads_to_its_slash_command() {
    let stage = Stage::set().await;
    stage.authorize(stage.office).await;
    for content in ["!sentry rule", "!sentry rule list", &format!("!sentry rule list <#{}>", stage.office)] {
        let answer = stage.answer(stage.moderator, stage.office, content).await;
        let (description, _) = lines(&answer.embeds()[0]);
        assert!(description.starts_with(&format!("<#{}> has no rules: ", stage.office)), "{description}");
    }
    for (content, words) in [
        ("!sentry rule add drop", "rule add"),
        ("!sentry rule remove 1", "rule remove"),
        ("!sentry mute 1h", "mute"),
        ("!sentry unmute 1", "unmute"),
    ] {
        let reply = stage.text(stage.moderator, stage.office, content).await;
        assert_eq!(reply, format!("Use `/sentry {words}`, which offers what you can choose"));
        assert_eq!(stage.text(stage.member, stage.office, content).await, REFUSAL);
    }
    assert_eq!(stage.text(stage.member, stage.office, "!sentry rule").await, REFUSAL);
}

#[tokio::test]
async fn another_channel_is_a_home_for_those_who_manage_messages_there_too() {
    let connected = connected().await;
    let stage = &connected.stage;
    let alerts = both_authorized(stage).await;
    let elsewhere = [("action", "drop"), ("kind", "feedback"), ("channel", &*alerts)];
    let about = format!("\nThis is about alerts for <#{alerts}>.");
    assert_eq!(add(stage, &elsewhere).await, format!("Rule 1: user feedback → dropped{about}"));
    assert!(listed(stage).await.1.is_empty(), "the office has none");
    let remove = [("number", "1"), ("channel", &*alerts)];
    let removed = text(stage, stage.moderator, stage.office, "sentry rule remove", &remove).await;
    assert_eq!(removed, format!("Removed rule 1\nIt was: user feedback → dropped{about}"));
}

#[tokio::test]
async fn two_pods_that_change_the_rules_at_once_lose_nothing() {
    let connected = connected().await;
    let stage = &connected.stage;
    both_authorized(stage).await;
    let settings = Settings::parse_from(["discord-service", "--store", "nats"]);
    let other = store::open(&settings, &stage.nats.client().await).await.expect("a store");
    let (book, home) = (Rulebook::new(other), ChannelId::new(stage.office));
    let here = futures::future::join_all((0..6).map(|number| async move {
        let project = format!("here-{number}");
        add(stage, &[("action", "drop"), ("project", &project)]).await
    }));
    let there =
        futures::future::join_all((0..6).map(|number| {
            let project = Some(format!("there-{number}").parse().expect("a pattern"));
            let conditions = Conditions { project, ..Conditions::default() };
            let (by, made_ms) = (UserId::new(stage.owner), 0);
            let rule = Rule { id: 0, conditions, action: Action::Drop, ping: None, by, made_ms };
            let book = &book;
            async move {
                book.change(home, |rules| rules.add_rule(rule.clone())).await.expect("the store is there")
            }
        }));
    let (here, there) = tokio::join!(here, there);
    let mut numbers: Vec<usize> = there.into_iter().map(|added| added.expect("there is room")).collect();
    numbers.extend(here.iter().map(|reply| {
        let (number, _) = reply.strip_prefix("Rule ").and_then(|rest| rest.split_once(':')).expect(reply);
        number.parse::<usize>().expect(reply)
    }));
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=12).collect::<Vec<_>>());
    let kept = stage.store.rules_now(home).await.expect("the store is there");
    let mut ids: Vec<_> = kept.rules.iter().map(|rule| rule.id).collect();
    ids.dedup();
    assert_eq!((kept.rules.len(), ids.len()), (12, 12));
    let again = book.change(home, |rules| rules.add_rule(kept.rules[0].clone())).await;
    assert_eq!(again.expect("the store is there"), Err(RuleRefusal::Duplicate(1)));
}

#[tokio::test]
async fn numbers_are_offered_with_their_words_to_those_who_may() {
    let connected = connected().await;
    let stage = &connected.stage;
    let (office, alerts) = (stage.office, both_authorized(stage).await);
    add(stage, &[("action", "drop"), ("project", "api")]).await;
    add(stage, &[("action", "route"), ("project", "web-*"), ("to", &alerts)]).await;
    text(
        stage,
        stage.moderator,
        office,
        "sentry mute",
        &[("for", "7d"), ("kind", "cron"), ("reason", "a move")],
    )
    .await;
    let offered = async |user: u64, command: &str, typed: (&str, &str)| {
        let asked = stage.sandbox.autocomplete(user, office, command, &[typed], typed.0);
        let answer = asked.expect("Discord asks").answer().await.expect("answered");
        assert_eq!(answer.kind, 8);
        answer.data["choices"].clone()
    };
    let two = json!({"name": "2: alerts of web-* → #alerts", "value": 2});
    let all = json!([{"name": "1: alerts of api → dropped", "value": 1}, two]);
    for command in ["sentry rule remove", "sentry rule move"] {
        assert_eq!(offered(stage.moderator, command, ("number", "")).await, all);
        assert_eq!(offered(stage.moderator, command, ("number", "web")).await, json!([two]));
        assert_eq!(
            offered(stage.member, command, ("number", "")).await,
            json!([]),
            "strangers learn nothing"
        );
    }
    let mute = json!([{"name": "1: cron alerts (a move)", "value": 1}]);
    assert_eq!(offered(stage.moderator, "sentry unmute", ("number", "")).await, mute);
    let known = json!({"projects": ["web-shop", "api"], "environments": ["production"]});
    lanes(stage).await.put(format!("{office}.known"), known.to_string().into()).await.expect("written");
    let named = json!([{"name": "we", "value": "we"}, {"name": "web-shop", "value": "web-shop"}]);
    assert_eq!(offered(stage.moderator, ADD, ("project", "we")).await, named);
    let named = json!([{"name": "production", "value": "production"}]);
    assert_eq!(offered(stage.moderator, "sentry mute", ("environment", "")).await, named);
    let typed = json!([{"name": "web-*", "value": "web-*"}]);
    for command in [ADD, "sentry rule check", "sentry mute"] {
        assert_eq!(offered(stage.moderator, command, ("project", "web-*")).await, typed, "{command}");
        assert_eq!(offered(stage.member, command, ("project", "web-*")).await, json!([]), "{command}");
    }
    // At the end, since each look spends of what a member may ask.
    let moderator = Target::Member(stage.moderator);
    stage.sandbox.set_overwrite(stage.alerts, moderator, 0, permissions::VIEW_CHANNEL);
    let hidden = json!([{"name": format!("2: alerts of web-* → #{alerts}"), "value": 2}]);
    wait_for("a hidden target has no name", SOON, || async {
        (offered(stage.moderator, "sentry rule move", ("number", "web")).await == hidden).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_target_that_takes_no_alerts_is_marked_and_a_revoked_one_names_its_homes() {
    let connected = connected().await;
    let stage = &connected.stage;
    let (by, office, alerts) = (stage.moderator, stage.office, both_authorized(stage).await);
    add(stage, &[("action", "route"), ("project", "web"), ("to", &alerts)]).await;
    lanes(stage).await.put(format!("{alerts}.blocked"), "Missing Access".into()).await.expect("written");
    let marked =
        |why: &str| format!("**1** alerts of `web` → <#{alerts}> ({why}), by <@{by}> · no alerts yet");
    assert_eq!(listed(stage).await.1, [marked("Discord refuses posts there")]);
    let secured = ChannelTrust { v: 1, secured: true, secured_ms: 7, ..ChannelTrust::default() };
    let kept = stage.store.replace_trust(ChannelId::new(stage.alerts), None, &secured).await;
    assert!(kept.expect("the store is there"));
    let secured = "secured and this channel is not, so they stay here";
    assert_eq!(listed(stage).await.1, [marked(secured)]);
    let revoked = text(stage, by, office, "sentry channel revoke", &[("channel", &alerts)]).await;
    let routes = format!("Rules of <#{office}> send alerts there. These alerts stay where they came in.");
    assert_eq!(revoked, format!("Revoked access from <#{alerts}>\n{routes}"));
    assert_eq!(listed(stage).await.1, [marked("not authorized, so they stay here")]);
}
