//! One pod carries a slash command out, and its answer arrives. This holds if
//! two pods hear of it, after a lost answer, and while the store hangs.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use discord_service::{
    commands::Commands,
    gateway::{Handler, Invoked, Typed},
};
use harness::wait::{SOON, wait_for};
use sandbox_discord::{Effect, Fault, Stats};
use serde_json::json;
use shared::{ChannelId, GuildId};

use crate::{
    gateway::Connected,
    rules::{add, both_authorized},
    slash::{CALLBACK, EDIT, connected, embed, register, registered_id, shown, text},
    stage::{Stage, config},
};

/// Two pods that both have a session on the shard, as in a hand-over.
struct TwoPods(Arc<Commands>);

#[async_trait]
impl Handler for TwoPods {
    async fn typed(&self, _: Typed) {}

    async fn invoked(&self, invocation: Invoked) {
        tokio::join!(self.0.invoked(invocation.clone()), self.0.invoked(invocation));
    }

    async fn turned_away(&self, _: Invoked) {}
}

fn edits(stats: &Stats) -> u64 {
    stats.answers(EDIT, None)
}

#[tokio::test]
async fn while_the_store_hangs_an_answer_is_promised_in_time_and_comes() {
    let connected = connected().await;
    let stage = &connected.stage;
    stage.authorize(stage.office).await;
    stage.nats.pause();
    let options = [("slug", "web")];
    let invocation = stage
        .sandbox
        .slash(stage.member, stage.office, "sentry project register", &options)
        .expect("Discord lets them");
    let first = invocation.answer().await.expect("answered within three seconds");
    assert_eq!((first.kind, &first.data), (5, &json!({"flags": 64})));
    assert_eq!(shown(&invocation).await.content(), "The store is unavailable. Please try again in a minute.");
    stage.nats.unpause();
}

#[tokio::test]
async fn of_two_pods_that_hear_of_a_command_one_does_it() {
    let stage = Stage::set_in(config(), &[]).await;
    let pods = Arc::new(TwoPods(stage.commands.clone()));
    let connected = Connected::with(stage, pods).await;
    let stage = &connected.stage;
    register(stage).await;
    stage.authorize(stage.office).await;
    let id = stage.alerts.to_string();
    for round in 1..=5 {
        let reply = text(
            stage,
            stage.moderator,
            stage.office,
            "sentry channel authorize",
            &[("channel", id.as_str())],
        )
        .await;
        assert_eq!(reply, format!("<#{id}> is now authorized"), "and not: already");
        // The message is seen a moment before its request is counted.
        let (taken, refused, edited) = wait_for("both have tried", SOON, || async {
            let stats = stage.sandbox.stats();
            let count = |status| stats.answers(CALLBACK, Some(status));
            let done = count(204) + count(400) == 2 * round && edits(&stats) >= round;
            done.then(|| (count(204), count(400), edits(&stats)))
        })
        .await;
        assert_eq!((taken, refused), (round, round));
        assert_eq!(edited, round, "one pod did the work");
        let revoked = stage.store.revoke(GuildId::new(stage.guild), ChannelId::new(stage.alerts)).await;
        revoked.expect("the store is there");
    }
}

#[tokio::test]
async fn a_command_that_is_carried_out_again_changes_nothing_more() {
    let stage = Stage::set_in(config(), &[]).await;
    let pods = Arc::new(TwoPods(stage.commands.clone()));
    let connected = Connected::with(stage, pods).await;
    let stage = &connected.stage;
    register(stage).await;
    both_authorized(stage).await;
    let sentry = registered_id(stage).await;
    let home = ChannelId::new(stage.office);
    for project in ["one", "two", "three"] {
        add(stage, &[("action", "drop"), ("project", project)]).await;
    }
    // The first pod dies before it can answer, and the second goes on.
    stage.sandbox.add_fault(Fault::new(Effect::Refuse(404, 10_062)).on_endpoint(EDIT).times(1));
    let again = text(stage, stage.moderator, stage.office, "sentry rule remove", &[("number", "1")]).await;
    let list = format!("</sentry rule list:{sentry}>");
    assert_eq!(again, format!("This is done already. {list} shows the rules and mutes of the channel."));
    let kept = stage.store.rules_now(home).await.expect("the store is there");
    let projects = kept.rules.iter().filter_map(|rule| rule.conditions.project.as_ref());
    assert_eq!(projects.map(ToString::to_string).collect::<Vec<_>>(), ["two", "three"]);
}

#[tokio::test]
async fn an_answer_that_is_lost_on_the_way_is_given_again() {
    let connected = connected().await;
    let stage = &connected.stage;
    stage.authorize(stage.office).await;
    for fault in [
        Fault::new(Effect::Status(500)).on_endpoint(CALLBACK),
        Fault::new(Effect::Cut).after().on_endpoint(CALLBACK),
        Fault::new(Effect::Silence(Duration::from_secs(20))).after().on_endpoint(CALLBACK),
        Fault::new(Effect::Status(500)).on_endpoint(EDIT),
        Fault::new(Effect::Cut).after().on_endpoint(EDIT),
    ] {
        stage.sandbox.add_fault(fault.clone().times(1));
        let (title, _) = embed(stage, stage.member, stage.office, "sentry help").await;
        assert_eq!(title, "***SENTRY HELP***", "{fault:?}");
    }
}

#[tokio::test]
async fn a_command_that_cannot_be_answered_any_more_is_not_carried_out() {
    let connected = connected().await;
    let stage = &connected.stage;
    stage.sandbox.add_fault(Fault::new(Effect::Refuse(404, 10_062)).on_endpoint(CALLBACK).times(1));
    let id = stage.alerts.to_string();
    let authorize = |id: String| async move {
        let options = [("channel", id.as_str())];
        stage.sandbox.slash(stage.owner, stage.office, "sentry channel authorize", &options).expect("used")
    };
    let late = authorize(id.clone()).await;
    assert!(late.answer().await.is_none());
    assert!(!stage.is_authorized(stage.alerts).await);
    let reply = shown(&authorize(id.clone()).await).await;
    assert_eq!(reply.content(), format!("<#{id}> is now authorized"));
}
