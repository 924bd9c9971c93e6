//! Every method, as the trait promises it.

use std::collections::BTreeMap;

use discord_service::store::{Registration, WriteOutcome};
use futures::future::join_all;
use shared::{ChannelId, GuildId, RuntimeMode, UserId};

use crate::{
    in_both_stores,
    world::{ALICE, BOB, CHANNEL, GUILD, OTHER_CHANNEL, OTHER_GUILD, World, slug},
};

in_both_stores!(
    an_empty_store_holds_nothing,
    an_authorized_channel_is_listed_until_it_is_revoked,
    the_guilds_that_list_a_channel_are_all_found,
    the_channels_of_a_guild_are_its_own_and_ascend,
    any_id_can_be_kept,
    a_slug_belongs_to_one_user_of_a_guild,
    a_new_project_frees_the_former_one,
    a_revoked_project_is_returned_and_free,
    writes_at_the_same_instant_are_all_kept,
    of_two_who_authorize_at_the_same_instant_one_made_the_change,
    what_one_process_wrote_another_reads,
);

async fn an_empty_store_holds_nothing(world: World) {
    let store = world.store().await;
    assert_eq!(store.guilds_listing(CHANNEL).await.unwrap(), []);
    assert_eq!(store.channels(GUILD).await.unwrap(), []);
    assert_eq!(store.projects(GUILD).await.unwrap(), BTreeMap::new());
    assert_eq!(store.revoke(GUILD, CHANNEL).await.unwrap(), WriteOutcome::Unchanged);
    assert_eq!(store.unregister(GUILD, ALICE).await.unwrap(), None);
    let keys = store.api_keys(RuntimeMode::Production).await.unwrap();
    assert!(keys.discord_token.is_none() && keys.sentry_dsn.is_none());
}

async fn an_authorized_channel_is_listed_until_it_is_revoked(world: World) {
    let store = world.store().await;
    for _ in 0..2 {
        assert_eq!(store.authorize(GUILD, CHANNEL).await.unwrap(), WriteOutcome::Changed);
        assert_eq!(store.authorize(GUILD, CHANNEL).await.unwrap(), WriteOutcome::Unchanged);
        assert_eq!(store.guilds_listing(CHANNEL).await.unwrap(), [GUILD]);
        assert_eq!(store.channels(GUILD).await.unwrap(), [CHANNEL]);
        assert_eq!(store.revoke(GUILD, CHANNEL).await.unwrap(), WriteOutcome::Changed);
        assert_eq!(store.revoke(GUILD, CHANNEL).await.unwrap(), WriteOutcome::Unchanged);
        assert_eq!(store.guilds_listing(CHANNEL).await.unwrap(), []);
        assert_eq!(store.channels(GUILD).await.unwrap(), []);
    }
}

async fn the_guilds_that_list_a_channel_are_all_found(world: World) {
    let store = world.store().await;
    store.authorize(OTHER_GUILD, CHANNEL).await.unwrap();
    store.authorize(GUILD, CHANNEL).await.unwrap();
    store.authorize(GUILD, OTHER_CHANNEL).await.unwrap();
    let mut guilds = store.guilds_listing(CHANNEL).await.unwrap();
    guilds.sort_unstable();
    assert_eq!(guilds, [GUILD, OTHER_GUILD]);
    store.revoke(GUILD, CHANNEL).await.unwrap();
    assert_eq!(store.guilds_listing(CHANNEL).await.unwrap(), [OTHER_GUILD]);
}

async fn the_channels_of_a_guild_are_its_own_and_ascend(world: World) {
    let store = world.store().await;
    // In neither the order of numbers nor that of their digits.
    for channel in [30, 4, 200, 1000] {
        store.authorize(GUILD, ChannelId::new(channel)).await.unwrap();
    }
    store.authorize(OTHER_GUILD, ChannelId::new(5)).await.unwrap();
    assert_eq!(store.channels(GUILD).await.unwrap(), [4, 30, 200, 1000].map(ChannelId::new));
}

async fn any_id_can_be_kept(world: World) {
    let store = world.store().await;
    for id in [0, 1, u64::MAX] {
        let (guild, channel, user) = (GuildId::new(id), ChannelId::new(id), UserId::new(id));
        assert_eq!(store.authorize(guild, channel).await.unwrap(), WriteOutcome::Changed);
        assert_eq!(store.guilds_listing(channel).await.unwrap(), [guild]);
        assert_eq!(store.register(guild, user, &slug("web")).await.unwrap(), Registration::Registered);
        assert_eq!(store.unregister(guild, user).await.unwrap().as_deref(), Some("web"));
    }
}

async fn a_slug_belongs_to_one_user_of_a_guild(world: World) {
    let store = world.store().await;
    let web = slug("web_2.0-Beta");
    assert_eq!(store.register(GUILD, ALICE, &web).await.unwrap(), Registration::Registered);
    assert_eq!(store.register(GUILD, BOB, &web).await.unwrap(), Registration::Taken(ALICE));
    assert_eq!(store.register(GUILD, ALICE, &web).await.unwrap(), Registration::Taken(ALICE));
    assert_eq!(store.register(OTHER_GUILD, BOB, &web).await.unwrap(), Registration::Registered);
    assert_eq!(store.projects(GUILD).await.unwrap(), [(ALICE, web.to_string())].into());
    assert_eq!(store.projects(OTHER_GUILD).await.unwrap(), [(BOB, web.to_string())].into());
}

async fn a_new_project_frees_the_former_one(world: World) {
    let store = world.store().await;
    store.register(GUILD, ALICE, &slug("old")).await.unwrap();
    assert_eq!(store.register(GUILD, ALICE, &slug("new")).await.unwrap(), Registration::Registered);
    assert_eq!(store.register(GUILD, BOB, &slug("old")).await.unwrap(), Registration::Registered);
    let expected = [(ALICE, "new".to_owned()), (BOB, "old".to_owned())];
    assert_eq!(store.projects(GUILD).await.unwrap(), expected.into());
}

async fn a_revoked_project_is_returned_and_free(world: World) {
    let store = world.store().await;
    store.register(GUILD, ALICE, &slug("web")).await.unwrap();
    store.register(GUILD, BOB, &slug("api")).await.unwrap();
    assert_eq!(store.unregister(GUILD, ALICE).await.unwrap().as_deref(), Some("web"));
    assert_eq!(store.unregister(GUILD, ALICE).await.unwrap(), None);
    assert_eq!(store.register(GUILD, BOB, &slug("web")).await.unwrap(), Registration::Registered);
    assert_eq!(store.projects(GUILD).await.unwrap(), [(BOB, "web".to_owned())].into());
}

async fn writes_at_the_same_instant_are_all_kept(world: World) {
    let (one, other) = (world.store().await, world.store().await);
    let users = (1..=6).map(UserId::new);
    let writes = users.clone().map(|user| {
        let store = if user.get() % 2 == 0 { &one } else { &other };
        let web = slug(&format!("web-{user}"));
        async move { store.register(GUILD, user, &web).await.unwrap() }
    });
    assert_eq!(join_all(writes).await, [Registration::Registered; 6]);
    let expected = users.map(|user| (user, format!("web-{user}")));
    assert_eq!(one.projects(GUILD).await.unwrap(), expected.collect());
}

async fn of_two_who_authorize_at_the_same_instant_one_made_the_change(world: World) {
    let (one, other) = (world.store().await, world.store().await);
    let (a, b) = tokio::join!(one.authorize(GUILD, CHANNEL), other.authorize(GUILD, CHANNEL));
    let made = [a.unwrap(), b.unwrap()].into_iter().filter(|change| *change == WriteOutcome::Changed);
    assert_eq!(made.count(), 1);
}

async fn what_one_process_wrote_another_reads(world: World) {
    let (one, other) = (world.store().await, world.store().await);
    assert_eq!(other.guilds_listing(CHANNEL).await.unwrap(), []);
    one.authorize(GUILD, CHANNEL).await.unwrap();
    assert_eq!(other.guilds_listing(CHANNEL).await.unwrap(), [GUILD]);
    one.register(GUILD, ALICE, &slug("web")).await.unwrap();
    assert_eq!(other.unregister(GUILD, ALICE).await.unwrap().as_deref(), Some("web"));
    assert_eq!(one.projects(GUILD).await.unwrap(), BTreeMap::new());
}
