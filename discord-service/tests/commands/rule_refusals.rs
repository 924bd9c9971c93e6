//! What `rule add` refuses, and what it warns of.

use std::sync::{Arc, Mutex};

use async_nats::jetstream::{self, stream::Config};
use discord_service::rules::{Action, Conditions, Rule, Rulebook};
use sandbox_discord::{Target, User, permissions};
use shared::{ChannelId, GuildId, UserId, wire};

use crate::{
    rules::{ADD, add, both_authorized},
    slash::{REFUSAL, connected, registered_id, text},
    stage::Stage,
    status::lanes,
    trust::SECURE,
};

async fn unauthorize(stage: &Stage, channel: u64) {
    let (guild, channel) = (GuildId::new(stage.guild), ChannelId::new(channel));
    stage.store.revoke(guild, channel).await.expect("the store is there");
}

#[tokio::test]
async fn home_and_target_must_be_authorized_and_managed_by_whoever_adds_the_rule() {
    let connected = connected().await;
    let stage = &connected.stage;
    let (office, alerts) = (stage.office, both_authorized(stage).await);
    let sentry = registered_id(stage).await;
    let route = [("action", "route"), ("to", &*alerts)];
    let first = |channel| {
        format!("<#{channel}> is not authorized. Use </sentry channel authorize:{sentry}> with it first.")
    };
    unauthorize(stage, stage.alerts).await;
    assert_eq!(add(stage, &route).await, first(stage.alerts));
    stage.authorize(stage.alerts).await;
    unauthorize(stage, office).await;
    assert_eq!(add(stage, &route).await, first(office));
    assert_eq!(text(stage, stage.moderator, office, "sentry mute", &[("for", "1h")]).await, first(office));
    stage.authorize(office).await;

    assert_eq!(text(stage, stage.member, office, ADD, &route).await, REFUSAL);
    let moderator = Target::Member(stage.moderator);
    stage.sandbox.set_overwrite(stage.alerts, moderator, 0, permissions::MANAGE_MESSAGES);
    assert_eq!(add(stage, &route).await, REFUSAL);
    assert_eq!(add(stage, &[("action", "drop"), ("channel", &*alerts)]).await, REFUSAL);
    stage.sandbox.set_overwrite(stage.alerts, moderator, 0, 0);
    let bot = Target::Member(stage.sandbox.bot());
    stage.sandbox.set_overwrite(stage.alerts, bot, 0, permissions::EMBED_LINKS);
    assert_eq!(
        add(stage, &route).await,
        format!(
            "I cannot post in <#{alerts}>, so no rule can send alerts there. Missing permission: Embed Links\n\
             Give it to me in the channel's settings. Then use </sentry rule add:{sentry}> again."
        )
    );
    stage.sandbox.set_overwrite(stage.alerts, bot, 0, 0);
    let home = office.to_string();
    assert_eq!(
        add(stage, &[("action", "route"), ("to", &*home)]).await,
        format!("These alerts come to <#{home}> anyway. Choose another channel, or the action `keep`.")
    );
    assert!(add(stage, &route).await.starts_with("Rule 1: all alerts → "), "nothing was added until now");
}

#[tokio::test]
async fn a_secured_target_takes_rules_of_a_secured_home_only() {
    let connected = connected().await;
    let stage = &connected.stage;
    let (office, alerts) = (stage.office.to_string(), both_authorized(stage).await);
    let route = [("action", "route"), ("to", &*alerts)];
    text(stage, stage.moderator, stage.office, SECURE, &[("channel", &alerts)]).await;
    let refused = add(stage, &route).await;
    let why = format!(
        "<#{alerts}> is secured, and <#{office}> is not: strangers could send alerts through <#{office}>."
    );
    assert!(refused.starts_with(&why), "{refused}");
    text(stage, stage.moderator, stage.office, SECURE, &[("channel", &office)]).await;
    assert!(add(stage, &route).await.starts_with("Rule 1: "));
}

#[tokio::test]
async fn options_that_do_not_fit_together_are_refused_in_words() {
    let connected = connected().await;
    let stage = &connected.stage;
    let (alerts, on_call) = (both_authorized(stage).await, stage.on_call.to_string());
    for (options, reply) in [
        (&[("action", "route")][..], "Where to? Choose a channel for these alerts in the option `to`."),
        (
            &[("action", "keep"), ("to", &alerts)],
            "Only a route goes to a channel. Choose the action `route`, or leave `to` out.",
        ),
        (
            &[("action", "drop"), ("mention", &on_call)],
            "What is dropped has no message, so it mentions nobody. \
             Choose another action, or leave `mention` out.",
        ),
    ] {
        assert_eq!(add(stage, options).await, reply, "{options:?}");
    }
    let mute = [("for", "1h"), ("issue", "BACKEND-1F"), ("level", "error")];
    assert_eq!(
        text(stage, stage.moderator, stage.office, "sentry mute", &mute).await,
        "One issue needs no other condition. Leave `issue` out, or the conditions."
    );
}

#[tokio::test]
async fn a_rule_mentions_only_whom_the_mention_reaches() {
    let connected = connected().await;
    let stage = &connected.stage;
    let alerts = both_authorized(stage).await;
    let mention = async |id: u64, environment: &str| {
        let id = id.to_string();
        let options =
            [("action", "route"), ("environment", environment), ("to", &*alerts), ("mention", &*id)];
        add(stage, &options).await
    };
    let everyone = "A rule cannot mention everyone. Choose another role, or a member.";
    assert_eq!(mention(stage.guild, "a").await, everyone);
    let stranger = stage.sandbox.add_user(User::new("stranger"));
    let nobody = "This server has no such role or member. Choose one from the list that Discord shows.";
    assert_eq!(mention(stranger, "a").await, nobody);
    let refused = mention(stage.role, "a").await;
    assert!(
        refused.starts_with(&format!("I cannot mention <@&{}> in <#{alerts}>.\n", stage.role)),
        "{refused}"
    );
    // Where the message is posted, this is enough.
    let bot = Target::Member(stage.sandbox.bot());
    stage.sandbox.set_overwrite(stage.alerts, bot, permissions::MENTION_EVERYONE, 0);
    let role = format!("Rule 1: alerts in `a` → <#{alerts}>, mentions <@&{}>", stage.role);
    assert_eq!(mention(stage.role, "a").await, role);
    let member = format!("Rule 2: alerts in `b` → <#{alerts}>, mentions <@{}>", stage.member);
    assert_eq!(mention(stage.member, "b").await, member);
    stage.sandbox.set_overwrite(stage.alerts, Target::Member(stage.member), 0, permissions::VIEW_CHANNEL);
    let reply = mention(stage.member, "c").await;
    let warning =
        format!("\n<@{}> cannot see <#{alerts}>, so the mention does not reach them.", stage.member);
    assert!(reply.starts_with("Rule 3: ") && reply.ends_with(&warning), "{reply}");
}

#[tokio::test]
async fn a_rule_that_does_less_than_it_seems_is_added_with_a_warning() {
    let connected = connected().await;
    let stage = &connected.stage;
    let (office, alerts) = (stage.office, both_authorized(stage).await);
    let sentry = registered_id(stage).await;
    add(stage, &[("action", "drop"), ("project", "web-*"), ("channel", &alerts)]).await;
    lanes(stage).await.put(format!("{alerts}.blocked"), "Missing Access".into()).await.expect("written");
    assert_eq!(
        add(stage, &[("action", "route"), ("project", "web-*"), ("to", &alerts)]).await,
        format!(
            "Rule 1: alerts of `web-*` → <#{alerts}>\n\
             Discord refuses posts in <#{alerts}> at the moment: `Missing Access`\n\
             Its alerts become dead letters and follow later.\n\
             The rules of <#{alerts}> do not apply to alerts from here."
        )
    );
    let never = |number, earlier| {
        format!(
            "\nRule {number} never applies: rule {earlier} takes all its alerts. </sentry rule move:{sentry}> changes the order."
        )
    };
    let shadowed = add(stage, &[("action", "drop"), ("project", "web-shop")]).await;
    assert_eq!(shadowed, format!("Rule 2: alerts of `web-shop` → dropped{}", never(2, 1)));
    assert_eq!(
        add(stage, &[("action", "keep")]).await,
        "Rule 3: all alerts → kept here\nIt has no conditions, so it takes every alert. Rules after it never apply."
    );
    let same = [("action", "drop"), ("project", "web-shop")];
    assert_eq!(add(stage, &same).await, "Rule 2 says the same already");
    let moved = [("number", "3"), ("position", "1")];
    let moved = text(stage, stage.moderator, office, "sentry rule move", &moved).await;
    assert_eq!(moved, "Rule 3 is now rule 1\nRule 2 never applies: rule 1 takes all its alerts.");
}

#[tokio::test]
async fn a_bot_that_cannot_note_routed_alerts_takes_no_route() {
    let connected = connected().await;
    let stage = &connected.stage;
    let alerts = both_authorized(stage).await;
    let sentry = registered_id(stage).await;
    // NATS does not answer a write that it refuses.
    let js = jetstream::new(stage.nats.client().await);
    let stream = js.get_stream(wire::bucket_stream(wire::ROUTED)).await.expect("it is there");
    let config = stream.cached_info().config.clone();
    js.update_stream(&Config { no_ack: true, ..config }).await.expect("changed");
    assert_eq!(
        add(stage, &[("action", "route"), ("project", "web"), ("to", &alerts)]).await,
        format!(
            "No rule can send alerts on yet: I cannot write to `$KV.routed.>` at NATS.\n\
             My operator must bring its `accounts.conf` up to date. Then use </sentry rule add:{sentry}> again."
        )
    );
    assert_eq!(
        add(stage, &[("action", "keep"), ("project", "web")]).await,
        "Rule 1: alerts of `web` → kept here"
    );
}

#[tokio::test]
async fn a_channel_has_25_rules_at_most() {
    let connected = connected().await;
    let stage = &connected.stage;
    both_authorized(stage).await;
    let (book, office) = (Rulebook::new(stage.store.clone()), ChannelId::new(stage.office));
    let rule = |number: u64| {
        let project = Some(format!("p{number}").parse().expect("a pattern"));
        let conditions = Conditions { project, ..Conditions::default() };
        Rule { id: 0, conditions, action: Action::Keep, ping: None, by: UserId::new(1), made_ms: 0 }
    };
    let filled = book.change(office, |rules| (1..=24).all(|number| rules.add_rule(rule(number)).is_ok()));
    assert!(filled.await.expect("the store is there"));
    assert!(add(stage, &[("action", "drop"), ("project", "last")]).await.starts_with("Rule 25: "));
    let sentry = registered_id(stage).await;
    assert_eq!(
        add(stage, &[("action", "drop"), ("project", "more")]).await,
        format!("<#{office}> has 25 rules already. Remove one first, with </sentry rule remove:{sentry}>.")
    );
}

/// Where log lines go.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no writer panics").write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_change_is_a_line_in_the_log() {
    let connected = connected().await;
    let stage = &connected.stage;
    both_authorized(stage).await;
    let (log, by, office) = (Log::default(), stage.moderator, stage.office);
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let logging = tracing::subscriber::set_default(subscriber);
    add(stage, &[("action", "drop"), ("project", "web-*")]).await;
    text(stage, by, office, "sentry rule move", &[("number", "1"), ("position", "1")]).await;
    text(stage, by, office, "sentry rule remove", &[("number", "1")]).await;
    let mute = [("for", "1h"), ("kind", "cron"), ("reason", "hush")];
    text(stage, by, office, "sentry mute", &mute).await;
    text(stage, by, office, "sentry unmute", &[("number", "1")]).await;
    drop(logging);
    let log = String::from_utf8(log.0.lock().expect("no writer panics").clone()).expect("text");
    for (what, words) in [
        ("a rule was added", "alerts of web-* → dropped"),
        ("a rule was moved", "alerts of web-* → dropped, from 1 to 1"),
        ("a rule was removed", "alerts of web-* → dropped"),
        ("a mute was made", "cron alerts, number 1, until 20"),
        ("a mute was ended", "cron alerts"),
    ] {
        let line = log.lines().find(|line| line.contains(what)).expect(what);
        for part in [
            format!("guild.id={}", stage.guild),
            format!("channel.id={office}"),
            format!("user.id={by}"),
            format!("\"{words}"),
        ] {
            assert!(line.contains(&part), "{part} in {line}");
        }
    }
    assert!(!log.contains("hush"), "a reason is for the channel");
}
