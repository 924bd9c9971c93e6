//! What one guild may cost the bot, whose requests all guilds share.

use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use shared::GuildId;

/// So many guilds are kept before those that have their whole budget are forgotten.
const MAX_GUILDS: usize = 1_000;

/// So much at once for each guild, then so much a second.
pub(super) struct Budget(DefaultKeyedRateLimiter<GuildId>);

impl Budget {
    pub(super) fn new(at_once: NonZeroU32, per_second: NonZeroU32) -> Self {
        Self(RateLimiter::keyed(Quota::per_second(per_second).allow_burst(at_once)))
    }

    /// Takes one from the guild's budget; `false` when nothing is left.
    pub(super) fn spend(&self, guild: GuildId) -> bool {
        if self.0.len() > MAX_GUILDS {
            self.0.retain_recent();
        }
        self.0.check_key(&guild).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_guild_has_its_own() {
        let three = NonZeroU32::new(3).expect("not zero");
        let budget = Budget::new(three, NonZeroU32::MIN);
        let spent = |guild| (0..10).filter(|_| budget.spend(GuildId::new(guild))).count();
        assert_eq!((spent(1), spent(2)), (3, 3));
    }

    #[test]
    fn guilds_that_have_their_whole_budget_are_forgotten() {
        let many = NonZeroU32::new(1_000_000).expect("not zero");
        let budget = Budget::new(many, many);
        for guild in 0..10 * MAX_GUILDS as u64 {
            assert!(budget.spend(GuildId::new(guild)));
        }
        assert!(budget.0.len() <= 2 * MAX_GUILDS, "{}", budget.0.len());
    }
}
