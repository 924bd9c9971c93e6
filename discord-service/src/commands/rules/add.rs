//! `rule add`: what must hold before a channel gets a rule.

use chrono::Utc;
use serenity::model::Permissions;
use shared::{ChannelId, alert::Ping};

use super::{Asker, Channel, ChannelArgument, CommandError, Commands, Reply, replies};
use crate::{
    commands::{
        parse::NewRule,
        replies::{PurposeOfPosts, RuleWarning},
    },
    guilds::Mentioned,
    rules::{Action, Conditions, Rule, shadowed_by, words},
};

impl Commands {
    pub(super) async fn add_rule(
        &self,
        by: Asker,
        home: &Channel,
        new: NewRule,
    ) -> Result<Reply, CommandError> {
        let target = match self.rule_target(by, home, new.action).await? {
            Ok(target) => target,
            Err(refusal) => return Ok(refusal),
        };
        let mut warnings = Vec::new();
        let shown_in = target.as_ref().unwrap_or(home);
        let ping = match self.ping(by, shown_in, new.mention, &mut warnings).await? {
            Ok(ping) => ping,
            Err(refusal) => return Ok(refusal),
        };
        let NewRule { conditions, action, .. } = new;
        let made_ms = Utc::now().timestamp_millis();
        let rule = Rule { id: 0, conditions, action, ping, by: by.user, made_ms };
        let added = self.rulebook.change_once(home.id, by.command, |rules| {
            let shadow = shadowed_by(&rules.rules, &rule.conditions);
            rules.add_rule(rule.clone()).map(|number| (number, shadow))
        });
        let (number, shadow) = match added.await? {
            None => return Ok(self.replies(by.form).done_before()),
            Some(Ok(added)) => added,
            Some(Err(refusal)) => return Ok(self.replies(by.form).rule_refused(home.id, refusal)),
        };
        self.audit(by, home.id, "a rule was added", &words::rule(&rule));
        if let Some(earlier) = shadow {
            warnings.push(RuleWarning::Shadowed { number, earlier });
        } else if rule.conditions == Conditions::default() {
            warnings.push(match rule.action {
                Action::Drop => RuleWarning::DropsAll { home: home.id, number },
                Action::Route(_) | Action::Keep => RuleWarning::TakesAll,
            });
        }
        if let Some(target) = target {
            warnings.extend(self.target_warnings(target.id).await?);
        }
        Ok(self.replies(by.form).rule_added(number, &rule, &warnings))
    }

    /// The target of a route, if alerts of `home` can go there; else the reply that says
    /// why not. `None` for any other action.
    async fn rule_target(
        &self,
        by: Asker,
        home: &Channel,
        action: Action,
    ) -> Result<Result<Option<Channel>, Reply>, CommandError> {
        let replies = self.replies(by.form);
        let authorized = self.store.channels(by.guild).await?;
        if !authorized.contains(&home.id) {
            return Ok(Err(replies.authorize_first(home.id)));
        }
        let Action::Route(target) = action else { return Ok(Ok(None)) };
        if target == home.id {
            return Ok(Err(replies::routes_to_its_home(target)));
        }
        let target = match self.postable(by, &ChannelArgument::Id(target)).await? {
            Ok(target) => target,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if !authorized.contains(&target.id) {
            return Ok(Err(replies.authorize_first(target.id)));
        }
        if let Some(refusal) = self.cannot_post(by, &target, PurposeOfPosts::Rule).await? {
            return Ok(Err(refusal));
        }
        // An open home would let strangers in.
        if self.trusts.is_secured(target.id).await? && !self.trusts.is_secured(home.id).await? {
            return Ok(Err(replies.target_is_secured(home.id, target.id)));
        }
        if !self.diagnosis.can_route().await.map_err(CommandError::Nats)? {
            return Ok(Err(replies.cannot_route()));
        }
        Ok(Ok(Some(target)))
    }

    /// Whom messages in this channel mention; else the reply that says why they cannot.
    async fn ping(
        &self,
        by: Asker,
        channel: &Channel,
        mention: Option<u64>,
        warnings: &mut Vec<RuleWarning>,
    ) -> Result<Result<Option<Ping>, Reply>, CommandError> {
        let Some(id) = mention else { return Ok(Ok(None)) };
        Ok(match self.facts.mentioned(by.guild, id).await? {
            None => Err(replies::mentions_nobody()),
            Some(Mentioned::Everyone) => Err(replies::mentions_everyone()),
            Some(Mentioned::Role { id, by_anybody }) => {
                let granted = self.facts.granted(by.guild, by.bot, channel).await?;
                match by_anybody || granted.contains(Permissions::MENTION_EVERYONE) {
                    true => Ok(Some(Ping::Role(id))),
                    false => Err(self.replies(by.form).role_not_mentionable(id, channel.id)),
                }
            }
            Some(Mentioned::Member(user)) => {
                let granted = self.facts.granted(by.guild, user, channel).await?;
                if !granted.contains(Permissions::VIEW_CHANNEL) {
                    warnings.push(RuleWarning::CannotSee { user, channel: channel.id });
                }
                Ok(Some(Ping::User(user)))
            }
        })
    }

    /// What somebody should know of a target that takes alerts.
    async fn target_warnings(&self, target: ChannelId) -> Result<Vec<RuleWarning>, CommandError> {
        let closed = self.why_closed(target).await.map(|words| RuleWarning::Closed { target, words });
        let has_rules = !self.store.rules_now(target).await?.rules.is_empty();
        let skipped = has_rules.then_some(RuleWarning::TargetHasRules(target));
        Ok(closed.into_iter().chain(skipped).collect())
    }
}
