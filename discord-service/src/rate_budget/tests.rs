use super::*;

#[test]
fn each_guild_and_each_member_has_its_own() {
    let shares = Shares::new([Rate::new(6, 1), Rate::new(2, 1)]);
    let spent =
        |guild, member| (0..10).filter(|_| shares.spend(GuildId::new(guild), UserId::new(member))).count();
    assert_eq!([spent(1, 1), spent(1, 2), spent(1, 3), spent(1, 4)], [2, 2, 2, 0]);
    assert_eq!(spent(2, 1), 2, "the same user in another guild");
}

#[test]
fn keys_that_have_their_whole_budget_are_forgotten() {
    let budget = Budget::new(Rate::new(1_000_000, 1_000_000));
    for key in 0..10 * SWEEP_FROM {
        assert!(budget.spend(&key));
    }
    assert!(budget.limiter.len() <= 2 * SWEEP_FROM, "{}", budget.limiter.len());
}

#[tokio::test]
async fn no_more_than_so_many_have_their_turn_at_a_time() {
    let turns = Turns::new(2);
    let first = turns.take(1).await;
    let second = turns.take(1).await;
    assert!(first.is_some() && second.is_some());
    assert!(futures::FutureExt::now_or_never(turns.take(1)).is_none(), "a third waits");
    assert!(turns.take(2).await.is_some(), "another key's turn");
    drop(first);
    assert!(turns.take(1).await.is_some());
}
